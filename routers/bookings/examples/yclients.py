"""YCLIENTS' calls: https://developers.yclients.com/ru/#tag/Webhooks."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import orjson

from routers.payments.examples.numbers import number_of
from routers.provider import Example
from routers.sent import Sent


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - nothing is signed
    """The call to the address that holds the secret."""
    return Sent(sent.body, (("Content-Type", "application/json"),), path_secret=secret.decode())


def _record(change: str, example: Example, attendance: int = 0) -> bytes:
    starts_at = example.at + timedelta(days=1)
    number = int(example.object_id or number_of(example))
    return orjson.dumps(
        {
            "company_id": 4564,
            "resource": "record",
            "resource_id": number,
            "status": change,
            "data": {
                "id": number,
                "company_id": 4564,
                "services": [{"id": 1, "title": "Haircut", "cost": 1500}],
                "client": {
                    "id": 2,
                    "name": "Ada Guest",
                    "phone": "+79990000001",
                    "email": "guest@example.com",
                },
                "datetime": starts_at.isoformat(timespec="seconds"),
                "seance_length": 3600,
                "attendance": attendance,
                "last_change_date": example.at.isoformat(timespec="seconds"),
                "api_id": example.token,
            },
        }
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "record.create": partial(_record, "create"),
    "record.update": partial(_record, "update"),
    "record.update:missed": partial(_record, "update", attendance=-1),
    "record.delete": partial(_record, "delete"),
}
"""One call for each change of a visit; the signer puts the secret into the address."""
