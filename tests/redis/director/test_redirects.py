"""Where scenes send the user on to, and the way back."""

import pytest

from gateway import Director, Gateway, View
from gateway.demo.bot_api import BotApi
from gateway.errors import PayloadNotKept, RedirectLoop, UnknownScene
from gateway.runtime import Runtime
from state.conversation import Conversation
from tests.redis.conftest import Run
from tests.redis.director.conftest import Doors, Enter
from tests.redis.director.hotel import Hotel, Scene, features


async def test_d13_the_redirect_limit_is_for_a_chain_not_for_an_objects_life(runtime: Runtime) -> None:
    """codex-bot counts every set_scene: a Director in the background breaks at its sixth call."""
    container = runtime.container
    async with container.conversation(container.bot, 501) as director:
        for number in range(20):
            assert await director.set_scene("room", number) == View(content=f"room {number}")


async def test_five_redirects_are_followed_and_a_ring_is_stopped(
    enter: Enter, runtime: Runtime, conversation: Conversation
) -> None:
    """And nothing is left of the journey that led nowhere."""

    async def deed(director: Director) -> None:
        assert await director.set_scene("door1", 1) == View(content="room 1")
        await director.set_scene("lobby")
        with pytest.raises(RedirectLoop):
            await director.set_scene("left")
        assert director.history.visits()[-1].feature == "lobby"

    await enter(deed)

    assert await runtime.container.storage.get_state(conversation.storage_key()) == "Hotel:lobby"


async def test_an_envelope_is_followed_and_anything_else_returned(runtime: Runtime) -> None:
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


@pytest.mark.parametrize("door", ["chat", "event"])
async def test_a_handler_may_return_the_envelope_itself(
    runtime: Runtime, doors: Doors, door: str, conversation: Conversation, api: BotApi
) -> None:
    """As codex-bot's services do: it is followed as if `resolve` had been called."""

    async def deed(director: Director) -> object:
        return {"meta": {"__next_scene__": "room"}, "payload": 7}

    await doors.enter(door, runtime, deed)

    assert await runtime.container.storage.get_state(conversation.storage_key()) == "Hotel:room"
    assert api.chats[501].texts() == ["room 7"]


async def test_back_returns_to_the_scene_before_with_its_payload(
    enter: Enter, runtime: Runtime, conversation: Conversation, api: BotApi
) -> None:
    """The history is the conversation's: another process, a day later, finds it."""

    async def wander(director: Director) -> None:
        await director.set_scene("lobby", {"guest": "Ann"})
        await director.set_scene("room", 1)
        await director.set_scene("room", 2)

    async def back(director: Director) -> View | None:
        view = await director.back()
        assert await director.back() is None
        return view

    await enter(wander)
    await enter(back)

    storage, key = runtime.container.storage, conversation.storage_key()
    assert (await storage.get_state(key), await storage.get_data(key)) == ("Hotel:lobby", {})
    assert api.chats[501].texts() == ["lobby {'guest': 'Ann'}"]


async def test_a_scene_that_is_not_to_be_come_back_to_is_passed_by(run: Run) -> None:
    """A spinner, say: the way back leads to the scene before it, and its payload need not be kept."""

    class _Spinner(Scene):
        in_history = False

    rooms = features(
        lobby=Scene("lobby", Hotel.lobby), spinner=_Spinner("spinner"), room=Scene("room", Hotel.room)
    )
    container = (await run(Gateway(*rooms))).container
    async with container.conversation(container.bot, 501) as director:
        await director.set_scene("lobby", 1)
        await director.set_scene("spinner", object())
        assert await director.back() == View(content="lobby 1")
        await director.set_scene("spinner", object())
        await director.set_scene("room", 2)
        assert await director.back() == View(content="lobby 1")


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
