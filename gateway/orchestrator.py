"""A scene: what a feature shows, and the state in which it shows it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from aiogram.fsm.state import State

from gateway.views import Block, View

if TYPE_CHECKING:
    from gateway.director import Director


class Guard(ABC):
    """Decides who may enter a scene."""

    @abstractmethod
    async def check_access(
        self, director: "Director", orchestrator: "Orchestrator", payload: Any
    ) -> bool | View:
        """Return True to let pass, False to leave everything as it is, or the view to show instead."""


class Orchestrator(ABC):
    """
    Renders one feature's scene. It keeps nothing between calls: one object serves every conversation.

    Subclasses implement `render_content`. *expected_state* is the state that the scene leaves the
    conversation in, once it was entered without an error.
    """

    guards: ClassVar[Sequence[Guard]] = ()
    in_history: ClassVar[bool] = True
    """`Director.back` can return here; the payload is kept for that, so it must have a JSON form."""

    expected_state: State | str | None = None
    """Given to the object or, for every object of a class, as the class's own attribute."""

    def __init__(self, expected_state: State | str | None = None) -> None:
        if expected_state is not None:
            self.expected_state = expected_state

    @abstractmethod
    async def render_content(self, payload: Any, director: "Director") -> Block | str | View:
        """Return what the scene shows for *payload*."""

    async def render_menu(
        self,
        payload: Any,  # noqa: ARG002 - for subclasses
        director: "Director",  # noqa: ARG002 - for subclasses
    ) -> Block | str | None:
        """Return the menu block; None leaves the one on the screen."""
        return None

    async def handle_entry(self, director: "Director", payload: Any) -> View | Mapping[str, Any]:
        """
        Prepare the scene and return its view; override it to load or check something first.

        It runs in the scene's state. An exception undoes that and all that the entry has written. A mapping
        whose ``meta`` has ``__next_scene__`` sends the user on to that scene.
        """
        content = await self.render_content(payload, director)
        if isinstance(content, View):
            return content
        return View(content=content, menu=await self.render_menu(payload, director))
