"""What the commits themselves keep: who is in which state, why, and how each event ended."""

from datetime import UTC, datetime, timedelta

from aiogram.fsm.state import State, StatesGroup
from redis.asyncio import Redis

from gateway import Director, Feature, View, dead_letter, park
from routers.event import OtherEvent
from state import BaseStateManager
from state.changes import Change, Registration
from state.conversation import Conversation
from state.directory import Directory
from state.envelope import Envelope
from state.expectations import Expectation, mint
from state.history import History, event_id
from state.lease import Leases
from state.standings import Outcome, Outcomes, Standing
from state.sweeper import Sweeper
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until


class _Shop(StatesGroup):
    ordered = State()


async def _put(outside: Outside, event_type: str, to: Conversation) -> str:
    event = OtherEvent(type=event_type, provider="service", object_id="1", occurred_at=datetime.now(UTC))
    envelope = Envelope("service", event_type, event_type, 0, b"{}", event.encode(), to)
    receipt = await outside.inbox.take(envelope, remember_for=timedelta(hours=1))
    return event_id(receipt.partition, receipt.entry_id)


async def test_a_conversations_history_says_what_brought_it_where_it_is(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """The event with its source and key, the states, the draft's fields and what the chat was shown."""
    feature = Feature("shop", states=_Shop)

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> View:
        await BaseStateManager(director.state, "shop").update(item=7)
        await director.state.set_state(_Shop.ordered)
        return View(content="Ordered")

    await run(feature)
    event = await _put(outside, "shop.order", conversation)
    await outside.settled()

    transition = (await History(outside.calls, outside.keys).of(conversation)).transitions[0]
    assert (transition.source, transition.type, transition.idempotency_key) == (
        "service",
        "shop.order",
        "shop.order",
    )
    assert (transition.from_state, transition.to_state) == (None, "_Shop:ordered")
    assert transition.drafts == {"shop": ["item"]}
    assert transition.did == ["show content"]
    assert transition.event_id == event


async def test_it_is_known_how_an_event_ended(run: Run, outside: Outside, conversation: Conversation) -> None:
    """Applied with its change, ignored or dead with the reason; nothing for an event that never was."""
    feature = Feature("shop", states=_Shop)

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> None:
        await director.state.set_state(_Shop.ordered)

    @feature.on("shop.refund", state=State("refundable", "Shop"), otherwise=dead_letter)
    async def refund(event: OtherEvent) -> None:
        raise AssertionError

    await run(feature)
    outcomes = Outcomes(outside.calls, outside.keys)
    applied = await _put(outside, "shop.order", conversation)
    ignored = await _put(outside, "shop.unheard", conversation)
    dead = await _put(outside, "shop.refund", conversation)

    async def ended() -> bool:
        found = [await outcomes.of(each) for each in (applied, ignored, dead)]
        return all(outcome is not None and outcome.final for outcome in found)

    await wait_until(ended, description="all three have ended")

    assert await _outcome(outcomes, applied) == (Standing.APPLIED, None, "_Shop:ordered")
    assert await _outcome(outcomes, ignored) == (Standing.IGNORED, "no handler of shop.unheard", None)
    assert await _outcome(outcomes, dead) == (
        Standing.DEAD,
        "not expected in state _Shop:ordered",
        None,
    )
    assert await outcomes.of("00-1-1") is None
    assert await outcomes.of("nonsense") is None


async def _outcome(outcomes: Outcomes, event: str) -> tuple[Standing, str | None, str | None]:
    outcome: Outcome | None = await outcomes.of(event)
    assert outcome is not None
    return outcome.standing, outcome.reason, outcome.to_state


async def test_every_conversation_is_counted_and_paged_in_the_state_that_it_is_in(
    redis: Redis, outside: Outside
) -> None:
    """Each once, in whatever partition it lies; those of other bots and those that moved on are not."""
    directory = Directory(outside.calls, outside.keys)

    async def move(bot_id: int, user_id: int, state: str) -> None:
        where = Conversation.private(bot_id, user_id)
        await outside.scripts.commit(Change(conversation=where, ttl_ms=60_000, state=state))

    for user_id in range(1, 41):
        await move(42, user_id, "Shop:paying")
    for user_id in range(1, 11):
        await move(42, user_id, "Shop:paid")
    await move(43, 1, "Shop:paying")

    assert await directory.counts(42) == {"Shop:paying": 30, "Shop:paid": 10}

    found, cursor, more = [], None, True
    while more:
        page = await directory.page(42, "Shop:paying", limit=7, cursor=cursor)
        found += [conversation.user_id for conversation in page.conversations]
        cursor, more = page.cursor, page.cursor is not None
    assert sorted(found) == list(range(11, 41))


async def test_a_conversation_that_has_expired_is_in_no_state(redis: Redis, outside: Outside) -> None:
    """What the index says of it goes when it is looked at, without any other change."""
    directory = Directory(outside.calls, outside.keys)
    where = Conversation.private(42, 7)
    await outside.scripts.commit(Change(conversation=where, ttl_ms=1, state="Shop:paying"))

    async def gone() -> bool:
        return await directory.counts(42) == {}

    await wait_until(gone, description="nobody is in a state")

    assert await redis.zcard(outside.keys.states(outside.keys.partition_of(where))) == 0


async def test_a_forgotten_conversation_leaves_nothing(redis: Redis, outside: Outside) -> None:
    """Its fields, its history and its place in the index go in one change."""
    where = Conversation.private(42, 7)
    await outside.scripts.commit(Change(conversation=where, ttl_ms=60_000, state="Shop:paying"))
    await outside.scripts.commit(
        Change(conversation=where, ttl_ms=60_000, state=False, replace="all", forget=True)
    )

    assert await redis.keys("*") == []


async def test_an_event_that_is_resolved_keeps_the_id_that_it_was_accepted_under(
    run: Run, outside: Outside, conversation: Conversation
) -> None:
    """Its sender knows no other: unresolved, then applied, and so it stands in the history."""
    feature = Feature("shop", states=_Shop)
    token = mint(outside.keys.partition_of(conversation))

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> None:
        await BaseStateManager(director.state, "shop").update(item=7)

    @feature.on("shop.unheard", state=_Shop.ordered, otherwise=park(hours=1))
    async def unheard(event: OtherEvent) -> None:
        raise AssertionError

    outcomes = Outcomes(outside.calls, outside.keys)
    ids = []
    for event_type in ("shop.order", "shop.unheard"):
        event = OtherEvent(type=event_type, provider="service", object_id="1", occurred_at=datetime.now(UTC))
        envelope = Envelope("service", event_type, event_type, 0, b"{}", event.encode(), None, token)
        receipt = await outside.inbox.take(envelope, remember_for=timedelta(hours=1))
        ids.append(event_id(receipt.partition, receipt.entry_id))
    assert [await _standing(outcomes, each) for each in ids] == [Standing.UNRESOLVED] * 2

    registered = Registration(
        outside.keys.partition_of(conversation), token, Expectation(token, "", "payment", "x").pack(), 60_000
    )
    await outside.scripts.commit(Change(conversation=conversation, ttl_ms=60_000, expectations=[registered]))
    assert [await _standing(outcomes, each) for each in ids] == [Standing.ACCEPTED] * 2

    await run(feature)

    async def ended() -> bool:
        standings = [await _standing(outcomes, each) for each in ids]
        return standings == [Standing.APPLIED, Standing.PARKED]

    await wait_until(ended, description="the one is applied, the other parked")
    applied = await outcomes.of(ids[0])
    assert applied is not None
    assert (applied.conversation, applied.drafts) == (conversation, {"shop": ["item"]})
    assert (await History(outside.calls, outside.keys).of(conversation)).transitions[0].event_id == ids[0]
    await outside.scripts.commit(Change(conversation=conversation, ttl_ms=60_000, state="_Shop:ordered"))

    async def one_is_left() -> bool:
        return await _standing(outcomes, ids[1]) is Standing.ACCEPTED

    await wait_until(one_is_left, description="the parked one fails and waits for its next run")


async def _standing(outcomes: Outcomes, event: str) -> Standing | None:
    outcome = await outcomes.of(event)
    return outcome.standing if outcome is not None else None


async def test_an_event_whose_user_never_came_is_known_to_have_ended(outside: Outside) -> None:
    """The sweeper gives it up by name, under the id that its sender has."""
    event = OtherEvent(type="shop.order", provider="service", object_id="1", occurred_at=datetime.now(UTC))
    token = mint(3)
    envelope = Envelope("service", "shop.order", "1", 0, b"{}", event.encode(), None, token)
    receipt = await outside.inbox.take(envelope, remember_for=timedelta(hours=1))
    lease = await Leases(outside.scripts, timedelta(seconds=10)).claim(3)
    assert lease is not None
    sweeper = Sweeper(
        outside.scripts,
        give_up_unresolved_after=timedelta(0),
        forget_dead_letters_after=timedelta(days=1),
    )

    await sweeper.sweep(lease, int(receipt.entry_id.partition("-")[0]) + 1)

    outcome = await Outcomes(outside.calls, outside.keys).of(event_id(receipt.partition, receipt.entry_id))
    assert outcome is not None
    assert (outcome.standing, outcome.reason) == (Standing.DEAD, "unresolved")
