"""Stripe's events, snapshot style: https://docs.stripe.com/api/events/object."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from routers.provider import Example

API_VERSION: Final = "2026-09-30.dahlia"


def _id(prefix: str, example: Example, salt: str = "") -> str:
    # The same token gives the same ids, so that the events of one checkout belong together.
    seed = f"{example.object_id or example.token}/{prefix}/{salt}".encode()
    return f"{prefix}_{hashlib.sha256(seed).hexdigest()[:24]}"


def _intent_id(example: Example) -> str:
    return example.object_id or _id("pi", example)


def _event(example: Example, event_type: str, subject: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "id": example.event_id or _id("evt", example, event_type),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(example.at.timestamp()),
            "data": {"object": subject},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
    )


def _session(example: Example, *, status: str, payment_status: str) -> dict[str, Any]:
    created = int(example.at.timestamp())
    session_id = _id("cs_test", example)
    return {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": example.amount_minor,
        "amount_total": example.amount_minor,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": "https://example.com/cancel",
        "client_reference_id": example.token,
        "created": created - 60,
        "currency": example.currency.lower(),
        "customer": None,
        "customer_details": {
            "address": {
                "city": None,
                "country": "DE",
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "email": "guest@example.com",
            "name": "Ada Guest",
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "expires_at": created + 86_340,
        "livemode": False,
        "locale": "en",
        "metadata": {"token": example.token},
        "mode": "payment",
        "payment_intent": None if status == "expired" else _intent_id(example),
        "payment_link": None,
        "payment_method_types": ["card"],
        "payment_status": payment_status,
        "status": status,
        "success_url": "https://example.com/success",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": None,
    }


def _intent(example: Example, *, status: str) -> dict[str, Any]:
    done = status == "succeeded"
    return {
        "id": _intent_id(example),
        "object": "payment_intent",
        "amount": example.amount_minor,
        "amount_capturable": example.amount_minor if status == "requires_capture" else 0,
        "amount_received": example.amount_minor if done else 0,
        "canceled_at": None,
        "cancellation_reason": "requested_by_customer" if status == "canceled" else None,
        "capture_method": "automatic",
        "client_secret": f"{_intent_id(example)}_secret_example",
        "confirmation_method": "automatic",
        "created": int(example.at.timestamp()) - 30,
        "currency": example.currency.lower(),
        "customer": None,
        "description": None,
        "last_payment_error": {
            "code": "card_declined",
            "decline_code": "generic_decline",
            "type": "card_error",
        }
        if status == "requires_payment_method"
        else None,
        "latest_charge": _id("ch", example),
        "livemode": False,
        "metadata": {"token": example.token},
        "next_action": None,
        "payment_method": _id("pm", example),
        "payment_method_types": ["card"],
        "receipt_email": "guest@example.com",
        "status": status,
    }


def _charge(example: Example, *, refunded_minor: int) -> dict[str, Any]:
    return {
        "id": _id("ch", example),
        "object": "charge",
        "amount": example.amount_minor,
        "amount_captured": example.amount_minor,
        "amount_refunded": refunded_minor,
        "billing_details": {"email": "guest@example.com", "name": "Ada Guest", "phone": None},
        "captured": True,
        "created": int(example.at.timestamp()) - 30,
        "currency": example.currency.lower(),
        "disputed": False,
        "livemode": False,
        "metadata": {"token": example.token},
        "paid": True,
        "payment_intent": _intent_id(example),
        "refunded": refunded_minor == example.amount_minor,
        "status": "succeeded",
    }


def _dispute(example: Example) -> dict[str, Any]:
    return {
        "id": _id("dp", example),
        "object": "dispute",
        "amount": example.amount_minor,
        "charge": _id("ch", example),
        "created": int(example.at.timestamp()),
        "currency": example.currency.lower(),
        "livemode": False,
        "metadata": {},
        "payment_intent": _intent_id(example),
        "reason": "fraudulent",
        "status": "needs_response",
    }


def _subscription(example: Example, *, status: str, **more: Any) -> dict[str, Any]:
    started = int(example.at.timestamp())
    return {
        "id": _id("sub", example),
        "object": "subscription",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "created": started,
        "currency": example.currency.lower(),
        "customer": _id("cus", example),
        "ended_at": None,
        "items": {"data": [{"id": _id("si", example), "current_period_end": started + 30 * 86_400}]},
        "livemode": False,
        "metadata": {"token": example.token},
        "status": status,
        **more,
    }


def _invoice(example: Example, *, paid: bool) -> dict[str, Any]:
    period = {"start": int(example.at.timestamp()), "end": int(example.at.timestamp()) + 30 * 86_400}
    details = {"subscription": _id("sub", example), "metadata": {"token": example.token}}
    return {
        "id": _id("in", example, str(period["start"])),
        "object": "invoice",
        "amount_due": example.amount_minor,
        "amount_paid": example.amount_minor if paid else 0,
        "billing_reason": "subscription_cycle",
        "created": period["start"],
        "currency": example.currency.lower(),
        "lines": {"data": [{"amount": example.amount_minor, "period": period}]},
        "livemode": False,
        "metadata": {},
        "parent": {"type": "subscription_details", "subscription_details": details},
        "status": "paid" if paid else "open",
    }


def _of_subscription(status: str, **more: Any) -> Callable[[Example], dict[str, Any]]:
    return lambda example: _subscription(example, status=status, **more)


def _of_session(status: str, payment_status: str) -> Callable[[Example], dict[str, Any]]:
    return lambda example: _session(example, status=status, payment_status=payment_status)


def _of_intent(status: str) -> Callable[[Example], dict[str, Any]]:
    return lambda example: _intent(example, status=status)


_SUBJECTS: Final[Mapping[str, Callable[[Example], dict[str, Any]]]] = {
    "checkout.session.completed": _of_session("complete", "paid"),
    "checkout.session.async_payment_succeeded": _of_session("complete", "paid"),
    "checkout.session.async_payment_failed": _of_session("complete", "unpaid"),
    "checkout.session.expired": _of_session("expired", "unpaid"),
    "payment_intent.processing": _of_intent("processing"),
    "payment_intent.amount_capturable_updated": _of_intent("requires_capture"),
    "payment_intent.succeeded": _of_intent("succeeded"),
    "payment_intent.payment_failed": _of_intent("requires_payment_method"),
    "payment_intent.canceled": _of_intent("canceled"),
    "charge.refunded": lambda example: _charge(example, refunded_minor=example.amount_minor),
    "charge.dispute.created": _dispute,
    "customer.subscription.created": _of_subscription("active"),
    "customer.subscription.updated": _of_subscription("active", cancel_at_period_end=True),
    "customer.subscription.paused": _of_subscription("paused"),
    "customer.subscription.resumed": _of_subscription("active"),
    "customer.subscription.deleted": _of_subscription("canceled"),
    "invoice.paid": lambda example: _invoice(example, paid=True),
    "invoice.payment_failed": lambda example: _invoice(example, paid=False),
}


def _example(event_type: str) -> Callable[[Example], bytes]:
    return lambda example: _event(example, event_type, _SUBJECTS[event_type](example))


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {name: _example(name) for name in _SUBJECTS}
"""One body for each of Stripe's own types that has a word of ours."""
