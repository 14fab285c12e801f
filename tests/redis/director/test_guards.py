"""Guards: who may enter a scene."""

from typing import Any

from gateway import Director, Feature, Gateway, Guard, Orchestrator, View
from gateway.demo.bot_api import BotApi
from gateway.runtime import Runtime
from state.conversation import Conversation
from tests.redis.conftest import Run
from tests.redis.director.conftest import Enter
from tests.redis.director.hotel import Hotel, Scene, features


async def test_d12_a_guard_that_returns_false_blocks(
    enter: Enter, runtime: Runtime, conversation: Conversation
) -> None:
    """codex-bot's type allows False, and its code lets it pass."""

    async def deed(director: Director) -> None:
        await director.set_scene("lobby")
        assert await director.set_scene("closed") is None
        assert [visit.feature for visit in director.history.visits()] == ["lobby"]

    await enter(deed)

    assert await runtime.container.storage.get_state(conversation.storage_key()) == "Hotel:lobby"


async def test_a_guard_can_show_something_else(
    enter: Enter, runtime: Runtime, conversation: Conversation, api: BotApi
) -> None:
    """Its view is shown, and the state stays."""

    async def deed(director: Director) -> View | None:
        await director.set_scene("lobby")
        return await director.set_scene("priced")

    await enter(deed)

    assert await runtime.container.storage.get_state(conversation.storage_key()) == "Hotel:lobby"
    assert api.chats[501].texts() == ["pay first"]


async def test_guards_of_the_gateway_of_a_feature_and_of_a_scene_are_asked_in_this_order(run: Run) -> None:
    """The first that refuses ends it."""
    asked = []

    class _Notes(Guard):
        def __init__(self, name: str, *, lets_in: bool = True) -> None:
            self._name, self._lets_in = name, lets_in

        async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> bool:
            asked.append(self._name)
            return self._lets_in

    scene = Scene("room", guards=(_Notes("scene", lets_in=False), _Notes("never asked")))
    feature = Feature("room", scene=scene, guards=[_Notes("feature")])
    container = (await run(Gateway(feature, guards=[_Notes("gateway")]))).container
    async with container.conversation(container.bot, 501) as director:
        assert await director.set_scene("room") is None

    assert asked == ["gateway", "feature", "scene"]


async def test_what_a_guard_that_refuses_has_written_stays_with_the_event(
    run: Run, conversation: Conversation
) -> None:
    """It may count how often it was asked: a refusal is no failure."""

    class _Counts(Guard):
        async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> bool:
            await director.state.update_data(asked=True)
            return False

    container = (await run(Gateway(*features(room=Scene("room", guards=(_Counts(),)))))).container
    async with container.conversation(container.bot, 501) as director:
        assert await director.set_scene("room") is None

    assert await container.storage.get_data(conversation.storage_key()) == {"asked": True}


async def test_back_to_a_scene_that_refuses_leaves_everything_as_it_was(run: Run) -> None:
    """The door behind the user has closed."""
    open_doors = {"lobby": True}

    class _Door(Guard):
        async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> bool:
            return open_doors["lobby"]

    lobby, room = Scene("lobby", Hotel.lobby, guards=(_Door(),)), Scene("room", Hotel.room)
    container = (await run(Gateway(*features(lobby=lobby, room=room)))).container
    async with container.conversation(container.bot, 501) as director:
        await director.set_scene("lobby")
        await director.set_scene("room")
        open_doors["lobby"] = False
        assert await director.back() is None
        assert await director.state.get_state() == "Hotel:room"
        open_doors["lobby"] = True
        assert await director.back() == View(content="lobby None")
