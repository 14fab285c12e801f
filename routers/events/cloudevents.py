"""
CloudEvents 1.0, structured and binary, as messages of ours.

The attributes are the specification's; whom the event is for stands in extension attributes, whose names
have letters and digits only: ``userid``, ``bot``, ``chatid``, ``threadid``, ``businessid``, ``token``,
``nextscene``, ``objectid``, ``traceid``.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from routers.events.message import Malformed, Message, read_message
from routers.exact_json import parse_exact
from routers.provider import idempotency_key

STRUCTURED: Final = "application/cloudevents+json"

#: Our member for each attribute. Attributes that are not here (dataschema, tracestate ...) tell us nothing.
_MEANING: Final = {
    "type": "type",
    "time": "occurred_at",
    "userid": "user_id",
    "bot": "bot",
    "chatid": "chat_id",
    "threadid": "thread_id",
    "businessid": "business_connection_id",
    "token": "token",
    "nextscene": "__next_scene__",
    "objectid": "object_id",
    "traceid": "trace_id",
    "traceparent": "trace_id",
}
_REQUIRED: Final = ("specversion", "id", "source", "type")


def is_structured(content_type: str) -> bool:
    """Tell whether a body of *content_type* is a whole CloudEvent."""
    return content_type.partition(";")[0].strip().lower() == STRUCTURED


def read_structured(raw: Any) -> Message:
    """
    Return the message that *raw*, one parsed CloudEvent, is.

    Raises:
        Malformed: an attribute is missing or the data is not a JSON object.
    """
    if not isinstance(raw, dict):
        raise Malformed.at("", "a CloudEvent is one JSON object")
    if "data_base64" in raw:
        raise Malformed.at("/data_base64", "send the data as a JSON object in data")
    return _message(raw, raw.get("data", {}))


def read_binary(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Message | None:
    """
    Return the message whose attributes stand in ``ce-`` headers, or None if there are none.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md

    Raises:
        Malformed: an attribute is missing, or the body is not a JSON object.
    """
    attributes = {
        name[3:].decode("latin-1").lower(): value.decode("latin-1")
        for name, value in headers
        if name.lower().startswith(b"ce-")
    }
    if "specversion" not in attributes:
        return None
    try:
        data = parse_exact(body) if body else {}
    except ValueError:
        raise Malformed.at("", "the data is not JSON") from None
    return _message(attributes, data)


def _message(attributes: Mapping[str, Any], data: Any) -> Message:
    for name in _REQUIRED:
        if not isinstance(attributes.get(name), str) or not attributes[name]:
            raise Malformed.at(f"/{name}", "a CloudEvent has this attribute, as text")
    if attributes["specversion"] != "1.0":
        raise Malformed.at("/specversion", "must be 1.0")
    meta = {member: attributes[name] for name, member in _MEANING.items() if attributes.get(name) is not None}
    # The pair is what the specification calls unique.
    meta["id"] = idempotency_key(attributes["source"], attributes["id"])
    if not isinstance(data, dict):
        raise Malformed.at("/data", "must be a JSON object")
    return read_message({"meta": meta, "payload": data})
