"""A hotel of scenes: a lobby, a room, a broken door, a closed one, and a carousel."""

from collections.abc import Mapping
from typing import Any

from aiogram.fsm.state import State, StatesGroup

from gateway import Director, Feature, Guard, Orchestrator, View
from state import BaseStateManager


class Hotel(StatesGroup):
    """Where a guest can be."""

    lobby = State()
    room = State()


class Scene(Orchestrator):
    """Shows its name and its payload."""

    def __init__(self, name: str, state: State | None = None, *, guards: tuple[Guard, ...] = ()) -> None:
        super().__init__(state)
        self._name = name
        self.guards = guards  # type: ignore[misc]  # each of these tests' scenes has its own

    async def render_content(self, payload: Any, director: Director) -> str:
        """Return the name and the payload."""
        return f"{self._name} {payload}"


class Broken(Exception):
    """What an entry of these tests raises."""


class BrokenScene(Scene):
    """Writes, shows, and then fails."""

    async def handle_entry(self, director: Director, payload: Any) -> View:
        """Stage a little of everything, and fail."""
        await BaseStateManager(director.state, "room").update(key=1)
        director.notice("half a notice")
        director.after("room.late", minutes=5)
        director.expect(payment="room")
        raise Broken


class SendsOn(Scene):
    """Sends whoever enters on to another scene."""

    def __init__(self, target: str) -> None:
        super().__init__(f"to {target}")
        self._target = target

    async def handle_entry(self, director: Director, payload: Any) -> Mapping[str, Any]:
        """Return the envelope that names the next scene."""
        return {"meta": {"__next_scene__": self._target}, "payload": payload}


class Never(Guard):
    """Lets nobody in."""

    async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> bool:
        """Refuse."""
        return False


class AsksToPay(Guard):
    """Shows something else instead."""

    async def check_access(self, director: Director, orchestrator: Orchestrator, payload: Any) -> View:
        """Show the till."""
        return View(content="pay first")


def features(**scenes: Orchestrator) -> list[Feature]:
    """A feature for each scene."""
    return [Feature(name, scene=scene) for name, scene in scenes.items()]


def hotel() -> list[Feature]:
    """All of it."""
    chain = {f"door{number}": SendsOn(f"door{number + 1}") for number in range(1, 5)}
    return features(
        lobby=Scene("lobby", Hotel.lobby),
        room=Scene("room", Hotel.room),
        broken=BrokenScene("broken", Hotel.room),
        closed=Scene("closed", Hotel.room, guards=(Never(),)),
        priced=Scene("priced", Hotel.room, guards=(AsksToPay(),)),
        onward=SendsOn("room"),
        left=SendsOn("right"),
        right=SendsOn("left"),
        **chain,
        door5=SendsOn("room"),
    )
