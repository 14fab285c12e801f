"""Square's events: https://developer.squareup.com/docs/webhooks/v2webhook-events-tech-ref."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from routers.provider import Example


def _digest(example: Example, salt: str) -> str:
    return hashlib.sha256(f"{example.object_id or example.token}/{salt}".encode()).hexdigest()


def _rfc3339(example: Example) -> str:
    return example.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event(example: Example, own_type: str, status: str, subject: dict[str, Any]) -> bytes:
    event_id = example.event_id or str(UUID(_digest(example, f"{own_type}/{status}")[:32]))
    noun = own_type.partition(".")[0]
    return orjson.dumps(
        {
            "merchant_id": "6SSW7HV8K2ST5",
            "type": own_type,
            "event_id": event_id,
            "created_at": _rfc3339(example),
            "data": {"type": noun, "id": subject["id"], "object": {noun: subject}},
        }
    )


def _payment(own_type: str, status: str, *, refunded: bool = False) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        money = {"amount": example.amount_minor, "currency": example.currency}
        failed = status == "FAILED"
        subject = {
            "id": example.object_id or _digest(example, "payment")[:22],
            "status": status,
            "amount_money": money,
            "total_money": money,
            **({"refunded_money": money} if refunded else {}),
            "reference_id": example.token,
            "buyer_email_address": "guest@example.com",
            "source_type": "CARD",
            "card_details": {
                "status": "FAILED" if failed else "CAPTURED",
                "errors": [{"category": "PAYMENT_METHOD_ERROR", "code": "CARD_DECLINED"}] if failed else [],
            },
            "created_at": _rfc3339(example),
            "updated_at": _rfc3339(example),
            "version": 1,
        }
        return _event(example, own_type, status + ("/refunded" if refunded else ""), subject)

    return body


def _booking(own_type: str, status: str) -> Callable[[Example], bytes]:
    def body(example: Example) -> bytes:
        starts_at = example.at.astimezone(UTC) + timedelta(days=3)
        subject = {
            "id": example.object_id or _digest(example, "booking")[:14],
            "status": status,
            "version": 1,
            "start_at": starts_at.isoformat().replace("+00:00", "Z"),
            "customer_note": example.token,
            "customer_id": "K48SGF7H116G59WZJRMYJNJKA8",
            "appointment_segments": [{"duration_minutes": 60, "team_member_id": "TM1"}],
            "created_at": _rfc3339(example),
            "updated_at": _rfc3339(example),
        }
        return _event(example, own_type, status, subject)

    return body


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    "payment.created": _payment("payment.created", "APPROVED"),
    "payment.updated": _payment("payment.updated", "COMPLETED"),
    "payment.updated:pending": _payment("payment.updated", "PENDING"),
    "payment.updated:failed": _payment("payment.updated", "FAILED"),
    "payment.updated:canceled": _payment("payment.updated", "CANCELED"),
    "payment.updated:refunded": _payment("payment.updated", "COMPLETED", refunded=True),
    "booking.created": _booking("booking.created", "ACCEPTED"),
    "booking.created:pending": _booking("booking.created", "PENDING"),
    "booking.updated": _booking("booking.updated", "ACCEPTED"),
    "booking.updated:canceled": _booking("booking.updated", "CANCELLED_BY_CUSTOMER"),
    "booking.updated:declined": _booking("booking.updated", "DECLINED"),
    "booking.updated:no_show": _booking("booking.updated", "NO_SHOW"),
}
"""One body for each of Square's types and, after a colon, for the statuses that it carries."""
