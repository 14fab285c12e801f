"""G7: what was given up is kept with its reason, found, or discarded by hand."""

import pytest

from gateway import Director, Feature, park
from gateway.demo.bot_api import BotApi
from routers.event import OtherEvent
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.outcomes import Replayed
from state.standings import Standing
from state.waiting_events import ParkedEvents
from tests.redis.conftest import Outside, Run
from tests.redis.dead_letters.conftest import only, outcome_of, refusing
from tests.redis.test_worker import Broken
from tests.waiting import wait_until


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


async def test_letters_of_all_partitions_come_in_order_page_by_page(
    run: Run, outside: Outside, api: BotApi, letters: DeadLetters
) -> None:
    """Each once, the newest first or the oldest, whatever the size of the pages."""
    await run(refusing())
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
    await run(refusing())
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
