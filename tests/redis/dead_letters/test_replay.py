"""G7: what was given up is handled after all, once, when somebody asks for it."""

import asyncio

from redis.asyncio import Redis

from gateway import Director, Feature
from gateway.demo.bot_api import BotApi
from routers.event import OtherEvent
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.expectations import mint
from state.kept import Selection
from state.outcomes import Replayed
from state.standings import Standing
from state.waiting_events import UnresolvedEvents
from tests.redis.conftest import Outside, Run
from tests.redis.dead_letters.conftest import only, outcome_of, refusing
from tests.redis.test_worker import Broken


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


async def test_letters_are_replayed_by_what_they_are(
    run: Run, outside: Outside, conversation: Conversation, letters: DeadLetters
) -> None:
    """A dry run tells how many it would be; only those that are meant are moved."""
    await run(refusing())
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
