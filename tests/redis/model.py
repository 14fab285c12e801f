"""A conversation in plain Python, and what its writers do to it: the rules, once more."""

import json
import reprlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from aiogram.fsm.context import FSMContext

from state import BaseStateManager
from state.errors import DraftInvalid
from state.fields import DRAFT


@dataclass(repr=False)
class Model:
    """State, data and drafts."""

    state: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    drafts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        """Return aiogram's one dictionary."""
        return self.data | {DRAFT + feature: draft for feature, draft in self.drafts.items()}

    def put(self, key: str, value: Any) -> None:
        """Set one key of the data; a draft among them is replaced whole."""
        feature = key.removeprefix(DRAFT) if key.startswith(DRAFT) else None
        self.data.pop(key, None)
        if feature is not None:
            self.drafts.pop(feature, None)
        if feature is not None and isinstance(value, dict) and value:
            self.drafts[feature] = dict(value)
        else:
            self.data[key] = value

    def put_in_draft(self, feature: str, items: Mapping[str, Any]) -> None:
        """Set fields of one draft."""
        if items:
            self.data.pop(DRAFT + feature, None)
            self.drafts.setdefault(feature, {}).update(items)

    def take_from_draft(self, feature: str, *names: str) -> None:
        """Remove fields of one draft."""
        left = {name: value for name, value in self.drafts.pop(feature, {}).items() if name not in names}
        if left:
            self.drafts[feature] = left

    def clear_draft(self, feature: str) -> None:
        """Remove one draft."""
        self.drafts.pop(feature, None)
        self.data.pop(DRAFT + feature, None)

    def same_as(self, other: "Model") -> bool:
        """Tell whether nobody could see a difference."""
        return self.state == other.state and written(self.view()) == written(other.view())


def written(value: Any) -> str:
    """Return what tells 1, 1.0 and True apart; the order of keys means nothing."""
    return json.dumps(value, sort_keys=True)


@dataclass(frozen=True, repr=False)
class Step:
    """One call: what it does to the model, and how it is made on the real thing."""

    name: str
    arguments: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"{self.name}{reprlib.repr(self.arguments)}"

    def on_model(self, model: Model) -> Any:
        """Do it to *model* and return what the real call must return."""
        result = _ON_MODEL[self.name](model, *deepcopy(self.arguments))
        return deepcopy(result)

    async def on(self, context: FSMContext) -> Any:
        """Do it to the real conversation."""
        feature, *rest = self.arguments or ("",)
        if self.name.startswith("draft_"):
            manager = BaseStateManager(context, feature)
            try:
                return await _draft_step(manager, self.name, *deepcopy(rest))
            except DraftInvalid:
                return "refused"
        return await getattr(context, self.name)(*deepcopy(self.arguments))


async def _draft_step(manager: BaseStateManager, name: str, *rest: Any) -> Any:
    match name:
        case "draft_update":
            return await manager.update(**rest[0])
        case "draft_delete":
            return await manager.delete(*rest[0])
        case _:
            return await getattr(manager, name.removeprefix("draft_"))(*rest)


def _set_state(model: Model, state: str | None) -> None:
    model.state = state


def _set_data(model: Model, data: Mapping[str, Any]) -> None:
    model.data, model.drafts = {}, {}
    _update_data(model, data)


def _update_data(model: Model, data: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in data.items():
        model.put(key, value)
    return model.view()


def _clear(model: Model) -> None:
    model.state = None
    _set_data(model, {})


def _draft_update(model: Model, feature: str, items: Mapping[str, Any]) -> dict[str, Any]:
    model.put_in_draft(feature, items)
    return model.drafts.get(feature, {})


def _draft_set_value(model: Model, feature: str, name: str, value: Any) -> None:
    model.put_in_draft(feature, {name: value})


def _draft_delete(model: Model, feature: str, names: list[str]) -> None:
    model.take_from_draft(feature, *names)


def _draft_increment(model: Model, feature: str, name: str, by: int) -> Any:
    value = model.drafts.get(feature, {}).get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        return "refused"
    model.put_in_draft(feature, {name: (value or 0) + by})
    return (value or 0) + by


def _draft_append(model: Model, feature: str, name: str, item: Any) -> Any:
    value = model.drafts.get(feature, {}).get(name)
    if value is not None and not isinstance(value, list):
        return "refused"
    model.put_in_draft(feature, {name: [*(value or []), item]})
    return [*(value or []), item]


def _draft_compare_and_set(model: Model, feature: str, name: str, expected: Any, value: Any) -> bool:
    if model.drafts.get(feature, {}).get(name) != expected:
        return False
    model.put_in_draft(feature, {name: value})
    return True


_ON_MODEL: Mapping[str, Callable[..., Any]] = {
    "set_state": _set_state,
    "get_state": lambda model: model.state,
    "set_data": _set_data,
    "get_data": lambda model: model.view(),
    "update_data": _update_data,
    "get_value": lambda model, key, default: model.view().get(key, default),
    "clear": _clear,
    "draft_update": _draft_update,
    "draft_set_value": _draft_set_value,
    "draft_delete": _draft_delete,
    "draft_clear": Model.clear_draft,
    "draft_get_payload": lambda model, feature: model.drafts.get(feature, {}),
    "draft_get_value": lambda model, feature, name, default: model.drafts.get(feature, {}).get(name, default),
    "draft_increment": _draft_increment,
    "draft_append": _draft_append,
    "draft_compare_and_set": _draft_compare_and_set,
}
