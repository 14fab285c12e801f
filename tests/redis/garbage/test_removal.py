"""Taking garbage away: in batches, whatever Telegram answers, and nothing lost on the way."""

from datetime import timedelta

from gateway.demo.bot_api import BotApi, FaultKind
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.redis.garbage.conftest import Shop, leave, lying_there, shop, unremoved


def _batches(api: BotApi) -> list[int]:
    return [len(call.parameters["message_ids"]) for call in api.calls.of("deleteMessages")]


async def test_d9_two_hundred_and_fifty_messages_go_in_three_calls(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot makes one call for each."""
    await lying_there(await run(shop()), outside, api, 250)

    await leave(outside, conversation)

    assert (_batches(api), api.chats[501].texts()) == ([100, 100, 50], [])


async def test_a_429_between_batches_continues_where_it_stopped(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """What is gone is not deleted again; nothing is forgotten."""
    await lying_there(await run(shop()), outside, api, 150)
    api.faults.add(FaultKind.DELAY, method="deleteMessages", seconds=0)
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, method="deleteMessages", seconds=1)

    await leave(outside, conversation)

    assert (_batches(api), api.chats[501].texts()) == ([100, 50, 50], [])
    assert await unremoved(outside) == 0


async def test_messages_known_to_be_too_old_only_lose_their_buttons(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """They are not even tried: deleting them would refuse the young ones of their batch."""
    runtime = await run(shop())
    api.clock.advance(timedelta(hours=-49))
    old = await lying_there(runtime, outside, api, 2)
    api.clock.advance(timedelta(hours=49))
    young = await lying_there(runtime, outside, api, 3)

    await leave(outside, conversation)

    assert [call.parameters["message_ids"] for call in api.calls.of("deleteMessages")] == [young]
    assert list(api.chats[501].messages) == old
    assert [message.keyboard for message in api.chats[501].messages.values()] == [[], []]
    assert await unremoved(outside) == 2


async def test_what_the_user_has_deleted_is_done(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Neither an error, nor counted, nor tried again."""
    ids = await lying_there(await run(shop()), outside, api, 2)
    del api.chats[501].messages[ids[0]]

    await leave(outside, conversation)

    assert api.chats[501].texts() == []
    assert api.calls.counts() == {"deleteMessages": {"ok": 1}}
    assert await unremoved(outside) == 0


async def test_what_cannot_be_deleted_because_the_chat_is_closed_is_counted(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Message by message, as what is too old is."""
    await lying_there(await run(shop()), outside, api, 3)
    await outside.update(api.updates.blocked(501))

    await leave(outside, conversation)

    assert (len(api.chats[501].texts()), await unremoved(outside)) == (3, 3)


async def test_whoever_collects_next_finds_what_a_stopped_process_has_left(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The deletion is owed in Redis until Telegram has answered: another process pays it."""
    runtime = await run(shop())
    await lying_there(runtime, outside, api, 3)
    assert runtime.worker is not None
    await runtime.worker.stop(timedelta(seconds=5))
    await runtime.container.storage.set_state(conversation.storage_key(), Shop.done)
    assert len(api.chats[501].texts()) == 3

    await run(shop())
    await outside.settled()

    assert api.chats[501].texts() == []
