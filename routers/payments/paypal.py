"""PayPal: orders approved, captures completed, given back, disputed."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from routers.call import Call
from routers.document import Document, find_token
from routers.event import Customer, Event, OtherEvent
from routers.payments.currency import minor_units
from routers.payments.events import (
    PaymentAuthorized,
    PaymentCanceled,
    PaymentDisputed,
    PaymentEvent,
    PaymentFailed,
    PaymentPartiallyRefunded,
    PaymentPending,
    PaymentSucceeded,
)
from routers.payments.examples import paypal as examples
from routers.provider import Asking, Options, Provider, Translation, idempotency_key
from routers.question import Question
from routers.refusal import RefusalReason, Refused
from routers.sent import Sent
from routers.verification import PublicKeyScheme, Secret, usable
from routers.verification.certificate import CertificateCheck, public_roots, read_certificates
from routers.verification.public_key import rsa_certificate

KIND: Final = "paypal"
DOCUMENTATION: Final = "https://developer.paypal.com/api/rest/webhooks/rest/"

# The address of the certificate comes with the call: only PayPal's own hosts are asked, by HTTPS, so that a
# call can neither send us elsewhere nor bring a key of its own.
HOSTS: Final[Mapping[str, str]] = {"live": "api.paypal.com", "sandbox": "api.sandbox.paypal.com"}
# Whom the certificate is issued to, as PayPal's own libraries check it:
# https://github.com/paypal/PayPal-Python-SDK/blob/master/paypalrestsdk/notifications.py (any name under
# paypal.com) and the Java one (messageverificationcerts, of either environment).
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "live": ("messageverificationcerts.paypal.com",),
    "sandbox": ("messageverificationcerts.sandbox.paypal.com", "messageverificationcerts.paypal.com"),
}
_PATH: Final = re.compile(r"/v1/notifications/certs/[A-Za-z0-9._-]{1,200}", re.ASCII)
CERTIFICATE_KEPT_FOR: Final = timedelta(days=1)

TRANSLATIONS: Final[Mapping[str, type[PaymentEvent]]] = {
    "CHECKOUT.ORDER.APPROVED": PaymentPending,
    "PAYMENT.AUTHORIZATION.CREATED": PaymentAuthorized,
    "PAYMENT.AUTHORIZATION.VOIDED": PaymentCanceled,
    "PAYMENT.CAPTURE.PENDING": PaymentPending,
    "PAYMENT.CAPTURE.COMPLETED": PaymentSucceeded,
    "PAYMENT.CAPTURE.DENIED": PaymentFailed,
    "PAYMENT.CAPTURE.DECLINED": PaymentFailed,
    "PAYMENT.CAPTURE.REFUNDED": PaymentPartiallyRefunded,
    "CUSTOMER.DISPUTE.CREATED": PaymentDisputed,
}


class PayPalOptions(Options):
    environment: Literal["live", "sandbox"] = "live"
    """Whose certificates are believed."""
    webhook_id: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9]+$")
    """The id that PayPal gave the webhook: it is part of what is signed."""
    certificate: Literal["chain", "host"] = "chain"
    """What proves the certificate: a chain to a trusted authority, or that PayPal's host serves it."""
    authorities: tuple[str, ...] = ()
    """Certificates (PEM) that may have vouched for it, beside the public authorities."""

    @field_validator("authorities")
    @classmethod
    def _readable(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        for each in written:
            read_certificates(each.encode())
        return written

    def check(self) -> CertificateCheck:
        """What a certificate must be."""
        if self.certificate == "host":
            return CertificateCheck(NAMES[self.environment], ())
        own = [each for text in self.authorities for each in read_certificates(text.encode())]
        return CertificateCheck(NAMES[self.environment], (*public_roots(), *own))


def certificate_url(call: Call, host: str) -> str:
    """Where the certificate lies; raises `Refused` for any place that is not PayPal's."""
    given = call.header("PAYPAL-CERT-URL")
    try:
        parts = urlsplit(given)
    except ValueError:
        raise Refused(RefusalReason.HEADER_MALFORMED, "PAYPAL-CERT-URL") from None
    # Compared as a whole: no port, no user, no other spelling of the host.
    if parts.scheme != "https" or parts.netloc != host or _PATH.fullmatch(parts.path) is None:
        raise Refused(RefusalReason.HEADER_MALFORMED, "PAYPAL-CERT-URL is not PayPal's")
    return f"https://{host}{parts.path}"


def translate(call: Call, now: datetime) -> Translation:
    """
    An event in our words; its id is the idempotency key.

    Order, capture and refund have ids of their own; what names its order is a step of it.
    """
    body = Document.from_json(call.content)
    event_id, own_type = body.text("id"), body.text("event_type")
    resource = body.find_object("resource")
    units = resource.find_objects("purchase_units")
    unit = units[0] if units else resource
    model = TRANSLATIONS.get(own_type)
    common: dict[str, Any] = {
        "provider": KIND,
        "object_id": _object_id(resource) or event_id,
        "occurred_at": body.find_time("create_time") or now,
        "customer": Customer(email=resource.find_text("payer", "email_address")),
    }
    event: Event = (
        OtherEvent(type=f"{KIND}.{own_type}", **common)
        if model is None
        else model(**common, **_facts(model, resource, unit))
    )
    disputed = resource.find_objects("disputed_transactions")
    token = find_token(
        resource.find_text("custom_id"),
        unit.find_text("custom_id"),
        unit.find_text("reference_id"),
        unit.find_text("invoice_id"),
        *(each.find_text("custom") for each in disputed),
    )
    return Translation(idempotency_key(event_id), event, token)


def _object_id(resource: Document) -> str | None:
    # https://developer.paypal.com/docs/api/payments/v2/: a capture names its order.
    order = resource.find_text("supplementary_data", "related_ids", "order_id")
    return order or resource.find_text("id") or resource.find_text("dispute_id")


def _facts(model: type[PaymentEvent], resource: Document, unit: Document) -> dict[str, Any]:
    name = "dispute_amount" if model is PaymentDisputed else "amount"
    holder = unit if unit.find(name) is not None else resource
    currency = holder.currency(name, "currency_code")
    facts: dict[str, Any] = {
        "amount_minor": minor_units(holder.text(name, "value"), currency),
        "currency": currency,
    }
    if model is PaymentPartiallyRefunded:
        facts["refund_id"] = resource.text("id")
    elif model in {PaymentFailed, PaymentCanceled}:
        facts["reason"] = resource.find_text("status_details", "reason")
    elif model is PaymentDisputed:
        facts["reason"] = resource.find_text("reason")
    return facts


def build(options: PayPalOptions) -> Provider:
    """The provider of one source."""
    host = HOSTS[options.environment]
    certificate = options.check()

    def message(call: Call) -> bytes:
        """https://developer.paypal.com/api/rest/webhooks/rest/#verify-messages"""
        if call.header("PAYPAL-AUTH-ALGO") != "SHA256withRSA":
            raise Refused(RefusalReason.HEADER_MALFORMED, "PAYPAL-AUTH-ALGO")
        transmission = call.header("PAYPAL-TRANSMISSION-ID")
        time = call.header("PAYPAL-TRANSMISSION-TIME")
        return f"{transmission}|{time}|{options.webhook_id}|{zlib.crc32(call.body)}".encode()

    signature = PublicKeyScheme("PAYPAL-TRANSMISSION-SIG", rsa_certificate, message, fetched=True)

    def verify(call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        usable(secrets, now)
        certificate_url(call, host)
        certificate.check(call.evidence, now)
        signature.verify(call, secrets, now)

    def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - no address is signed
        headers = examples.unsigned_headers(sent.body, host, at)
        call = replace(sent, headers=headers).as_call()
        return Sent(sent.body, (*headers, examples.signature_header(message(call), secret)))

    return Provider(
        kind=KIND,
        verify=verify,
        translate=translate,
        # https://developer.paypal.com/api/rest/webhooks/: 25 attempts in three days. The signature holds for
        # ever, so a month.
        remember_for=timedelta(days=31),
        documentation=DOCUMENTATION,
        evidence=_evidence(host),
        options=PayPalOptions,
        build=build,
        rewrite=rewrite,
        examples=examples.EXAMPLES,
        example_options={
            "environment": "sandbox",
            "webhook_id": "8PT597110X687430LKGECATA",
            "authorities": (examples.AUTHORITY.certificate_pem(),),
        },
        example_key=examples.private_key,
        example_evidence=examples.certificate,
        known_half=examples.anything,
    )


def _evidence(host: str) -> Asking:
    def evidence(call: Call, secrets: Sequence[Secret], now: datetime) -> Question:
        usable(secrets, now)
        call.header("PAYPAL-TRANSMISSION-SIG")
        return Question(certificate_url(call, host), keep_for=CERTIFICATE_KEPT_FOR)

    return evidence


PROVIDER: Final = build(PayPalOptions(webhook_id="unset"))
