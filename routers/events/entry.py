"""One entry of a Redis stream as a message of ours: four shapes that services write."""

from collections.abc import Mapping
from typing import Any, Final

from routers.events.cloudevents import read_structured
from routers.events.message import Malformed, Message, Meta, read_message
from routers.exact_json import parse_exact

#: Flat fields that say whom an event is for; every other field belongs to the payload.
_META: Final = frozenset(field.alias or name for name, field in Meta.model_fields.items() if name != "id")
#: Fields under which services keep a whole event as JSON.
_WHOLE: Final = ("event", "message", "body", "data", "payload")


def read_entry(fields: Mapping[bytes, bytes]) -> Message:
    """
    Return the message that the stream entry *fields* holds.

    It is one of: ``type``, ``user_id`` and further flat fields, with ``payload`` or ``data`` as a JSON object
    or its members flat; ``meta`` and ``payload``, each as JSON; one field that holds any of these, or a
    CloudEvent, as JSON; a CloudEvent with its attributes as flat fields.

    Raises:
        Malformed: it is none of them.
    """
    try:
        flat = {name.decode(): value.decode() for name, value in fields.items()}
    except UnicodeDecodeError:
        raise Malformed.at("", "the fields are not UTF-8") from None
    if "meta" in flat:
        return read_message({name: _json(name, value) for name, value in flat.items()})
    if "specversion" in flat:
        data = _json("data", flat["data"]) if "data" in flat else {}
        return read_structured({**flat, "data": data})
    if "type" in flat:
        return _flat(flat)
    if len(flat) == 1 and (name := next(iter(flat))) in _WHOLE:
        return _whole(_json(name, flat[name]))
    raise Malformed.at("/type", "is missing")


def _whole(raw: Any) -> Message:
    if not isinstance(raw, dict):
        raise Malformed.at("", "an event is one JSON object")
    if "meta" in raw:
        return read_message(raw)
    return read_structured(raw) if "specversion" in raw else _flat(raw)


def _flat(fields: Mapping[str, Any]) -> Message:
    meta = {name: value for name, value in fields.items() if name in _META}
    rest = {name: value for name, value in fields.items() if name not in _META}
    payload: dict[str, Any] = {}
    for name in ("payload", "data"):
        held = rest.get(name)
        read = _json_or_text(held) if isinstance(held, str) else held
        if isinstance(read, dict):
            payload |= read
            del rest[name]
    return read_message({"meta": meta, "payload": rest | payload})


def _json(name: str, text: str) -> Any:
    try:
        return parse_exact(text)
    except ValueError:
        raise Malformed.at(f"/{name}", "is not JSON") from None


def _json_or_text(text: str) -> Any:
    try:
        return parse_exact(text)
    except ValueError:
        return text
