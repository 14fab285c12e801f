"""A pydantic model as the shape of one draft, checked field by field."""

from collections.abc import Mapping
from typing import Any, Generic, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined
from typing_extensions import TypeVar

DraftT = TypeVar("DraftT", bound=BaseModel, default=BaseModel)


class FieldInvalid(Exception):
    """A value is not what its field's type says."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


class AnyShape:
    """A draft that no model describes: everything is stored and read as it is."""

    def read(self, name: str, value: Any) -> Any:  # noqa: ARG002 - a model needs it
        """Return one stored value as a manager gives it out."""
        return value

    def dump(self, name: str, value: Any) -> Any:  # noqa: ARG002 - a model needs it
        """Return a value as it is to be stored."""
        return value

    def default(self, name: str, otherwise: Any = None) -> Any:  # noqa: ARG002 - a model needs it
        """Return what a field is that is not there."""
        return otherwise

    def read_all(self, stored: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:  # noqa: ARG002 - same
        """Return a whole draft."""
        return dict(stored)


class DraftSchema(AnyShape, Generic[DraftT]):
    """Turns stored JSON into a model's values, and back."""

    def __init__(self, model: type[DraftT]) -> None:
        self.model = model
        self._adapters: dict[str, TypeAdapter[Any]] = {
            name: TypeAdapter(info.rebuild_annotation()) for name, info in model.model_fields.items()
        }
        # A rule over several fields cannot judge one of them. In a model that has one, single fields are held
        # to their types alone, and every validator runs when the whole draft is read.
        alone = not model.__pydantic_decorators__.model_validators
        thawed = {"model_config": ConfigDict(frozen=False), "__module__": __name__}
        self._twin = cast("type[BaseModel]", type(model.__name__, (model,), thawed)) if alone else None

    def whole(self, stored: Mapping[str, Any]) -> DraftT:
        """
        Return the draft.

        Raises:
            FieldInvalid: naming the first field that does not fit or is missing.
        """
        try:
            return self.model.model_validate(dict(stored), by_alias=False, by_name=True)
        except ValidationError as error:
            raise _translated(error, "") from None

    def read(self, name: str, value: Any) -> Any:
        """
        Return one stored value as the model has it.

        Raises:
            FieldInvalid: it does not fit, or the model has no such field.
        """
        if name not in self._adapters:
            if self.model.model_config.get("extra") == "allow":
                return value
            raise FieldInvalid(name, f"{self.model.__name__} has no such field")
        try:
            if self._twin is None:
                return self._adapters[name].validate_python(value)
            checked = self._twin.__pydantic_validator__.validate_assignment(
                self._twin.model_construct(), name, value
            )
            return getattr(checked, name)
        except ValidationError as error:
            raise _translated(error, name) from None

    def dump(self, name: str, value: Any) -> Any:
        """
        Return a value as it is to be stored.

        Raises:
            FieldInvalid: it does not fit, or the model has no such field.
        """
        checked = self.read(name, value)
        adapter = self._adapters.get(name)
        return adapter.dump_python(checked, mode="json") if adapter else checked

    def default(self, name: str, otherwise: Any = None) -> Any:
        """Return the model's default of one field; *otherwise* if it has none."""
        info = self.model.model_fields.get(name)
        value = info.get_default(call_default_factory=True) if info and not info.is_required() else None
        return otherwise if info is None or info.is_required() or value is PydanticUndefined else value

    def read_all(self, stored: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
        """
        Return a whole draft: what is stored, the defaults of what is not, nothing that the model ignores.

        Raises:
            FieldInvalid: naming the first field that does not fit; unless *strict* is off, when it stays as
                it is stored.
        """
        fields = self.model.model_fields
        draft = {name: self.default(name) for name, info in fields.items() if not info.is_required()}
        ignores = self.model.model_config.get("extra", "ignore") == "ignore"
        known = {name: value for name, value in stored.items() if name in fields or not ignores}
        for name, value in known.items():
            try:
                draft[name] = self.read(name, value)
            except FieldInvalid:
                if strict:
                    raise
                draft[name] = value
        return draft


def _translated(error: ValidationError, name: str) -> FieldInvalid:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return FieldInvalid(name or ".".join(str(part) for part in first["loc"]) or "*", first["msg"])
