"""Stripe: checkout sessions, payment intents, refunds, disputes, subscriptions."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentDisputed,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.payments.examples import stripe as examples
from routers.payments.stripe_money import money
from routers.payments.stripe_subscriptions import (
    SUBSCRIPTION_TRANSLATIONS,
    subscription_id,
    subscription_token,
)
from routers.payments.stripe_thin import StripeOptions, asking, inquiry, is_thin, related_id, snapshot_type
from routers.provider import Provider, Translation, idempotency_key
from routers.verification import HmacScheme, Pairs

KIND: Final = "stripe"

# https://docs.stripe.com/webhooks#verify-manually: any v1 counts (there are two while a secret is being
# rolled), and 300 s is the tolerance of Stripe's libraries. They look at the past only; we refuse future
# timestamps as well.
SIGNATURE: Final = HmacScheme(
    header="Stripe-Signature",
    form=Pairs(separator=",", timestamp="t", signature="v1"),
    signed="{timestamp}.{body}",
    tolerance=timedelta(seconds=300),
)


def translate(call: Call, now: datetime) -> Translation:
    """
    A Stripe event in our words.

    Its id is the idempotency key. Stripe can tell one fact in several events, though
    (https://docs.stripe.com/webhooks#handle-duplicate-events): a checkout session and its payment intent
    therefore share one object, the intent, and the rank lets only the first of them act.

    A thin event (https://docs.stripe.com/event-destinations#thin-payload) is told as the snapshot event of
    its type once its object has been looked up.
    """
    body = Document.from_json(call.body)
    event_id, event_type = body.text("id"), body.text("type")
    subject = _subject(body, call)
    untold = call.fetched is None and is_thin(body)
    translated = None if untold else TRANSLATIONS.get(snapshot_type(event_type))
    model, facts = (None, {}) if translated is None else translated(subject)
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": _object_id(subject, event_type) or related_id(body) or event_id,
        "occurred_at": body.find_time("created") or now,
        "test_mode": body.find("livemode") is False,
        "customer": _customer(subject),
    }
    event: Event = (
        OtherEvent(type=f"{KIND}.{event_type}", **common) if model is None else model(**{**common, **facts})
    )
    return Translation(idempotency_key(event_id), event, _token(subject))


def _subject(event: Document, call: Call) -> Document:
    if not is_thin(event):
        return event.find_object("data", "object")
    return Document({}) if call.fetched is None else Document.from_json(call.fetched)


Facts = tuple[type[Event] | None, dict[str, Any]]


def _step(model: type[PaymentEvent], amount_field: str) -> Callable[[Document], Facts]:
    return lambda subject: (model, money(subject, amount_field))


def _session_completed(subject: Document) -> Facts:
    # https://docs.stripe.com/checkout/fulfillment: completed is not paid; a delayed method pays later.
    if subject.find_integer("amount_total") is None:
        return None, {}  # a session of mode "setup" is about no money
    paid = subject.find_text("payment_status") == "paid"
    return PaymentSucceeded if paid else PaymentPending, money(subject, "amount_total")


def _session_expired(subject: Document) -> Facts:
    if subject.find_integer("amount_total") is None:
        return None, {}
    return PaymentCanceled, {**money(subject, "amount_total"), "reason": "expired"}


def _intent_failed(subject: Document) -> Facts:
    error = subject.find_object("last_payment_error")
    reason = error.find_text("decline_code") or error.find_text("code")
    return PaymentFailed, {**money(subject, "amount"), "reason": reason}


def _intent_canceled(subject: Document) -> Facts:
    return PaymentCanceled, {
        **money(subject, "amount"),
        "reason": subject.find_text("cancellation_reason"),
    }


def _charge_refunded(subject: Document) -> Facts:
    # `refunded` is true only once all of the charge went back; `amount_refunded` is the sum so far.
    whole = subject.find("refunded") is True
    return PaymentRefunded if whole else PaymentPartiallyRefunded, money(subject, "amount_refunded")


def _dispute_created(subject: Document) -> Facts:
    return PaymentDisputed, {**money(subject, "amount"), "reason": subject.find_text("reason")}


# https://docs.stripe.com/api/events/types
TRANSLATIONS: Final[Mapping[str, Callable[[Document], Facts]]] = {
    "checkout.session.completed": _session_completed,
    "checkout.session.async_payment_succeeded": _step(PaymentSucceeded, "amount_total"),
    "checkout.session.async_payment_failed": _step(PaymentFailed, "amount_total"),
    "checkout.session.expired": _session_expired,
    "payment_intent.processing": _step(PaymentPending, "amount"),
    "payment_intent.amount_capturable_updated": _step(PaymentAuthorized, "amount_capturable"),
    "payment_intent.succeeded": _step(PaymentSucceeded, "amount_received"),
    "payment_intent.payment_failed": _intent_failed,
    "payment_intent.canceled": _intent_canceled,
    "charge.refunded": _charge_refunded,
    "charge.dispute.created": _dispute_created,
    **SUBSCRIPTION_TRANSLATIONS,
}


def _token(subject: Document) -> str | None:
    return find_token(subject.find_text("client_reference_id")) or find_token(
        subject.find_text("metadata", "token"), subscription_token(subject)
    )


def _object_id(subject: Document, event_type: str) -> str | None:
    if snapshot_type(event_type).startswith("invoice.") and (subscription := subscription_id(subject)):
        return subscription
    # A session, a charge and a dispute name the intent they belong to, as an id or, expanded, as an object.
    intent = subject.find_text("payment_intent") or subject.find_text("payment_intent", "id")
    return intent or subject.find_text("id")


def _customer(subject: Document) -> Customer:
    details = subject.find_object("customer_details")
    if not details.raw:
        details = subject.find_object("billing_details")
    return Customer(
        name=details.find_text("name"),
        email=details.find_text("email") or subject.find_text("receipt_email"),
        phone=details.find_text("phone"),
        locale=subject.find_text("locale"),
    )


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Stripe sends with *body*."""
    return [("Content-Type", "application/json; charset=utf-8"), *SIGNATURE.sign(body, secret, at)]


def build(options: StripeOptions) -> Provider:
    """Stripe as one source has it: with a key, the objects of thin events are looked up."""
    version = examples.API_VERSION
    return replace(PROVIDER, lookup=asking(options, version), inquiry=inquiry(options, version))


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # https://docs.stripe.com/webhooks#retries: three days, by hand from the dashboard or the CLI up to 30.
    remember_for=timedelta(days=31),
    documentation="https://docs.stripe.com/webhooks",
    options=StripeOptions,
    build=build,
    sign=sign,
    examples=examples.EXAMPLES,
)
