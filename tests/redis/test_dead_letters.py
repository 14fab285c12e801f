"""G7: what was given up is kept with its reason, found, replayed once, or discarded by hand."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway import Director, Feature, dead_letter, park
from gateway.demo.bot_api import BotApi
from gateway.settings import ChatRetries, OtherRetries, RetriesSettings, Settings
from routers.event import OtherEvent
from state.conversation import Conversation
from state.dead_letters import DeadLetter, DeadLetters
from state.expectations import mint
from state.history import event_id
from state.kept import Selection
from state.outcomes import Replayed
from state.standings import Outcomes, Standing
from state.waiting_events import ParkedEvents, UnresolvedEvents
from tests.redis.conftest import Outside, Run
from tests.redis.test_worker import Broken
from tests.waiting import wait_until


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The bot's settings, with two runs for each event, one soon after the other."""
    fast: dict[str, Any] = {"attempts": 2, "first_seconds": 0.01, "longest_seconds": 0.01}
    retries = RetriesSettings(chat=ChatRetries(**fast), other=OtherRetries(**fast))
    return settings.model_copy(update={"retries": retries})


@pytest.fixture
def letters(outside: Outside) -> DeadLetters:
    """The dead letters, seen from another process."""
    return DeadLetters(outside.scripts)


async def only(letters: DeadLetters) -> DeadLetter:
    """Return the one dead letter that there is."""
    page = await letters.page()
    [letter] = page.events
    return letter


async def outcome_of(letter: DeadLetter, outside: Outside) -> Standing:
    """Return what its sender is told of the event."""
    assert letter.first_id is not None
    partition = int(letter.id[:2], 16)
    outcome = await Outcomes(outside.calls, outside.keys).of(event_id(partition, letter.first_id))
    assert outcome is not None
    return outcome.standing


async def test_a_dead_letter_tells_what_happened(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, letters: DeadLetters
) -> None:
    """Why it was given up, where its handler failed, how often it ran, and all that came in."""
    feature = Feature("shop")

    @feature.on("shop.order")
    async def order(_: OtherEvent, director: Director) -> None:
        assert director.bot is not None
        raise Broken(f"no tea left, says https://api.telegram.org/bot{director.bot.token}/sendMessage")

    await run(feature)
    await outside.send("shop.order", to=conversation)
    await outside.settled()
    letter = await only(letters)

    assert letter.reason == "handler failed: Broken"
    assert "in order" in letter.detail
    assert "no tea left" in letter.detail
    assert api.token not in letter.detail
    assert "https://api.telegram.org/bot[redacted]/sendMessage" in letter.detail
    assert letter.attempts == 2
    assert (letter.envelope.source, letter.envelope.type) == ("service", "shop.order")
    assert (letter.envelope.body, letter.conversation) == (b"{}", conversation)
    assert letter.id.startswith(f"{outside.keys.partition_of(conversation):02x}:")
    assert await letters.get(letter.id) == letter


async def test_a_replayed_event_is_applied_once(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, letters: DeadLetters
) -> None:
    """However many ask for it at the same time; and what its handler had sent is not sent again."""
    feature, mended, runs = Feature("shop"), asyncio.Event(), []

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> None:
        assert director.bot is not None
        await director.bot.send_message(conversation.chat_id, "one moment")
        runs.append(event.object_id)
        if not mended.is_set():
            raise Broken
        await director.state.update_data(order=event.object_id)

    runtime = await run(feature)
    await outside.send("shop.order", to=conversation, object_id="tea")
    await outside.settled()
    letter = await only(letters)
    stood = await outcome_of(letter, outside)
    mended.set()
    outcomes = await asyncio.gather(*(letters.replay(letter.id) for _ in range(10)))
    await outside.settled()

    assert sorted(outcome.name for outcome in outcomes) == ["GONE"] * 9 + ["REPLAYED"]
    assert runs == ["tea", "tea", "tea"]
    assert await runtime.container.storage.get_data(conversation.storage_key()) == {"order": "tea"}
    assert api.chats[501].texts() == ["one moment"]
    assert [call.split()[1] for call in letter.calls] == ["SendMessage"]
    assert await letters.count() == 0
    assert (stood, await outcome_of(letter, outside)) == (Standing.DEAD, Standing.APPLIED)


async def test_what_dies_again_after_a_replay_keeps_what_it_has_sent(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, letters: DeadLetters
) -> None:
    """Its journal goes along, from letter to letter."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> None:
        assert director.bot is not None
        await director.bot.send_message(conversation.chat_id, "one moment")
        runs.append(event.object_id)
        if len(runs) < 5:
            raise Broken

    await run(feature)
    await outside.send("shop.order", to=conversation)
    await outside.settled()
    for _ in range(2):
        assert await letters.replay((await only(letters)).id) is Replayed.REPLAYED
        await outside.settled()

    assert len(runs) == 5
    assert api.chats[501].texts() == ["one moment"]


async def test_letters_of_all_partitions_come_in_order_page_by_page(
    run: Run, outside: Outside, api: BotApi, letters: DeadLetters
) -> None:
    """Each once, the newest first or the oldest, whatever the size of the pages."""
    await run(_refusing())
    users = [Conversation.private(api.account.id, user) for user in range(501, 541)]
    for user in [*users, *users[:3]]:
        await outside.send("shop.order", to=user)
        await outside.settled()

    pages, after = [], None
    while True:
        page = await letters.page(after=after, limit=7)
        pages.append([letter.conversation for letter in page.events])
        after = page.next_after
        if after is None:
            break
    backwards = [letter.conversation async for letter in letters.scan()]

    came = [*users, *users[:3]]
    assert [len(page) for page in pages] == [7] * 6 + [1]
    assert [conversation for page in pages for conversation in page] == came[::-1]
    assert backwards == came
    assert (await letters.page(limit=43)).next_after is None


async def test_letters_are_replayed_by_what_they_are(
    run: Run, outside: Outside, conversation: Conversation, letters: DeadLetters
) -> None:
    """A dry run tells how many it would be; only those that are meant are moved."""
    await run(_refusing())
    for source in ("one", "one", "two"):
        await outside.send("shop.order", to=conversation, source=source)
    await outside.settled()
    times = [letter.kept_since_ms async for letter in letters.scan()]
    selections = {
        "source": Selection(source="one"),
        "type": Selection(type="shop.other"),
        "reason": Selection(reason="not expected"),
        "since": Selection(since_ms=times[-1] + 1),
        "until": Selection(until_ms=times[-1] + 1),
    }

    dry = {name: dict(await letters.replay_all(meant, dry_run=True)) for name, meant in selections.items()}
    assert dry == {
        "source": {Replayed.REPLAYED: 2},
        "type": {},
        "reason": {Replayed.REPLAYED: 3},
        "since": {},
        "until": {Replayed.REPLAYED: 3},
    }
    assert await letters.count() == 3
    before = {letter.id async for letter in letters.scan(Selection(source="two"))}
    assert await letters.replay_all(Selection(source="one")) == {Replayed.REPLAYED: 2}
    await outside.settled()

    assert await letters.count() == 3
    after = {letter.id async for letter in letters.scan()}
    assert before < after


async def test_a_letter_without_a_conversation_is_replayed_once_its_token_is_known(
    run: Run, outside: Outside, redis: Redis, conversation: Conversation, letters: DeadLetters
) -> None:
    """Until then it stays where it is."""
    feature, paid = Feature("shop"), []

    @feature.on("shop.paid")
    async def on_paid(event: OtherEvent) -> None:
        paid.append(event.object_id)

    runtime = await run(feature)
    token = mint(outside.keys.partition_of(conversation))
    await outside.send("shop.paid", to=None, token=token, object_id="tea")
    unresolved = UnresolvedEvents(outside.scripts)
    [event] = (await unresolved.page()).events
    assert (event.envelope.token, await unresolved.count()) == (token, 1)
    assert [await unresolved.discard(event.id) for _ in range(2)] == [True, False]
    letter = await only(letters)
    assert (letter.reason, await unresolved.count()) == ("discarded", 0)
    assert await outcome_of(letter, outside) is Standing.DEAD

    assert await letters.replay(letter.id) is Replayed.HOMELESS
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        director.expect(payment="tea")
    key = outside.keys.expectation(outside.keys.partition_of(conversation), token)
    [known] = [each async for each in redis.scan_iter("gw:*:x:*")]
    await redis.rename(known, key)
    assert await letters.replay(letter.id) is Replayed.REPLAYED
    await outside.settled()

    assert paid == ["tea"]


async def test_a_parked_event_can_be_looked_at_again_or_given_up_by_hand(
    run: Run, outside: Outside, conversation: Conversation, letters: DeadLetters
) -> None:
    """Looking again changes nothing while the state does not fit; what is given up can be replayed."""
    feature, looked = Feature("shop"), []

    class Early(OtherEvent):
        """Only to count the looks."""

    @feature.on("shop.early", state=[], otherwise=park(hours=1))
    async def early(event: Early) -> None:
        looked.append(event.type)

    await run(feature)
    await outside.send("shop.early", to=conversation, object_id="tea")
    parked = ParkedEvents(outside.scripts)

    async def is_parked() -> bool:
        return await parked.count() == 1

    await wait_until(is_parked, description="it is parked")
    [event] = (await parked.page()).events
    assert event.until_ms - event.kept_since_ms > 3_500_000
    assert await parked.replay(event.id)
    await wait_until(is_parked, description="it is parked again")
    [again] = (await parked.page()).events
    assert again == event
    assert [await parked.discard(event.id) for _ in range(2)] == [True, False]
    await outside.settled()

    letter = await only(letters)
    assert (letter.reason, letter.envelope) == ("discarded", event.envelope)
    assert await outcome_of(letter, outside) is Standing.DEAD
    assert (await parked.count(), await parked.replay(event.id), looked) == (0, False, [])
    assert await letters.replay(letter.id) is Replayed.REPLAYED
    await wait_until(is_parked, description="it is parked anew")


async def test_a_discarded_letter_is_gone(
    run: Run, outside: Outside, conversation: Conversation, letters: DeadLetters
) -> None:
    """And nobody can replay it."""
    await run(_refusing())
    await outside.send("shop.order", to=conversation)
    await outside.settled()
    letter = await only(letters)

    assert [await letters.discard(letter.id) for _ in range(2)] == [True, False]
    assert await letters.replay(letter.id) is Replayed.GONE
    assert await letters.get(letter.id) is None


@pytest.mark.parametrize("wrong", ["", "1-0", "00:1", "zz:1-0", "40:1-0", "00:1-0-0", "00:-1-0", "000:1-0"])
async def test_what_is_no_id_is_said_to_be_none(letters: DeadLetters, wrong: str) -> None:
    """Nobody is told that the letter does not exist, who has mistyped its id."""
    with pytest.raises(ValueError, match=r"is no id|names no partition"):
        await letters.get(wrong)


def _refusing() -> Feature:
    feature = Feature("shop")

    @feature.on("shop.order", state=[], otherwise=dead_letter)
    async def order(event: OtherEvent) -> None:
        raise AssertionError(event.type)

    return feature
