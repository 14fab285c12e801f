"""How bodies that are events look: FastAPI does not describe bodies that it does not parse."""

import json
from typing import Any, Final

from routers.events.message import Message

_ENVELOPE: Final = {
    "meta": {
        "type": "shop.order",
        "user_id": 501,
        "bot": "main",
        "trace_id": "4bf92f3577b34da6",
        "occurred_at": "2026-11-24T07:00:00Z",
    },
    "payload": {"item": "tea"},
}
_CLOUD_EVENT: Final = {
    "specversion": "1.0",
    "id": "order-17",
    "source": "/orders",
    "type": "shop.order",
    "time": "2026-11-24T07:00:00Z",
    "userid": "501",
    "bot": "main",
    "data": {"item": "tea"},
}
_TWO: Final = (
    {"meta": {"type": "shop.order", "user_id": 501, "id": "order-18"}, "payload": {"item": "tea"}},
    {**_CLOUD_EVENT, "id": "order-19"},
)
CLOUD_EVENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "CloudEvents 1.0 in structured mode; whom it is for stands in extension attributes.",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 100},
        "source": {"type": "string", "minLength": 1, "maxLength": 100},
        "type": {"type": "string", "minLength": 1, "maxLength": 200},
        "time": {"type": "string", "format": "date-time"},
        "userid": {"type": "string", "pattern": "^[1-9][0-9]{0,14}$"},
        "bot": {"type": "string"},
        "chatid": {"type": "string"},
        "threadid": {"type": "string"},
        "businessid": {"type": "string"},
        "token": {"type": "string"},
        "nextscene": {"type": "string"},
        "objectid": {"type": "string"},
        "traceid": {"type": "string"},
        "data": {"type": "object"},
    },
    "additionalProperties": True,
}
#: Schemas that the bodies refer to, by name.
SCHEMAS: Final[dict[str, Any]] = {"CloudEvent": CLOUD_EVENT_SCHEMA}
ENVELOPE_SCHEMA: Final[dict[str, Any]] = Message.model_json_schema(
    by_alias=True, ref_template="#/components/schemas/{model}"
)
EVENT_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Message"},
            "examples": {"envelope": {"value": _ENVELOPE}},
        },
        "application/cloudevents+json": {
            "schema": {"$ref": "#/components/schemas/CloudEvent"},
            "examples": {"structured": {"value": _CLOUD_EVENT}},
        },
    },
}
BATCH_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "One event a line, as JSON"},
            "examples": {"two": {"value": "".join(json.dumps(each) + "\n" for each in _TWO)}},
        }
    },
}


def schemas() -> dict[str, Any]:
    """Return the schemas that are not FastAPI's, by name."""
    envelope = dict(ENVELOPE_SCHEMA)
    inner = envelope.pop("$defs", {})
    return {"Message": envelope, **inner, **SCHEMAS}
