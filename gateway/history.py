"""The scenes that a conversation has been in, the latest last."""

from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from pydantic import BaseModel

from gateway.errors import PayloadNotKept
from state import values
from state.unit_of_work import UnitOfWork

#: Scenes that are kept.
LONGEST = 20
#: Their payloads together, as JSON; the oldest go first.
LARGEST_BYTES = 16_384
_FIELD = "h"


@dataclass(frozen=True, slots=True)
class Visit:
    """A scene, and what it was entered with."""

    feature: str
    payload: Any


_UNNAMED = Visit("", None)


class SceneHistory:
    """The scenes of one conversation, as its unit of work sees them."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    def visits(self) -> list[Visit]:
        """Return the scenes, the present one last."""
        return [Visit(feature, payload) for feature, payload in self._unit.own(_FIELD) or ()]

    def enter(self, feature: str, payload: Any) -> None:
        """
        Note that *feature*'s scene was entered; entering the present scene again replaces it.

        Raises:
            PayloadNotKept: *payload* has no JSON form.
        """
        visits = self._remembered()
        if visits and visits[-1].feature == feature:
            visits.pop()
        self._keep([*visits, Visit(feature, _plain(feature, payload))])

    def pass_through(self) -> None:
        """Note that the present scene is one that nobody comes back to."""
        self._keep([*self._remembered(), _UNNAMED])

    def previous(self) -> Visit | None:
        """Return the scene before the present one."""
        visits = self.visits()[:-1]
        return visits[-1] if visits else None

    def leave(self) -> None:
        """Forget the present scene."""
        self._keep(self.visits()[:-1])

    def _remembered(self) -> list[Visit]:
        return [visit for visit in self.visits() if visit != _UNNAMED]

    def _keep(self, visits: list[Visit]) -> None:
        kept: list[tuple[str, Any]] = []
        room = LARGEST_BYTES
        for visit in reversed(visits[-LONGEST:]):
            room -= len(values.dump(visit.payload))
            if kept and room < 0:
                break
            kept.append((visit.feature, visit.payload))
        self._unit.set_own(_FIELD, kept[::-1])


def _plain(feature: str, payload: Any) -> Any:
    if isinstance(payload, BaseModel):
        return payload.model_dump(mode="json")
    plain = asdict(payload) if is_dataclass(payload) and not isinstance(payload, type) else payload
    try:
        values.dump(plain)
    except TypeError as error:
        raise PayloadNotKept(feature, error) from error
    return plain
