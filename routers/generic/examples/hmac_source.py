"""Example bodies for a sender that is only described: each described place gets a value that fits it."""

from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from routers.generic.hmac_options import HmacOptions, MappedEvent
from routers.generic.selection import PLAIN_PATH
from routers.payments.currency import literal
from routers.provider import Example

#: A made-up shop, as `gateway.toml` would describe it.
OPTIONS: Final[Mapping[str, Any]] = {
    "provider": "shop",
    "signature": {
        "header": "X-Shop-Signature",
        "pairs": {"separator": ",", "timestamp": "t", "signature": "v1"},
        "signed": "{timestamp}.{body}",
        "tolerance_seconds": 300,
    },
    "read": {
        "id": "id",
        "type": "type",
        "object": "data.order",
        "token": ["data.reference", "data.metadata.token"],
        "time": "created",
        "amount": "data.total",
        "currency": "data.currency",
        "unit": "major",
        "customer": {"email": "data.buyer.email"},
    },
    "events": {
        "order.paid": "payment.succeeded",
        "order.failed": {"event": "payment.failed", "reason": "data.why"},
        "visit.booked": {
            "event": "booking.created",
            "title": "data.title",
            "starts_at": "data.from",
            "ends_at": "data.until",
        },
    },
}

_CUSTOMER: Final = {
    "name": "Ada Guest",
    "email": "guest@example.com",
    "phone": "+4930123456",
    "locale": "en",
    "timezone": "Europe/Berlin",
}


def examples_of(options: HmacOptions) -> Mapping[str, Callable[[Example], bytes]]:
    """One body for each type that *options* give a word of ours; none where the type is told in a header."""
    if options.read.type is None:
        return {}
    return {own_type: _example(options, own_type, mapped) for own_type, mapped in options.events.items()}


def _example(options: HmacOptions, own_type: str, mapped: MappedEvent) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        members: dict[str, Any] = {}
        for path, value in _values(options, own_type, mapped, example).items():
            _put(members, path, value)
        return orjson.dumps(members) if options.read.format == "json" else urlencode(members).encode()

    return body


def _values(
    options: HmacOptions, own_type: str, mapped: MappedEvent, example: Example
) -> Mapping[str | None, str]:
    read = options.read
    minor = (mapped.unit or read.unit) == "minor"
    amount = str(example.amount_minor) if minor else literal(example.amount_minor, example.currency)
    subject = example.object_id or f"object-{example.token}"
    return {
        **{path: _CUSTOMER[name] for name, path in read.customer.items()},
        **{path: _field(name, example) for name, path in (mapped.__pydantic_extra__ or {}).items()},
        mapped.amount or read.amount: amount,
        mapped.currency or read.currency: example.currency,
        read.time: str(int(example.at.timestamp())),
        read.object: subject,
        **dict.fromkeys(read.token[:1], example.token),
        read.id: example.event_id or f"{own_type}/{subject}",
        read.type: own_type,
    }


def _field(name: str, example: Example) -> str:
    begins = example.at.astimezone(UTC) + timedelta(days=3)
    times = {"starts_at": begins, "ends_at": begins + timedelta(hours=1)}
    return times[name].isoformat() if name in times else f"an example of {name}"


def _put(members: dict[str, Any], path: str | None, value: str) -> None:
    # Where a value belongs in another expression is left to whoever reads it.
    if path is None or PLAIN_PATH.fullmatch(path) is None:
        return
    *outer, last = path.split(".")
    for step in outer:
        inner = members.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        members = inner
    members[last] = value
