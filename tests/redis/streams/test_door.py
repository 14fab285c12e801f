"""The door for services that write to a Redis stream: what they write, and what becomes of it."""

from typing import Any

from redis.asyncio import Redis

from gateway import Feature, Gateway
from gateway.demo.bot_api import BotApi
from gateway.runtime import running
from gateway.settings import Settings
from gateway.settings.retries import OtherRetries, RetriesSettings
from routers.events.event import ServiceEvent
from routers.payments.events import PaymentSucceeded
from state.conversation import Conversation
from state.history import event_id
from state.standings import Outcomes, Standing
from tests.redis.conftest import Outside, Run
from tests.redis.streams.conftest import STREAM, Thanks, Write, finished, heard_all, shop
from tests.waiting import wait_until


async def test_an_entry_changes_state_and_screen_like_any_other_call(
    run: Run, write: Write, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """A handler gets the event and a live state, and cannot tell which door it came through."""
    heard: list[str] = []
    runtime = await run(shop(heard))

    await write(1)
    await heard_all(heard, ["1"])
    await outside.settled()

    assert await runtime.container.storage.get_data(conversation.storage_key()) == {"last": "1"}
    assert api.chats[501].texts() == ["Step 1"]


async def test_what_was_written_before_the_gateway_came_is_read(run: Run, write: Write) -> None:
    """The group begins with the oldest entry unless told otherwise."""
    heard: list[str] = []
    for number in (1, 2, 3):
        await write(number)

    await run(shop(heard))

    await heard_all(heard, ["1", "2", "3"])


async def test_an_entry_written_twice_under_one_id_happens_once(
    run: Run, write: Write, outside: Outside
) -> None:
    """The field that the settings name is the idempotency key."""
    heard: list[str] = []
    await run(shop(heard))

    await write(1, event_id="order-1")
    await write(1, event_id="order-1")
    await write(2, event_id="order-2")
    await heard_all(heard, ["1", "2"])
    await outside.settled()

    assert heard == ["1", "2"]


async def test_entries_of_one_user_keep_their_order(run: Run, write: Write) -> None:
    """A burst is read in batches, by two gateways of which one reads at a time."""
    heard: list[str] = []
    await run(shop(heard))
    await run(shop(heard))
    expected = [str(number) for number in range(150)]

    for number in expected:
        await write(int(number))

    # On a slow machine a lease may end in the middle of a handler, which then runs again.
    await wait_until(
        lambda: list(dict.fromkeys(heard)) == expected, description="all came in order", seconds=30
    )


async def test_an_unreadable_entry_becomes_a_dead_letter_and_stops_nobody(
    run: Run, write: Write, redis: Redis, outside: Outside
) -> None:
    """No group gets stuck on it; whoever wrote it can look at it, and no value of it is in the reason."""
    heard: list[str] = []
    await run(shop(heard))

    await redis.xadd(STREAM, {"type": "shop.step", "user_id": "nobody"})
    await redis.xadd(STREAM, {b"\xff": b"\xff"})
    await write(1)
    await heard_all(heard, ["1"])

    keys = outside.keys
    dead: list[Any] = [entry for number in range(64) for entry in await redis.xrange(keys.dead(number)) or ()]
    reasons = b"".join(fields[b"why"] for _, fields in dead)
    assert len(dead) == 2
    assert b"/meta/user_id" in reasons
    assert b"nobody" not in reasons
    await wait_until(lambda: finished(redis), description="nothing is left unfinished")


async def test_an_entry_of_a_type_that_nobody_handles_ends_by_name(
    run: Run, write: Write, outside: Outside, conversation: Conversation
) -> None:
    """A consumer that acknowledges and forgets what it does not know loses it without a trace."""
    heard: list[str] = []
    await run(shop(heard))

    await write(1, type="shop.unheard-of", event_id="strange")
    await write(2)
    await heard_all(heard, ["2"])
    await outside.settled()

    partition = outside.keys.partition_of(conversation)
    seen = await outside.calls.command("GET", outside.keys.seen(partition, f"stream:{STREAM}", "strange"))
    outcome = await Outcomes(outside.calls, outside.keys).of(event_id(partition, seen.decode()))
    assert outcome is not None
    assert outcome.standing is Standing.IGNORED
    assert outcome.reason == "no handler of shop.unheard-of"


async def test_an_entry_that_breaks_its_handler_is_tried_given_up_and_passed(
    settings: Settings, redis: Redis, redis_url: str, write: Write, outside: Outside
) -> None:
    """A consumer that claims a poison message again and again, with no count, does nothing else for ever."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.step")
    async def step(event: ServiceEvent) -> None:
        runs.append(str(event.payload["number"]))
        if event.payload["number"] == "1":
            raise ValueError("poison")

    quick = OtherRetries(attempts=3, first_seconds=0.01, longest_seconds=0.02)
    hasty = settings.model_copy(update={"retries": RetriesSettings(other=quick)})
    await write(1)
    await write(2)
    async with running(Gateway(feature), hasty, redis_url):
        await wait_until(lambda: "2" in runs, description="the next one ran")

        async def buried() -> bool:
            return bool([number for number in range(64) if await redis.xlen(outside.keys.dead(number))])

        await wait_until(buried, description="the poison is a dead letter")

    assert runs.count("1") == 3
    assert runs.count("2") == 1


async def test_a_scene_that_a_service_names_is_entered(
    run: Run, write: Write, redis: Redis, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """With no handler of the event, the scene is all that it asks for."""
    runtime = await run(Feature("thanks", scene=Thanks()))

    meta = f'{{"type":"shop.done","user_id":{conversation.user_id},"__next_scene__":"thanks"}}'
    await redis.xadd(STREAM, {"meta": meta, "payload": '{"name":"Ada"}'})
    await wait_until(lambda: api.chats[501].texts() == ["Thank you, Ada"], description="the scene is shown")
    assert await runtime.container.storage.get_state(conversation.storage_key()) == "Shop:thanked"


async def test_a_typed_event_is_the_same_through_this_door(
    run: Run, redis: Redis, outside: Outside, conversation: Conversation, write: Write
) -> None:
    """payment.succeeded is the model that every source's handler gets, money in whole minor units."""
    feature, paid = Feature("shop"), []

    @feature.on("payment.succeeded")
    async def succeeded(event: PaymentSucceeded) -> None:
        paid.append(event)

    await run(feature)
    fields: dict[Any, Any] = {
        "type": "payment.succeeded",
        "user_id": conversation.user_id,
        "payload": '{"amount_minor":4200,"currency":"EUR"}',
    }
    await redis.xadd(STREAM, fields)
    await wait_until(lambda: paid != [], description="the payment came")
    assert (paid[0].amount_minor, paid[0].provider) == (4200, f"stream:{STREAM}")
