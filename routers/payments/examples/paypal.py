"""PayPal's events, signed with a certificate of the examples: https://developer.paypal.com/api/rest/webhooks/rest/."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from routers.payments.currency import literal
from routers.payments.examples.authority import ExampleAuthority
from routers.payments.examples.numbers import name_of
from routers.provider import Example


@cache
def private_key() -> bytes:
    """A key of the examples, in the place of PayPal's."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def _private(secret: bytes) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(secret, None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not a private RSA key, in PEM")  # noqa: TRY004 - a wrong value of a secret
    return key


AUTHORITY: Final = ExampleAuthority("Authority of the examples")
"""Who vouches for the examples' certificate, in the place of a public authority."""


@cache
def certificate(secret: bytes) -> bytes:
    """What the address of the certificate answers, if *secret* is PayPal's private key (PEM)."""
    public_key = _private(secret).public_key()
    return AUTHORITY.issued("messageverificationcerts.sandbox.paypal.com", public_key)


def anything(_: bytes) -> bytes:
    """What we hold: any text, as PayPal's certificate is asked for."""
    return b"certificate"


def unsigned_headers(body: bytes, host: str, at: datetime) -> tuple[tuple[str, str], ...]:
    """All headers that PayPal sends with *body*, but the signature."""
    time = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return (
        ("Content-Type", "application/json"),
        ("PAYPAL-AUTH-ALGO", "SHA256withRSA"),
        ("PAYPAL-CERT-URL", f"https://{host}/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"),
        ("PAYPAL-TRANSMISSION-ID", str(UUID(bytes=body[-16:].rjust(16, b"0")))),
        ("PAYPAL-TRANSMISSION-TIME", time),
    )


def signature_header(message: bytes, secret: bytes) -> tuple[str, str]:
    """The header that says *message* was signed with *secret*, a private key (PEM)."""
    signature = _private(secret).sign(message, padding.PKCS1v15(), SHA256())
    return "PAYPAL-TRANSMISSION-SIG", b64encode(signature).decode()


def _money(example: Example) -> dict[str, str]:
    return {"currency_code": example.currency, "value": literal(example.amount_minor, example.currency)}


def _order_id(example: Example) -> str:
    return example.object_id or name_of(example, length=17).upper()


def _order(example: Example) -> dict[str, Any]:
    unit = {"reference_id": "default", "custom_id": example.token, "amount": _money(example)}
    return {
        "id": _order_id(example),
        "intent": "CAPTURE",
        "status": "APPROVED",
        "purchase_units": [unit],
        "payer": {"email_address": "guest@example.com"},
    }


def _part(status: str, example: Example) -> dict[str, Any]:
    """An authorization or a capture."""
    part = {
        "id": name_of(example, status, length=17).upper(),
        "status": status,
        "amount": _money(example),
        "custom_id": example.token,
        "supplementary_data": {"related_ids": {"order_id": _order_id(example)}},
    }
    if status in {"DENIED", "DECLINED"}:
        part["status_details"] = {"reason": "DECLINED_BY_RISK_FRAUD_FILTERS"}
    return part


def _dispute(example: Example) -> dict[str, Any]:
    return {
        "dispute_id": f"PP-D-{name_of(example, length=6)}",
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "dispute_amount": _money(example),
        "disputed_transactions": [{"custom": example.token}],
    }


_RESOURCES: Final[Mapping[str, Callable[[Example], dict[str, Any]]]] = {
    "CHECKOUT.ORDER.APPROVED": _order,
    "PAYMENT.AUTHORIZATION.CREATED": partial(_part, "CREATED"),
    "PAYMENT.AUTHORIZATION.VOIDED": partial(_part, "VOIDED"),
    "PAYMENT.CAPTURE.PENDING": partial(_part, "PENDING"),
    "PAYMENT.CAPTURE.COMPLETED": partial(_part, "COMPLETED"),
    "PAYMENT.CAPTURE.DENIED": partial(_part, "DENIED"),
    "PAYMENT.CAPTURE.DECLINED": partial(_part, "DECLINED"),
    "PAYMENT.CAPTURE.REFUNDED": partial(_part, "REFUNDED"),
    "CUSTOMER.DISPUTE.CREATED": _dispute,
}


def _event(own_type: str, example: Example) -> bytes:
    at = example.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps(
        {
            "id": example.event_id or f"WH-{name_of(example, own_type, length=17).upper()}",
            "event_version": "1.0",
            "create_time": at,
            "resource_type": "capture",
            "event_type": own_type,
            "summary": "An example",
            "resource": _RESOURCES[own_type](example),
        }
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    own_type: partial(_event, own_type) for own_type in _RESOURCES
}
"""One body for each of PayPal's types that has a word of ours."""
