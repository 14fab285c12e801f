"""Telegram asks before it takes the money: the expectation answers, then the feature, within the budget."""

import asyncio
from datetime import timedelta

import pytest
from aiogram.types import LabeledPrice, PreCheckoutQuery

from gateway import Director, Feature, decisions
from gateway.demo.bot_api import BotApi, QueryKind
from routers.event import OtherEvent
from routers.payments.events import PaymentCheck
from state import BaseStateManager
from state.conversation import Conversation
from state.expectations import Expectation
from tests.redis.conftest import Outside, Run

DECLINED = {"ok": False, "error_message": "The payment cannot be made now. Please try again."}
ACCEPTED = {"ok": True, "error_message": None}
UNKNOWN = "00" + "a" * 24


class Shop:
    """A feature that sells tea, asked or not before the money is taken."""

    def __init__(self) -> None:
        self.feature = Feature("shop")
        self.token = ""
        self.feature.on("shop.order")(self.order)

    async def order(self, event: OtherEvent, director: Director) -> None:
        """Ask for 250 Stars."""
        self.token = director.expect(payment="tea", amount_minor=250, currency="XTR", feature="shop")


@pytest.fixture
def shop() -> Shop:
    """The shop."""
    return Shop()


class Checkout:
    """A user who orders, gets an invoice, and confirms."""

    def __init__(self, run: Run, outside: Outside, api: BotApi, shop: Shop) -> None:
        self._run, self._outside, self._api, self._shop = run, outside, api, shop

    async def answers(
        self, *, stars: int = 250, currency: str = "XTR", payload: str = ""
    ) -> list[dict[str, object]]:
        """What the bot answers to the confirmation of an invoice over *stars*."""
        runtime = await self._run(self._shop.feature)
        bot = runtime.container.bot
        await self._outside.send("shop.order", to=Conversation.private(self._api.account.id, 501))
        await self._outside.settled()
        token = payload or self._shop.token
        prices = [LabeledPrice(label="Tea", amount=stars)]
        provider = None if currency == "XTR" else "provider"
        await bot.send_invoice(501, "Tea", "A pound", token, currency, prices, provider_token=provider)
        await self._outside.update(self._api.updates.pre_checkout(501, token))
        queries = self._api.account.queries.of(QueryKind.PRE_CHECKOUT)
        return [answer for query in queries for answer in query.answers]


@pytest.fixture
def checkout(run: Run, outside: Outside, api: BotApi, shop: Shop) -> Checkout:
    """The user."""
    return Checkout(run, outside, api, shop)


async def test_what_is_expected_is_let_through(checkout: Checkout) -> None:
    """No handler is needed: token, amount and currency are right."""
    assert await checkout.answers() == [ACCEPTED]


@pytest.mark.parametrize("stars, currency", [(249, "XTR"), (251, "XTR"), (250, "EUR")])
async def test_another_sum_is_declined(checkout: Checkout, stars: int, currency: str) -> None:
    """Before the money is taken, not after."""
    assert await checkout.answers(stars=stars, currency=currency) == [DECLINED]


async def test_a_token_that_nobody_waits_for_is_declined(checkout: Checkout, shop: Shop) -> None:
    """Also where a handler of the chat would have said yes to everything."""

    @shop.feature.chat.pre_checkout_query()
    async def yes(query: PreCheckoutQuery) -> None:
        await query.answer(ok=True)

    assert await checkout.answers(payload=UNKNOWN) == [DECLINED]


async def test_the_bots_own_payload_is_left_to_its_handler(checkout: Checkout, shop: Shop) -> None:
    """Without a token there is no expectation to check."""

    @shop.feature.chat.pre_checkout_query()
    async def yes(query: PreCheckoutQuery) -> None:
        await query.answer(ok=True)

    assert await checkout.answers(payload="order 17") == [ACCEPTED]


@pytest.mark.parametrize("answer, told", [(True, ACCEPTED), (False, DECLINED)])
async def test_the_feature_has_the_last_word(
    checkout: Checkout, shop: Shop, answer: bool, told: dict[str, object]
) -> None:
    """It sees what is asked, what was expected, and the state of whom it was expected from."""
    seen: list[object] = []

    @shop.feature.decide
    async def may_pay(check: PaymentCheck, expectation: Expectation, director: Director) -> bool:
        drafts = BaseStateManager(director.state, feature_key="shop")
        # A worker that loses its lease asks again.
        seen[:] = check.amount_minor, check.currency, expectation.name, await drafts.get_payload()
        return answer

    assert (await checkout.answers())[0] == told
    assert seen == [250, "XTR", "tea", {}]


async def test_a_feature_that_is_late_has_declined(
    checkout: Checkout, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the end of its budget, while Telegram still waits."""
    monkeypatch.setattr(
        decisions.Decisions.__init__, "__kwdefaults__", {"budget": timedelta(milliseconds=50)}
    )

    @shop.feature.decide
    async def may_pay(check: PaymentCheck) -> bool:
        await asyncio.Event().wait()
        return True

    assert await checkout.answers() == [DECLINED]


async def test_a_feature_that_fails_has_declined(checkout: Checkout, shop: Shop) -> None:
    """A fault in a handler takes nobody's money."""

    @shop.feature.decide
    async def may_pay(check: PaymentCheck) -> bool:
        raise LookupError("no tea")

    assert await checkout.answers() == [DECLINED]
