"""A wrong configuration, told so that it can be mended: one line for each problem, never a secret."""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Location = tuple[str | int, ...]


class SettingsError(Exception):
    """The configuration cannot be used. A line of *problems* says the key, what is wrong and the remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def told_all(
    errors: Sequence[ErrorDetails],
    root: type[BaseModel],
    from_environment: Collection[str],
    prefix: Location = (),
) -> Iterator[str]:
    """A line for each of pydantic's errors in *root* at *prefix*, less those that follow from another."""
    places = [error["loc"] for error in errors]
    for error in errors:
        depth = len(error["loc"])
        # A list that is called empty because what is in it is wrong.
        if error["type"] == "too_short" and any(
            len(place) > depth and place[:depth] == error["loc"] for place in places
        ):
            continue
        yield told(error, root, from_environment, prefix)


def told(
    error: ErrorDetails,
    root: type[BaseModel],
    from_environment: Collection[str],
    prefix: Location = (),
) -> str:
    """One line for one of pydantic's errors in *root* at *prefix*. The value itself is never part of it."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    place = (*prefix, *path)
    if not place:
        # Where sections do not fit each other, the message itself says which.
        return _wrong(error, path, root, place)
    key = dotted(place)
    if variable_of(place) in from_environment:
        key += f" (from {variable_of(place)})"
    return f"{key}: {_wrong(error, path, root, place)}"


def dotted(path: Location) -> str:
    """`sources.stripe.secrets[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def variable_of(path: Location) -> str:
    """The variable of the environment that sets *path*."""
    return "GATEWAY_" + "__".join(str(part).upper() for part in path)


def nearest(name: str, valid: Collection[str]) -> str:
    """The remedy for a name that is not one of *valid*."""
    close = difflib.get_close_matches(name, valid, n=1)
    return f"did you mean {close[0]}?" if close else f"possible are {', '.join(sorted(valid))}"


#: pydantic's error types, in an operator's words; `{...}` is filled from the error's context.
_WORDS: Final[Mapping[str, str]] = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "string_type": "must be text in quotes",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "tuple_type": "must be a list, in brackets",
    "list_type": "must be a list, in brackets",
    "dict_type": "must be a table of its own",
    "model_type": "must be a table of its own",
    "model_attributes_type": "must be a table of its own",
    "url_parsing": "is not an address; give it as https://host/path",
    "url_scheme": "must begin with {expected_schemes}",
    "url_type": "is not an address; give it as https://host/path",
    "ip_any_network": "is not a network; give it as 10.0.0.0/8 or 2001:db8::/32",
    "timezone_aware": "needs its zone; write it as 2030-01-31T00:00:00Z",
    "string_pattern_mismatch": "must match {pattern}",
}


def _wrong(error: ErrorDetails, path: Location, root: type[BaseModel], place: Location) -> str:
    if error["type"] == "missing":
        return _missing(place)
    special = _SPECIAL.get(error["type"])
    if special is not None:
        return special(error, path, root)
    if error["type"] in _WORDS:
        return _WORDS[error["type"]].format(**error.get("ctx", {}))
    return error["msg"].removeprefix("Value error, ")


def _missing(path: Location) -> str:
    if path in {("telegram",), ("telegram", "bots")}:
        return _no_bot()
    if any(isinstance(part, int) for part in path):
        return "is missing; set it in gateway.toml"
    return f"is missing; set it in gateway.toml, or as {variable_of(path)}"


def _unknown(_error: ErrorDetails, path: Location, root: type[BaseModel]) -> str:
    return f"is not a setting; {nearest(str(path[-1]), tuple(_fields_at(path[:-1], root)))}"


def _too_short(_error: ErrorDetails, path: Location, _root: type[BaseModel]) -> str:
    if path == ("telegram", "bots"):
        return _no_bot()
    return "must not be empty; without a secret there is no endpoint"


def _no_bot() -> str:
    return "no bot is configured; add [telegram.bots.main] with token and secret_token"


def _bad_name(error: ErrorDetails, _path: Location, _root: type[BaseModel]) -> str:
    if error["loc"][-1] == "[key]":
        return "is not a name; use lower-case letters, digits and - inside"
    return _WORDS[error["type"]].format(**error.get("ctx", {}))


_SPECIAL: Final[Mapping[str, Callable[[ErrorDetails, Location, type[BaseModel]], str]]] = {
    "extra_forbidden": _unknown,
    "too_short": _too_short,
    "string_too_short": _too_short,
    "string_pattern_mismatch": _bad_name,
}


def _fields_at(path: Location, root: type[BaseModel]) -> Iterator[str]:
    """The settings that exist in the table at *path*."""
    model: Any = root
    for part in path:
        model = model.model_fields[part].annotation if _is_model(model) else _inside(model)
    yield from _first_model(model).model_fields


def _inside(annotation: Any) -> Any:
    """What a dict's values or a tuple's items are."""
    return next(part for part in reversed(get_args(annotation)) if part is not Ellipsis)


def _first_model(annotation: Any) -> type[BaseModel]:
    while not _is_model(annotation):
        annotation = get_args(annotation)[0]
    model: type[BaseModel] = annotation
    return model


def _is_model(annotation: Any) -> bool:
    return (
        get_origin(annotation) is None and isinstance(annotation, type) and issubclass(annotation, BaseModel)
    )
