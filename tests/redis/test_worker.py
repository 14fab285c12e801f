"""G3, G4, G5, G7 and G11, on a bot at work."""

import asyncio

from aiogram.fsm.state import State, StatesGroup
from redis.asyncio import Redis

from gateway import Director, Feature, View, dead_letter, park
from gateway.demo.bot_api import BotApi
from routers.event import OtherEvent
from state import BaseStateManager
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until


class _Shop(StatesGroup):
    paying = State()


class Broken(Exception):
    """What a handler of these tests raises."""


async def test_a_handler_that_fails_leaves_nothing_behind(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Its state, data and views are staged, and go with it; its next run finds what it found before."""
    feature, seen = Feature("shop"), []

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> None:
        seen.append((await director.state.get_state(), await director.state.get_data()))
        await director.state.set_state("Shop:ordered")
        await director.state.update_data(order=event.object_id)
        director.show(View(content=f"Order {len(seen)}"))
        if len(seen) == 1:
            raise Broken

    runtime = await run(feature)
    await outside.send("shop.order", to=conversation)
    await outside.settled()

    assert seen == [(None, {}), (None, {})]
    assert await runtime.container.storage.get_state(conversation.storage_key()) == "Shop:ordered"
    assert api.chats[501].texts() == ["Order 2"]


async def test_events_of_one_source_keep_their_order(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Even if the first of them fails and has to run again."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        runs.append(event.object_id)
        if runs == ["1"]:
            raise Broken

    for number in "123":
        await outside.send("shop.step", to=conversation, object_id=number)
    await run(feature)
    await outside.settled()

    assert runs == ["1", "1", "2", "3"]


async def test_an_event_that_waits_lets_other_sources_pass(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """A payment whose handler is broken for a while does not silence the rest of the conversation."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        runs.append(event.provider)
        if runs.count("broken") == 1 and event.provider == "broken":
            raise Broken

    await outside.send("shop.step", to=conversation, source="broken")
    await outside.send("shop.step", to=conversation, source="other")
    await run(feature)
    await outside.settled()

    assert runs == ["broken", "other", "broken"]


async def test_an_event_that_waits_holds_back_no_other_conversation(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """One user's event fails; the events of another user, of the same source, are handled meanwhile."""
    feature, runs = Feature("shop"), []
    one, other = (Conversation.private(api.account.id, user) for user in (501, 502))

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        runs.append(event.object_id)
        if runs == ["one"]:
            raise Broken

    await run(feature)
    await outside.send("shop.step", to=one, object_id="one")
    await wait_until(lambda: runs == ["one"], description="the first has failed")
    await outside.send("shop.step", to=other, object_id="other")
    await outside.settled()

    assert runs == ["one", "other", "one"]


async def test_one_conversation_runs_one_event_at_a_time_and_others_run_beside_it(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """While one conversation's handler is under way, its second event waits and another's does not."""
    feature, begun, proceed = Feature("shop"), [], asyncio.Event()
    one, other = (Conversation.private(api.account.id, user) for user in (501, 502))

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> None:
        begun.append(event.object_id)
        await proceed.wait()

    await run(feature)
    await outside.send("shop.step", to=one, object_id="one-1")
    await outside.send("shop.step", to=one, object_id="one-2")
    await outside.send("shop.step", to=other, object_id="other-1")
    await wait_until(lambda: len(begun) == 2, description="two handlers run")
    under_way = set(begun)
    proceed.set()
    await outside.settled()

    assert under_way == {"one-1", "other-1"}
    assert set(begun) == {"one-1", "one-2", "other-1"}


async def test_a_handler_whose_basis_changed_runs_again(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """It read a value that somebody else changed meanwhile: what it made of the old one is not merged."""
    feature, runs = Feature("shop"), []
    runtime = await run(feature)
    key, storage = conversation.storage_key(), runtime.container.storage

    @feature.on("shop.step")
    async def step(event: OtherEvent, director: Director) -> None:
        del event
        stock = await director.state.get_value("stock", 0)
        runs.append(stock)
        if len(runs) == 1:
            await asyncio.create_task(_elsewhere(outside, conversation, {"stock": 10}))
        await director.state.update_data(stock=stock + 1)

    await outside.send("shop.step", to=conversation)
    await outside.settled()

    assert runs == [0, 10]
    assert (await storage.get_data(key))["stock"] == 11


async def test_a_change_of_what_was_not_read_does_not_run_it_again(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Both writes survive, and the handler ran once."""
    feature, runs = Feature("shop"), []
    runtime = await run(feature)

    @feature.on("shop.step")
    async def step(event: OtherEvent, director: Director) -> None:
        runs.append(event.object_id)
        await asyncio.create_task(_elsewhere(outside, conversation, {"other": "theirs"}))
        await BaseStateManager(director.state, feature_key="shop").set_value("mine", event.object_id)

    await outside.send("shop.step", to=conversation)
    await outside.settled()

    assert len(runs) == 1
    data = await runtime.container.storage.get_data(conversation.storage_key())
    assert data == {"other": "theirs", "draft:shop": {"mine": "1"}}


async def _elsewhere(outside: Outside, conversation: Conversation, data: dict[str, object]) -> None:
    """Write as another process would, outside of the handler's unit of work."""
    from state.fields import split
    from state.scripts import Change

    plain, drafts = split(data)
    change = Change(conversation=conversation, ttl_ms=60_000, set=plain, drafts=drafts)
    await outside.scripts.commit(change)


async def test_a_handler_that_runs_again_shows_its_view_once(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Views and notices are staged, so the failed run sent nothing."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: OtherEvent, director: Director) -> View:
        del event
        runs.append(1)
        director.notice("a notice")
        director.show(View(menu="a menu"))
        if len(runs) < 3:
            raise Broken
        return View(content="done")

    await run(feature)
    await outside.send("shop.step", to=conversation)
    await outside.settled()

    assert len(runs) == 3
    assert sorted(api.chats[501].texts()) == ["a menu", "a notice", "done"]
    assert api.calls.counts()["sendMessage"] == {"ok": 3}


async def test_every_event_ends_by_name(
    run: Run, outside: Outside, conversation: Conversation, redis: Redis
) -> None:
    """Applied, ignored, parked, unresolved or a dead letter: each can be counted, none is gone."""
    feature, applied = Feature("shop"), []

    @feature.on("shop.applied")
    async def handle(event: OtherEvent) -> None:
        applied.append(event.type)

    @feature.on("shop.early", state=[], otherwise=park(hours=1))
    async def early(event: OtherEvent) -> None:
        applied.append(event.type)

    @feature.on("shop.unwelcome", state=[], otherwise=dead_letter)
    async def unwelcome(event: OtherEvent) -> None:
        applied.append(event.type)

    await run(feature)
    for kind in ("applied", "nobody-handles-it", "early", "unwelcome"):
        await outside.send(f"shop.{kind}", to=conversation)
    await outside.send("shop.applied", to=None)

    partition = outside.keys.partition_of(conversation)
    keys = outside.keys

    async def ended() -> bool:
        return await redis.xlen(keys.inbox(partition)) == await redis.zcard(keys.parked(partition)) == 1

    await wait_until(ended, description="all but the parked one have ended")
    unresolved = [await redis.xlen(keys.unresolved(number)) for number in range(keys.partitions)]
    assert applied == ["shop.applied"]
    assert await redis.xlen(keys.dead(partition)) == 1
    assert sum(unresolved) == 1


async def test_a_parked_event_runs_when_the_state_has_come(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Whoever changes the state, in a handler or outside of any."""
    feature, paid = Feature("shop", states=[]), []

    @feature.on("shop.paid", state=_Shop.paying, otherwise=park(hours=1))
    async def on_paid(event: OtherEvent) -> None:
        paid.append(event.object_id)

    runtime = await run(feature)
    await outside.send("shop.paid", to=conversation, object_id="early")
    parked = outside.keys.parked(outside.keys.partition_of(conversation))

    async def is_parked() -> bool:
        return bool(await outside.calls.command("ZCARD", parked))

    await wait_until(is_parked, description="the event is parked")
    assert paid == []
    await runtime.container.storage.set_state(conversation.storage_key(), _Shop.paying)
    await outside.settled()

    assert paid == ["early"]


async def test_an_event_that_came_before_its_token_was_registered_is_handled_then(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """The provider is faster than our commit; its call is kept, and found again by the token."""
    feature, paid = Feature("shop"), []

    @feature.on("shop.paid")
    async def on_paid(event: OtherEvent) -> None:
        paid.append(event.object_id)

    runtime = await run(feature)
    bot = runtime.container.bot
    async with runtime.container.conversation(bot, 501) as director:
        token = director.expect(payment="tea")
        disposition = await outside.send("shop.paid", to=None, token=token, object_id="fast")
        assert (disposition.name, paid) == ("UNRESOLVED", [])
    await wait_until(lambda: bool(paid), description="the payment is handled")

    assert paid == ["fast"]
    assert conversation.user_id == 501
