"""Scenes: entered whole or not at all, the same from the chat, from an event and from outside."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiogram.filters import Command
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message

from gateway import Director, Feature, Gateway, Guard, Orchestrator, View
from gateway.demo.bot_api import BotApi
from gateway.errors import PayloadNotKept, RedirectLoop, UnknownScene
from gateway.runtime import Runtime
from routers.event import OtherEvent
from state import BaseStateManager
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run


class Hotel(StatesGroup):
    """Where a guest can be."""

    lobby = State()
    room = State()


class _Scene(Orchestrator):
    """Shows its name and its payload; does what *entry* says first."""

    def __init__(self, name: str, state: State | None = None, *, guards: tuple[Guard, ...] = ()) -> None:
        super().__init__(state)
        self._name = name
        self.guards = guards  # type: ignore[misc]  # each of these tests' scenes has its own

    async def render_content(self, payload: Any, director: Director) -> str:
        return f"{self._name} {payload}"


class Broken(Exception):
    """What an entry of these tests raises."""


class _BrokenScene(_Scene):
    """Writes, shows, and then fails."""

    async def handle_entry(self, director: Director, payload: Any) -> View:
        await BaseStateManager(director.state, "room").update(key=1)
        director.notice("half a notice")
        director.after("room.late", minutes=5)
        director.expect(payment="room")
        raise Broken


class _SendsOn(_Scene):
    """Sends whoever enters on to another scene."""

    def __init__(self, target: str) -> None:
        super().__init__(f"to {target}")
        self._target = target

    async def handle_entry(self, director: Director, payload: Any) -> Mapping[str, Any]:
        return {"meta": {"__next_scene__": self._target}, "payload": payload}


class _Never(Guard):
    """Lets nobody in."""

    async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> bool:
        return False


class _AsksToPay(Guard):
    """Shows something else instead."""

    async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> View:
        return View(content="pay first")


def hotel(**scenes: Orchestrator) -> list[Feature]:
    """A feature for each scene."""
    return [Feature(name, scene=scene) for name, scene in scenes.items()]


@pytest.fixture
async def runtime(run: Run) -> Runtime:
    """A hotel with a lobby, a room, a broken door, a closed one and a carousel."""
    return await run(
        Gateway(
            *hotel(
                lobby=_Scene("lobby", Hotel.lobby),
                room=_Scene("room", Hotel.room),
                broken=_BrokenScene("broken", Hotel.room),
                closed=_Scene("closed", Hotel.room, guards=(_Never(),)),
                priced=_Scene("priced", Hotel.room, guards=(_AsksToPay(),)),
                onward=_SendsOn("room"),
                left=_SendsOn("right"),
                right=_SendsOn("left"),
            )
        )
    )


async def test_a_scene_is_the_same_from_chat_from_an_event_and_from_outside(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """State and view of one scene, three ways in."""
    feature = Feature("room", scene=_Scene("room", Hotel.room))

    @feature.chat.message(Command("room"))
    async def chat(message: Message, director: Director) -> View | None:
        return await director.set_scene("room", "by chat")

    @feature.on("room.ready")
    async def event(event: OtherEvent, director: Director) -> View | None:
        return await director.set_scene("room", "by event")

    runtime = await run(feature)
    seen = []
    for way in ("chat", "event", "outside"):
        if way == "chat":
            await outside.update(api.updates.message(501, "/room"))
        elif way == "event":
            await outside.send("room.ready", to=conversation)
        else:
            async with runtime.container.conversation(runtime.container.bot, 501) as director:
                view = await director.set_scene("room", "by outside")
                assert view is not None
                director.show(view)
        await outside.settled()
        state = await runtime.container.storage.get_state(conversation.storage_key())
        seen.append((state, api.chats[501].texts()))

    assert seen == [
        ("Hotel:room", ["room by chat"]),
        ("Hotel:room", ["room by event"]),
        ("Hotel:room", ["room by outside"]),
    ]


async def test_d11_a_failed_entry_changes_nothing(
    runtime: Runtime, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot sets the state first: a scene that raises leaves the user in it, with the old screen."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        await director.set_scene("lobby")
        await BaseStateManager(director.state, "lobby").update(seen=True)
        with pytest.raises(Broken):
            await director.set_scene("broken")
        director.show(View(content="that did not work"))
    await outside.settled()

    key = conversation.storage_key()
    assert await container.storage.get_state(key) == "Hotel:lobby"
    assert await container.storage.get_data(key) == {"draft:lobby": {"seen": True}}
    assert api.chats[501].texts() == ["that did not work"]
    assert await outside.scripts.calls.command("EXISTS", outside.keys.timers_of(conversation)) == 0


async def test_an_exception_in_an_outside_block_commits_nothing(
    runtime: Runtime, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """All of the block, or none of it."""
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


async def test_d12_a_guard_that_returns_false_blocks(runtime: Runtime, conversation: Conversation) -> None:
    """codex-bot's type allows False, and its code lets it pass."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        await director.set_scene("lobby")
        assert await director.set_scene("closed") is None
        assert [visit.feature for visit in director.history.visits()] == ["lobby"]

    assert await container.storage.get_state(conversation.storage_key()) == "Hotel:lobby"


async def test_a_guard_can_show_something_else(runtime: Runtime) -> None:
    """Its view comes back, and the state stays."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        await director.set_scene("lobby")
        assert await director.set_scene("priced") == View(content="pay first")
        assert await director.state.get_state() == "Hotel:lobby"


async def test_guards_of_the_gateway_of_a_feature_and_of_a_scene_are_asked_in_this_order(run: Run) -> None:
    """The first that refuses ends it."""
    asked = []

    class _Notes(Guard):
        def __init__(self, name: str, *, lets_in: bool = True) -> None:
            self._name, self._lets_in = name, lets_in

        async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> bool:
            asked.append(self._name)
            return self._lets_in

    scene = _Scene("room", guards=(_Notes("scene", lets_in=False), _Notes("never asked")))
    feature = Feature("room", scene=scene, guards=[_Notes("feature")])
    container = (await run(Gateway(feature, guards=[_Notes("gateway")]))).container
    async with container.conversation(container.bot, 501) as director:
        assert await director.set_scene("room") is None

    assert asked == ["gateway", "feature", "scene"]


async def test_d13_the_redirect_limit_is_for_a_chain_not_for_an_objects_life(runtime: Runtime) -> None:
    """codex-bot counts every set_scene: a Director in the background breaks at its sixth call."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        for number in range(20):
            assert await director.set_scene("room", number) == View(content=f"room {number}")


async def test_scenes_that_send_the_user_round_and_round_are_stopped(
    runtime: Runtime, conversation: Conversation
) -> None:
    """And nothing is left of the journey."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        await director.set_scene("lobby")
        with pytest.raises(RedirectLoop):
            await director.set_scene("left")
        assert [visit.feature for visit in director.history.visits()] == ["lobby"]
        assert await director.state.get_state() == "Hotel:lobby"


async def test_resolve_follows_an_envelope_and_returns_anything_else(runtime: Runtime) -> None:
    """`meta.__next_scene__` is the way on; without it the payload comes back."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        envelope = {"meta": {"__next_scene__": "room"}, "payload": 7}
        assert await director.resolve(envelope) == View(content="room 7")
        assert await director.resolve({"meta": {}, "payload": 8}) == 8
        assert await director.resolve({"plain": 9}) == {"plain": 9}
        assert await director.resolve("text") == "text"
        assert await director.set_scene("onward", 10) == View(content="room 10")
        with pytest.raises(UnknownScene):
            await director.set_scene("cellar")


async def test_back_returns_to_the_scene_before_with_its_payload(
    runtime: Runtime, conversation: Conversation
) -> None:
    """The history is the conversation's: another process, a day later, finds it."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        await director.set_scene("lobby", {"guest": "Ann"})
        await director.set_scene("room", 1)
        await director.set_scene("room", 2)
    async with container.conversation(container.bot, 501) as director:
        assert await director.back() == View(content="lobby {'guest': 'Ann'}")
        assert await director.state.get_state() == "Hotel:lobby"
        assert await director.back() is None

    assert await container.storage.get_data(conversation.storage_key()) == {}


async def test_back_to_a_scene_that_refuses_leaves_everything_as_it_was(run: Run) -> None:
    """The door behind the user has closed."""
    open_doors = {"lobby": True}

    class _Door(Guard):
        async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> bool:
            return open_doors["lobby"]

    lobby, room = _Scene("lobby", Hotel.lobby, guards=(_Door(),)), _Scene("room", Hotel.room)
    container = (await run(Gateway(*hotel(lobby=lobby, room=room)))).container
    async with container.conversation(container.bot, 501) as director:
        await director.set_scene("lobby")
        await director.set_scene("room")
        open_doors["lobby"] = False
        assert await director.back() is None
        assert await director.state.get_state() == "Hotel:room"
        open_doors["lobby"] = True
        assert await director.back() == View(content="lobby None")


async def test_the_history_is_bounded(runtime: Runtime) -> None:
    """In scenes and in bytes."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        for number in range(50):
            await director.set_scene(("lobby", "room")[number % 2], number)
        assert [visit.payload for visit in director.history.visits()] == list(range(30, 50))
        for number in range(4):
            await director.set_scene(("lobby", "room")[number % 2], "x" * 7000)
        assert len(director.history.visits()) == 2


async def test_a_payload_that_cannot_be_kept_is_named(runtime: Runtime) -> None:
    """Not lost in silence, to be missed when the user goes back."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        with pytest.raises(PayloadNotKept, match="room"):
            await director.set_scene("room", object())


async def test_d14_bot_topic_and_business_connection_are_carried_through(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """codex-bot's Director knows none of the three, so its views go to the wrong place."""
    feature, seen = Feature("room"), []

    @feature.chat.message()
    @feature.chat.business_message()
    async def chat(message: Message, director: Director) -> View:
        assert director.bot is not None
        seen.append((director.bot.id, director.thread_id, director.business_connection_id))
        return View(content=f"seen {message.text}")

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


async def test_d15_a_late_event_does_not_override_what_the_user_does(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """codex-bot has no expected state: a payment for the last screen throws the user out of this one."""
    feature = Feature("room", states=Hotel, scene=_Scene("room", Hotel.room))

    @feature.on("room.ready", state=Hotel.lobby)
    async def ready(event: OtherEvent, director: Director) -> View | None:
        return await director.set_scene("room")

    container = (await run(feature)).container
    await container.storage.set_state(conversation.storage_key(), "Other:thing")
    await outside.send("room.ready", to=conversation)
    await outside.settled()

    assert await container.storage.get_state(conversation.storage_key()) == "Other:thing"
    assert api.chats[501].texts() == []


async def test_a_topic_from_outside_is_the_conversation_of_the_chat_handlers(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """Under a strategy that does not tell topics apart, the view goes to the topic all the same."""
    feature = Feature("room")

    @feature.chat.message()
    async def chat(message: Message, director: Director) -> None:
        await director.state.update_data(seen=True)

    container = (await run(feature)).container
    await outside.update(api.updates.message(-1005, "hello", user_id=501, thread_id=77))
    async with container.conversation(container.bot, 501, chat_id=-1005, thread_id=77) as director:
        assert await director.state.get_data() == {"seen": True}
        director.show(View(content="to the topic"))
    await outside.settled()

    assert [call.parameters["message_thread_id"] for call in api.calls.of("sendMessage")] == ["77"]
