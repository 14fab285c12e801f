"""Views from outside of any handler: sent once, edited in place, and what became of them told."""

import asyncio
import time
from datetime import timedelta

import pytest

from gateway import Block, Feature, View, delivery
from gateway.answers import Cause, Outcome
from gateway.delivery import GIVE_UP_AFTER
from gateway.demo.bot_api import BotApi, FaultKind, Standing
from state.budgets import Budgets
from state.conversation import Conversation
from state.keys import Keys
from state.outbox import Effect, EffectKind
from state.packing import pack
from state.tally import Tallied, Tally
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until

NO_WAIT = timedelta(0)


async def test_d16_d17_three_views_at_once_leave_one_message(
    run: Run, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot's concurrent sends leave three and remember one; with a bytes client it never edits."""
    sender = (await run(Feature("shop"))).container.view_sender

    answers = await asyncio.gather(
        *(sender.send(conversation, View(content=f"view {number}")) for number in range(3))
    )
    last = await sender.send(conversation, View(content="last"))

    assert {answer.outcome for answer in (*answers, last)} == {Outcome.DONE}
    assert api.chats[501].texts() == ["last"]
    assert api.calls.counts()["sendMessage"] == {"ok": 1}


async def test_d19_whoever_sends_learns_what_became_of_it(
    run: Run, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot logs a blocked user and returns None, as for a success."""
    sender = (await run(Feature("shop"))).container.view_sender

    shown = await sender.send(conversation, View(menu="menu", content="content"))
    wrong = await sender.send(conversation, View(menu="<b>", content="other"))
    api.chats[501].standing = Standing.BLOCKED
    blocked = await sender.send(conversation, View(content="unseen"))
    dropped = await sender.send(conversation, View(content="unseen"))

    assert (shown.outcome, shown.cause) == (Outcome.DONE, None)
    assert (wrong.outcome, wrong.cause) == (Outcome.REFUSED, Cause.WRONG)
    assert "parse entities" in wrong.reason
    assert (blocked.outcome, blocked.cause) == (Outcome.REFUSED, Cause.BLOCKED)
    assert (dropped.outcome, dropped.cause) == (Outcome.DROPPED, Cause.BLOCKED)


async def test_what_is_not_known_in_time_is_still_owed(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Nobody waits longer than they want to, and the view comes all the same."""
    sender = (await run(Feature("shop"))).container.view_sender
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, seconds=1)

    paused = await sender.send(conversation, View(content="one"), wait=timedelta(seconds=0.2))
    unasked = await sender.send(conversation, View(content="two"), wait=NO_WAIT)
    await outside.settled()

    assert (paused.outcome, unasked.outcome) == (Outcome.LATER, Outcome.LATER)
    assert api.chats[501].texts() == ["two"]


async def test_an_overtaken_view_is_told_so(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The newest wins; the caller of the older one is not left to believe that it was seen."""
    sender = (await run(Feature("shop"))).container.view_sender
    await sender.send(conversation, View(content="one"))
    api.faults.add(FaultKind.DELAY, seconds=0.3)
    first = asyncio.create_task(sender.send(conversation, View(content="slow")))
    await wait_until(lambda: not api.faults.pending(), description="the slow call is under way")

    second, third = await asyncio.gather(
        sender.send(conversation, View(content="overtaken")), sender.send(conversation, View(content="new"))
    )

    assert (await first).cause is None
    assert (second.cause, third.cause) == (Cause.SUPERSEDED, None)
    assert api.chats[501].texts() == ["new"]


async def test_a_view_that_wants_new_messages_is_not_lost_to_one_that_edits(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Both are owed at once; what was to stand at the bottom of the chat stands there, as the newer one."""
    sender = (await run(Feature("shop"))).container.view_sender
    await sender.send(conversation, View(content="one"))
    api.updates.message(501, "chatter")
    await Budgets(outside.scripts).pause_chat(conversation, timedelta(seconds=0.3))

    await sender.send(conversation, View(content="two", clean_history=True), wait=NO_WAIT)
    await sender.send(conversation, View(content="three"))
    await outside.settled()

    assert [message["text"] for message in api.chats[501].visible()] == ["chatter", "three"]


async def test_a_send_without_an_answer_is_repeated_and_counted(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Telegram knows no idempotency key: the user may see it twice, and how often that can be is known."""
    sender = (await run(Feature("shop"))).container.view_sender
    api.faults.add(FaultKind.LOST_ANSWER, method="sendMessage")

    answer = await sender.send(conversation, View(content="one"))

    assert answer.outcome is Outcome.DONE
    assert api.chats[501].texts() == ["one", "one"]
    assert (await Tally(outside.calls, outside.keys).totals())[Tallied.REPEATED] == 1


async def test_d21_two_bots_keep_their_screens_apart() -> None:
    """codex-bot's keys have no bot: the two overwrite each other."""
    keys = Keys(partitions=1)

    assert keys.conversation(Conversation.private(42, 501)) != keys.conversation(
        Conversation.private(43, 501)
    )


async def test_of_a_long_outbox_only_a_part_is_kept_in_memory(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broadcast to everybody waits in Redis; all of it goes out all the same."""
    monkeypatch.setattr(delivery, "READ_AHEAD", 20)
    monkeypatch.setattr(delivery, "READ_COUNT", 10)
    await Budgets(outside.scripts).pause_bot(42, timedelta(seconds=1))
    outbox = outside.keys.outbox(outside.keys.partition_of(conversation))
    for number in range(100):
        effect = Effect(EffectKind.NOTICE, Block(f"{number}").payload()).pack(None)
        await outside.calls.command("XADD", outbox, "*", "c", conversation.encode(), "e", effect)

    worker = (await run(Feature("shop"))).worker
    assert worker is not None
    partitions = worker._delivery._partitions
    await wait_until(
        lambda: any(owed.full for owed in partitions.values()), description="it has stopped reading"
    )
    assert max(owed.held for owed in partitions.values()) == 20
    await outside.settled()

    assert api.chats[501].texts() == [str(number) for number in range(100)]


async def test_an_effect_that_cannot_be_read_holds_nobody_up_and_stays_owed(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a rolling update the newer version has written it, and will read it."""
    monkeypatch.setattr(delivery, "READ_COUNT", 1)
    outbox = outside.keys.outbox(outside.keys.partition_of(conversation))
    for unreadable in (pack({"kind": "telepathy"}), b"\xc1", pack([1])):
        await outside.calls.command("XADD", outbox, "*", "c", conversation.encode(), "e", unreadable)

    sender = (await run(Feature("shop"))).container.view_sender
    answer = await sender.send(conversation, View(content="shown"))

    assert answer.outcome is Outcome.DONE
    assert api.chats[501].texts() == ["shown"]
    assert await outside.calls.command("XLEN", outbox) == 3


async def test_an_effect_that_is_owed_for_a_day_is_given_up(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Counted as refused; what comes behind it is not held up for ever."""
    api.faults.add(FaultKind.SERVER_ERROR)
    old_ms = int((time.time() - GIVE_UP_AFTER.total_seconds() - 60) * 1000)
    effect = Effect(EffectKind.CALL, {"method": "SendMessage", "arguments": {"chat_id": 501, "text": "old"}})
    outbox = outside.keys.outbox(outside.keys.partition_of(conversation))
    await outside.calls.command(
        "XADD", outbox, f"{old_ms}-0", "c", conversation.encode(), "e", effect.pack(None)
    )
    sender = (await run(Feature("shop"))).container.view_sender

    await sender.send(conversation, View(content="new"))
    await outside.settled()

    assert api.chats[501].texts() == ["new"]
    assert (await Tally(outside.calls, outside.keys).totals())[Tallied.REFUSED] == 1
