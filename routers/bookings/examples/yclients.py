"""YCLIENTS' calls: https://developers.yclients.com/ru/#tag/Webhooks."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import orjson

from routers.payments.examples.numbers import number_of
from routers.provider import Example
from routers.sent import Sent


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - nothing is signed
    """The call to the address that holds the secret."""
    return Sent(sent.body, (("Content-Type", "application/json"),), path_secret=secret.decode())


def _visit(example: Example, attendance: int) -> dict[str, Any]:
    starts_at = example.at + timedelta(days=1)
    number = int(example.object_id or number_of(example))
    return {
        "id": number,
        "company_id": 4564,
        "services": [{"id": 1, "title": "Haircut", "cost": 1500}],
        "client": {"id": 2, "name": "Ada Guest", "phone": "+79990000001", "email": "guest@example.com"},
        "datetime": starts_at.isoformat(timespec="seconds"),
        "seance_length": 3600,
        "attendance": attendance,
        "last_change_date": example.at.isoformat(timespec="seconds"),
        "api_id": example.token,
    }


def _record(change: str, example: Example, attendance: int = 0) -> bytes:
    visit = _visit(example, attendance)
    told = {"company_id": 4564, "resource": "record", "resource_id": visit["id"], "status": change}
    return orjson.dumps({**told, "data": visit})


def _looked_up(example: Example, attendance: int = 0) -> bytes:
    return orjson.dumps({"success": True, "data": _visit(example, attendance), "meta": []})


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "record.create": partial(_record, "create"),
    "record.update": partial(_record, "update"),
    "record.update:missed": partial(_record, "update", attendance=-1),
    "record.delete": partial(_record, "delete"),
}
"""One call for each change of a visit; the signer puts the secret into the address."""

API_EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "record.create": _looked_up,
    "record.update": _looked_up,
    "record.update:missed": partial(_looked_up, attendance=-1),
}
"""What the API answers about the visits that still are."""
