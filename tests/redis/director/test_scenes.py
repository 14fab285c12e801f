"""Scenes: entered whole or not at all, the same in a chat handler, in an event's and from outside."""

import asyncio
from contextvars import Context

import pytest

from gateway import Director, Feature, View
from gateway.demo.bot_api import BotApi
from gateway.errors import ConversationChanged
from gateway.runtime import Runtime
from routers.event import OtherEvent
from state import BaseStateManager
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.redis.director.conftest import Enter
from tests.redis.director.hotel import Broken, Hotel, Scene


async def test_a_scene_is_entered_alike_behind_every_door(
    enter: Enter, runtime: Runtime, conversation: Conversation, api: BotApi
) -> None:
    """State, draft, screen and history of one entry."""

    async def deed(director: Director) -> View | None:
        await BaseStateManager(director.state, "guest").update(name="Ann")
        return await director.set_scene("room", 7)

    await enter(deed)

    storage, key = runtime.container.storage, conversation.storage_key()
    assert await storage.get_state(key) == "Hotel:room"
    assert await storage.get_data(key) == {"draft:guest": {"name": "Ann"}}
    assert api.chats[501].texts() == ["room 7"]
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        assert [(visit.feature, visit.payload) for visit in director.history.visits()] == [("room", 7)]


async def test_d11_a_failed_entry_changes_nothing(
    enter: Enter, runtime: Runtime, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot sets the state first: a scene that raises leaves the user in it, with the old screen."""

    async def deed(director: Director) -> View:
        await director.set_scene("lobby")
        await BaseStateManager(director.state, "lobby").update(seen=True)
        with pytest.raises(Broken):
            await director.set_scene("broken")
        return View(content="that did not work")

    await enter(deed)

    storage, key = runtime.container.storage, conversation.storage_key()
    assert await storage.get_state(key) == "Hotel:lobby"
    assert await storage.get_data(key) == {"draft:lobby": {"seen": True}}
    assert api.chats[501].texts() == ["that did not work"]
    assert await outside.calls.command("EXISTS", outside.keys.timers_of(conversation)) == 0


async def test_an_exception_in_an_outside_block_commits_nothing(
    runtime: Runtime, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """All of the block, or none of it. (That a failed handler leaves nothing is the worker's promise.)"""
    container = runtime.container

    async def block() -> None:
        async with container.conversation(container.bot, 501) as director:
            await director.set_scene("lobby")
            director.notice("never seen")
            raise Broken

    with pytest.raises(Broken):
        await block()
    await outside.settled()

    assert await container.storage.get_state(conversation.storage_key()) is None
    assert api.chats[501].texts() == []


async def test_d14_bot_topic_and_business_connection_are_carried_through(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """codex-bot's Director knows none of the three, so its views go to the wrong place."""
    feature, seen = Feature("room"), []

    @feature.chat.message()
    @feature.chat.business_message()
    async def chat(message: object, director: Director) -> View:
        assert director.bot is not None
        seen.append((director.bot.id, director.thread_id, director.business_connection_id))
        return View(content=f"seen {len(seen)}")

    await run(feature)
    topic = api.updates.message(-1005, "in a topic", user_id=501, thread_id=77)
    topic["message"]["is_topic_message"] = True
    await outside.update(topic)
    await outside.update(api.updates.message(501, "in business", business_connection_id="biz"))

    sent = [call.parameters for call in api.calls.of("sendMessage")]
    assert seen == [(42, 77, None), (42, None, "biz")]
    assert [(call["chat_id"], call.get("message_thread_id")) for call in sent] == [
        ("-1005", "77"),
        ("501", None),
    ]
    assert sent[1]["business_connection_id"] == "biz"


async def test_a_topic_from_outside_is_the_conversation_of_the_chat_handlers(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """Under a strategy that does not tell topics apart, the view goes to the topic all the same."""
    feature = Feature("room")

    @feature.chat.message()
    async def chat(message: object, director: Director) -> None:
        await director.state.update_data(seen=True)

    container = (await run(feature)).container
    await outside.update(api.updates.message(-1005, "hello", user_id=501, thread_id=77))
    async with container.conversation(container.bot, 501, chat_id=-1005, thread_id=77) as director:
        assert await director.state.get_data() == {"seen": True}
        director.show(View(content="to the topic"))
    await outside.settled()

    assert [call.parameters["message_thread_id"] for call in api.calls.of("sendMessage")] == ["77"]


async def test_d15_a_late_event_does_not_override_what_the_user_does(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot has no expected state: a payment for the last screen throws the user out of this one."""
    feature = Feature("room", states=Hotel, scene=Scene("room", Hotel.room))

    @feature.on("room.ready", state=Hotel.lobby)
    async def ready(event: OtherEvent, director: Director) -> View | None:
        return await director.set_scene("room")

    container = (await run(feature)).container
    await container.storage.set_state(conversation.storage_key(), "Other:thing")
    await outside.send("room.ready", to=conversation)
    await outside.settled()

    assert await container.storage.get_state(conversation.storage_key()) == "Other:thing"
    assert api.chats[501].texts() == []


async def test_a_block_that_has_read_what_somebody_then_changed_is_told_to_run_again(
    runtime: Runtime, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Nothing of it is in force: neither its scene nor its view."""
    container, key = runtime.container, conversation.storage_key()

    async def block() -> None:
        async with container.conversation(container.bot, 501) as director:
            assert await director.state.get_state() is None
            view = await director.set_scene("room")
            assert view is not None
            director.show(view)
            # In a context of its own: somebody else.
            somebody = container.storage.set_state(key, Hotel.lobby)
            await asyncio.create_task(somebody, context=Context())

    with pytest.raises(ConversationChanged):
        await block()
    await outside.settled()

    assert await container.storage.get_state(key) == "Hotel:lobby"
    assert api.chats[501].texts() == []
