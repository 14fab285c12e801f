"""Payments inside Telegram, from the invoice to the refund, over Telegram's stand-in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import uvicorn
from aiogram import Bot, F
from aiogram.types import LabeledPrice, Message

from gateway import Director, Feature
from gateway.demo.bot_api import BotApi, FaultKind, Outcome
from gateway.runtime import Runtime
from routers.application import Application
from routers.dependencies import attach
from routers.mount import mount
from routers.payments.events import PaymentMismatched, PaymentRefunded, PaymentSucceeded
from routers.telegram.payments import payer_of
from state.conversation import Conversation
from tests.http.listening import listening
from tests.redis.conftest import Outside, Run

Telegram = Callable[[dict[str, Any]], Awaitable[int]]


class Shop:
    """A bot that sells tea for 250 Stars, and writes down what it is told."""

    def __init__(self) -> None:
        self.feature = Feature("shop")
        self.token = ""
        self.told: list[str] = []
        self.payers: list[tuple[Conversation, int | None]] = []
        self.refund = False
        self.feature.chat.message.register(self.buy, F.text)
        self.feature.on("payment.succeeded")(self.paid)
        self.feature.on("payment.mismatched")(self.mismatched)
        self.feature.on("payment.refunded")(self.refunded)

    async def buy(self, message: Message, director: Director, bot: Bot) -> None:
        """Whatever is written is an order."""
        self.token = director.expect(payment="tea", amount_minor=250, currency="XTR", feature="shop")
        prices = [LabeledPrice(label="Tea", amount=250)]
        await bot.send_invoice(message.chat.id, "Tea", "A pound", self.token, "XTR", prices)

    async def paid(self, event: PaymentSucceeded, director: Director) -> None:
        """The same handler that any provider's payment would come to."""
        self.told.append(f"paid {event.amount_minor} {event.currency}")
        self.payers.append((director.conversation, payer_of(event.raw)))
        if self.refund:
            director.refund_stars(event.object_id)

    async def mismatched(self, event: PaymentMismatched) -> None:
        """Another amount than was asked for."""
        self.told.append(f"mismatched {event.amount_minor}")

    async def refunded(self, event: PaymentRefunded) -> None:
        """The Stars went back."""
        self.told.append(f"refunded {event.amount_minor} {event.currency}")


@pytest.fixture
async def telegram(
    run: Run, outside: Outside, api: BotApi
) -> AsyncIterator[Callable[[Shop], Awaitable[Telegram]]]:
    """Run a shop and give Telegram's way of calling it: over HTTP, until nothing is owed."""
    async with AsyncExitStack() as opened:

        async def start(shop: Shop) -> Telegram:
            runtime: Runtime = await run(shop.feature)
            app = Application()
            mount(app)
            attach(app, runtime.edge)
            port = await opened.enter_async_context(
                listening(uvicorn.Config(app, log_config=None, lifespan="off"))
            )
            client = await opened.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}"))

            async def call(update: dict[str, Any]) -> int:
                answer = await client.post(
                    f"/telegram/{api.account.id}",
                    json=update,
                    headers={"X-Telegram-Bot-Api-Secret-Token": "s"},
                )
                await outside.settled()
                return answer.status_code

            return call

        yield start


async def test_a_payment_comes_to_the_handler_of_all_providers_once(
    telegram: Callable[[Shop], Awaitable[Telegram]], api: BotApi
) -> None:
    """By the token in the payload; also when Telegram tells it again in another update."""
    shop = Shop()
    call = await telegram(shop)
    await call(api.updates.message(501, "tea"))
    update = api.updates.paid(501, shop.token)

    assert [await call(update), await call(update), await call({**update, "update_id": 999_999})] == [200] * 3
    assert shop.told == ["paid 250 XTR"]


async def test_another_amount_than_was_asked_for_is_a_mismatch(
    telegram: Callable[[Shop], Awaitable[Telegram]], api: BotApi
) -> None:
    """The check before the payment declines it; should money come all the same, it never counts as paid."""
    shop = Shop()
    call = await telegram(shop)
    await call(api.updates.message(501, "tea"))
    update = api.updates.paid(501, shop.token)
    update["message"]["successful_payment"]["total_amount"] = 1
    await call(update)

    assert shop.told == ["mismatched 1"]


async def test_a_payment_by_somebody_else_is_of_whom_the_invoice_was_for(
    telegram: Callable[[Shop], Awaitable[Telegram]], api: BotApi, conversation: Conversation
) -> None:
    """An invoice can be passed on: the token says whose it is, the update who paid."""
    shop = Shop()
    call = await telegram(shop)
    await call(api.updates.message(501, "tea"))
    api.chats.open(777)
    await call(api.updates.paid(777, shop.token))

    assert shop.payers == [(conversation, 777)]


async def test_a_refund_in_telegram_comes_as_an_event(
    telegram: Callable[[Shop], Awaitable[Telegram]], api: BotApi
) -> None:
    """Of the same charge, once."""
    shop = Shop()
    call = await telegram(shop)
    await call(api.updates.message(501, "tea"))
    update = api.updates.paid(501, shop.token)
    await call(update)
    payment = update["message"].pop("successful_payment")
    payment.pop("provider_payment_charge_id")
    update["message"]["refunded_payment"] = payment
    update["update_id"] += 1
    await call(update)
    await call(update)

    assert shop.told == ["paid 250 XTR", "refunded 250 XTR"]


async def test_a_refund_is_tried_until_telegram_has_done_it(
    telegram: Callable[[Shop], Awaitable[Telegram]], api: BotApi
) -> None:
    """Telegram fails at first, and its answer to the second call is lost: the third finds it done."""
    shop = Shop()
    shop.refund = True
    call = await telegram(shop)
    await call(api.updates.message(501, "tea"))
    api.faults.add(FaultKind.SERVER_ERROR, method="refundStarPayment")
    api.faults.add(FaultKind.LOST_ANSWER, method="refundStarPayment")
    await call(api.updates.paid(501, shop.token))

    calls = [call.outcome for call in api.calls if call.method == "refundStarPayment"]
    assert calls == [Outcome.FAULT, Outcome.LOST, Outcome.REFUSED]
    assert [refunded for _, refunded in api.account.charges.values()] == [True]
