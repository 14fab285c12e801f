"""A Redis that has lost its newest entries and whose clock is behind gives ids that were passed already."""

from redis.asyncio import Redis

from gateway import Feature, View
from gateway.demo.bot_api import BotApi
from gateway.demo.bot_api.faults import FaultKind
from gateway.inbox_reader import LOOK_EVERY
from routers.event import OtherEvent
from state.conversation import Conversation
from state.envelope import Envelope
from state.outbox import Effect, EffectKind
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until

#: Long before anything that this worker has read.
LAGGING_ID = "5-1"


def _said(text: str) -> Effect:
    return Effect(EffectKind.CALL, {"method": "SendMessage", "arguments": {"chat_id": 501, "text": text}})


async def test_after_a_new_connection_nothing_is_passed_over_that_has_an_older_id(
    run: Run, outside: Outside, conversation: Conversation, redis: Redis, api: BotApi
) -> None:
    """What a successor with a clock behind accepts is handled, what it owes is sent; nothing else again."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: OtherEvent) -> View:
        runs.append(event.object_id)
        return View(content=event.object_id)

    await run(feature)
    partition = outside.keys.partition_of(conversation)
    inbox, outbox = outside.keys.inbox(partition), outside.keys.outbox(partition)
    await outside.send("shop.step", to=conversation, object_id="before")
    await outside.settled()

    await redis.delete(inbox, outbox)
    event = OtherEvent(
        type="shop.step", provider="service", object_id="after", occurred_at="2026-01-01T00:00Z"
    )
    envelope = Envelope("service", "shop.step", "after", 0, b"{}", event.encode(), conversation)
    text = conversation.encode()
    await redis.xadd(inbox, {"e": envelope.pack(), "c": text, "x": ""}, id=LAGGING_ID)
    await redis.xadd(outbox, {"c": text, "e": _said("owed").pack(None)}, id=LAGGING_ID)
    await redis.client_kill_filter(_type="normal", skipme=True)

    await wait_until(lambda: "after" in runs, description="the event is handled")
    await outside.settled()
    assert runs == ["before", "after"]
    assert api.chats[501].texts().count("owed") == 1


async def test_after_a_new_connection_what_is_under_way_is_not_sent_again(
    run: Run, outside: Outside, conversation: Conversation, redis: Redis, api: BotApi
) -> None:
    """All is read again, and what was read before is known."""
    await run(Feature("shop"))
    outbox = outside.keys.outbox(outside.keys.partition_of(conversation))
    fault = FaultKind.LATE_ANSWER
    api.faults.add(fault, method="sendMessage", seconds=LOOK_EVERY.total_seconds() * 2.5)
    await redis.xadd(outbox, {"c": conversation.encode(), "e": _said("owed").pack(None)})
    await wait_until(lambda: "owed" in api.chats[501].texts(), description="it is being sent")

    await redis.client_kill_filter(_type="normal", skipme=True)
    await outside.settled()
    await outside.send("shop.step", to=conversation)
    await outside.settled()
    assert api.chats[501].texts() == ["owed"]
    assert len(api.calls.of(chat_id=501)) == 1
