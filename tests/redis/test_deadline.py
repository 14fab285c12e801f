"""A checkout is answered within its time, whatever else goes on, or declined."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import AnswerPreCheckoutQuery
from aiogram.types import LabeledPrice, PreCheckoutQuery, ShippingQuery
from redis.asyncio import Redis

from gateway import Director, Feature
from gateway.demo.bot_api import BotApi
from gateway.demo.bot_api.faults import FaultKind
from gateway.demo.bot_api.queries import QueryKind
from gateway.gateway import Gateway
from gateway.runtime import Runtime, running
from gateway.settings import Settings, WorkerSettings
from routers.event import OtherEvent
from state import BaseStateManager
from state.backlog import Backlog
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.redis.test_worker import Broken
from tests.waiting import wait_until

#: Many events fast; what is told apart by their idempotency keys does not matter here.
COPY_99_TIMES = """
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
  for _ = 1, 99 do redis.call('XADD', KEYS[1], '*', unpack(entry[2])) end
end
"""
DECLINED = "The payment cannot be made now. Please try again."


@pytest.fixture
async def invoiced(api: BotApi) -> BotApi:
    """Telegram's stand-in, with an invoice in user 501's chat."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(api.url))
    async with Bot(api.token, session=session) as bot:
        prices = [LabeledPrice(label="Tea", amount=4200)]
        await bot.send_invoice(501, "Tea", "A pound", "tea", "EUR", prices, provider_token="provider")
    return api


def answers(api: BotApi, kind: QueryKind = QueryKind.PRE_CHECKOUT) -> list[dict[str, object]]:
    """What the bot answered to the queries of one kind."""
    return [answer for query in api.account.queries.of(kind) for answer in query.answers]


YES: dict[str, object] = {"ok": True, "error_message": None}
NO: dict[str, object] = {"ok": False, "error_message": DECLINED}


async def test_a_checkout_is_answered_while_ten_thousand_events_wait(
    settings: Settings, redis_url: str, outside: Outside, invoiced: BotApi, redis: Redis
) -> None:
    """All places for handlers are taken, a hundred events of its own user came first: it waits for none."""
    feature, begun, proceed = Feature("shop"), set(), asyncio.Event()

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        begun.add(event.object_id)
        await proceed.wait()

    @feature.chat.pre_checkout_query()
    async def checkout(query: PreCheckoutQuery) -> None:
        await query.answer(ok=True)

    users = [Conversation.private(invoiced.account.id, user) for user in range(501, 601)]
    await asyncio.gather(*(outside.send("shop.step", to=user) for user in users))
    for partition in {outside.keys.partition_of(user) for user in users}:
        await redis.eval(COPY_99_TIMES, 1, outside.keys.inbox(partition))
    owed = await Backlog(outside.calls, outside.keys).owed()
    async with bot(Gateway(feature), settings, redis_url, query_seconds=8, lease_seconds=10):
        await wait_until(lambda: len(begun) == 64, description="all places are taken")
        asked_at = time.monotonic()
        await outside.accept(invoiced.updates.pre_checkout(501, "tea"))
        await wait_until(lambda: bool(answers(invoiced)), description="the checkout is answered", seconds=8)
        answered_after = time.monotonic() - asked_at
        proceed.set()

    assert owed.events == 10_000
    assert answers(invoiced) == [YES]
    assert answered_after < 8


async def test_a_checkout_is_handled_beside_the_running_event_of_its_conversation(
    run: Run, outside: Outside, invoiced: BotApi, conversation: Conversation
) -> None:
    """Both commit, and the conversation's other events keep their order."""
    feature, runs, proceed = Feature("shop"), [], asyncio.Event()

    @feature.on("shop.step")
    async def step(event: OtherEvent, director: Director) -> None:
        runs.append(event.object_id)
        await proceed.wait()
        await BaseStateManager(director.state, feature_key="steps").set_value(event.object_id, True)

    @feature.chat.pre_checkout_query()
    async def checkout(query: PreCheckoutQuery, director: Director) -> None:
        await query.answer(ok=True)
        await BaseStateManager(director.state, feature_key="checkout").set_value(query.invoice_payload, True)

    runtime = await run(feature)
    for number in "123":
        await outside.send("shop.step", to=conversation, object_id=number)
    await wait_until(lambda: runs == ["1"], description="the first event runs")
    await outside.accept(invoiced.updates.pre_checkout(501, "tea"))
    await wait_until(lambda: bool(answers(invoiced)), description="the checkout is answered")
    was_running = list(runs)
    proceed.set()
    await outside.settled()

    assert (was_running, runs) == (["1"], ["1", "2", "3"])
    data = await runtime.container.storage.get_data(conversation.storage_key())
    assert data == {"draft:checkout": {"tea": True}, "draft:steps": {"1": True, "2": True, "3": True}}
    assert answers(invoiced) == [YES]


async def test_a_checkout_that_nobody_answers_in_time_is_declined(
    settings: Settings, redis_url: str, outside: Outside, invoiced: BotApi, redis: Redis
) -> None:
    """Its handler hangs; at the end of its time the user is told, and the event is a dead letter."""
    feature = Feature("shop")

    @feature.chat.pre_checkout_query()
    async def checkout(_: PreCheckoutQuery) -> None:
        await asyncio.Event().wait()

    async with bot(Gateway(feature, declined="No tea today."), settings, redis_url, query_seconds=0.4):
        await outside.update(invoiced.updates.pre_checkout(501, "tea"))

    assert answers(invoiced) == [{"ok": False, "error_message": "No tea today."}]
    partition = outside.keys.partition_of(Conversation.private(invoiced.account.id, 501))
    assert await redis.xlen(outside.keys.dead(partition)) == 1


async def test_a_checkout_that_came_too_late_is_declined_and_not_handled(
    settings: Settings, redis_url: str, outside: Outside, invoiced: BotApi
) -> None:
    """No worker ran when it came; the user may have turned away, so nothing is promised any more."""
    feature, runs = Feature("shop"), []

    @feature.chat.pre_checkout_query()
    async def checkout(query: PreCheckoutQuery) -> None:
        runs.append(query.invoice_payload)

    await outside.accept(invoiced.updates.pre_checkout(501, "tea"))
    asked_at = time.monotonic()
    await wait_until(lambda: time.monotonic() - asked_at > 0.3, description="its time is over")
    async with bot(Gateway(feature), settings, redis_url, query_seconds=0.2):
        await outside.settled()

    assert runs == []
    assert answers(invoiced) == [NO]


async def test_a_failed_checkout_is_tried_again_within_its_time(
    run: Run, outside: Outside, invoiced: BotApi
) -> None:
    """It fails once, before its answer; the second run answers yes."""
    feature, runs = Feature("shop"), []

    @feature.chat.pre_checkout_query()
    async def checkout(query: PreCheckoutQuery) -> AnswerPreCheckoutQuery:
        runs.append(query.id)
        if len(runs) == 1:
            raise Broken
        return AnswerPreCheckoutQuery(pre_checkout_query_id=query.id, ok=True)

    await run(feature)
    await outside.update(invoiced.updates.pre_checkout(501, "tea"))

    assert len(runs) == 2
    assert answers(invoiced) == [YES]


async def test_a_checkout_that_was_answered_is_not_declined_after_all(
    settings: Settings, redis_url: str, outside: Outside, invoiced: BotApi
) -> None:
    """It is answered yes, and then its handler fails until its time is over: the payment is not stopped."""
    feature, runs = Feature("shop"), []

    @feature.chat.pre_checkout_query()
    async def checkout(query: PreCheckoutQuery) -> None:
        await query.answer(ok=True)
        runs.append(query.id)
        raise Broken

    async with bot(Gateway(feature), settings, redis_url, query_seconds=4):
        await outside.update(invoiced.updates.pre_checkout(501, "tea"))

    assert len(runs) >= 1
    assert answers(invoiced) == [YES]


async def test_a_checkout_without_a_handler_is_declined_at_once(
    run: Run, outside: Outside, invoiced: BotApi
) -> None:
    """Nobody would answer it later either."""
    await run(Feature("shop"))
    await outside.update(invoiced.updates.pre_checkout(501, "tea"))

    assert answers(invoiced) == [NO]


async def test_a_shipping_query_has_the_same_lane(run: Run, outside: Outside, invoiced: BotApi) -> None:
    """It is answered by its handler, or declined like a checkout."""
    feature, runs = Feature("shop"), []

    @feature.chat.shipping_query()
    async def shipping(query: ShippingQuery) -> None:
        runs.append(query.invoice_payload)
        if len(runs) == 1:
            await query.answer(ok=False, error_message="Not to there.")

    await run(feature)
    await outside.update(invoiced.updates.shipping(501, "tea"))
    await outside.update(invoiced.updates.shipping(501, "tea"))

    assert runs == ["tea", "tea"]
    assert answers(invoiced, QueryKind.SHIPPING) == [{"ok": False, "error_message": "Not to there."}, NO]


async def test_an_answer_whose_confirmation_is_lost_is_not_contradicted(
    settings: Settings, redis_url: str, outside: Outside, invoiced: BotApi
) -> None:
    """Telegram has taken the yes when the connection breaks; the next run says yes too, nobody says no."""
    feature = Feature("shop")

    @feature.chat.pre_checkout_query()
    async def checkout(query: PreCheckoutQuery) -> None:
        await query.answer(ok=True)

    invoiced.faults.add(FaultKind.LOST_ANSWER, method="answerPreCheckoutQuery")
    async with bot(Gateway(feature), settings, redis_url, query_seconds=8):
        await outside.update(invoiced.updates.pre_checkout(501, "tea"))

    assert answers(invoiced) == [YES, YES]


def bot(
    gateway: Gateway, settings: Settings, redis_url: str, *, query_seconds: float, lease_seconds: float = 30
) -> AbstractAsyncContextManager[Runtime]:
    """A bot whose queries have so much time."""
    worker = WorkerSettings(lease_seconds=lease_seconds, query_seconds=query_seconds)
    return running(gateway, settings.model_copy(update={"worker": worker}), redis_url)
