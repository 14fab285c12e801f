"""Monobank's invoices: https://api.monobank.ua/docs/acquiring.html."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Final

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from routers.payments.currency import numeric
from routers.payments.examples.numbers import name_of
from routers.provider import Example


@cache
def private_key() -> bytes:
    """A key of the examples, in the place of the bank's."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:  # noqa: ARG001 - no time is signed
    """
    The headers that the bank sends with *body*, with *secret* as its private key (PEM).

    Raises:
        ValueError: it is no such key.
    """
    key = load_pem_private_key(secret, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a private key of the curve P-256, in PEM")  # noqa: TRY004 - a wrong value of a secret
    signature = b64encode(key.sign(body, ec.ECDSA(SHA256()))).decode()
    return [("Content-Type", "application/json"), ("X-Sign", signature)]


def public_key_answer(secret: bytes) -> bytes:
    """What `GET /api/merchant/pubkey` answers, if *secret* is the bank's private key."""
    public = load_pem_private_key(secret, None).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return orjson.dumps({"key": b64encode(pem).decode()})


def merchant_token(_: bytes) -> bytes:
    """What we hold: the token that asks for the bank's public key."""
    return b"uDemoMerchantToken"


def _invoice(status: str, example: Example) -> bytes:
    at = example.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    invoice = {
        "invoiceId": example.object_id or f"p2_{name_of(example, length=12)}",
        "status": status,
        "payMethod": "pan",
        "amount": example.amount_minor,
        "ccy": int(numeric(example.currency)),
        "createdDate": at,
        "modifiedDate": at,
        "reference": example.token,
    }
    if status == "success":
        invoice["finalAmount"] = example.amount_minor
    if status == "failure":
        invoice |= {"failureReason": "Insufficient funds", "errCode": "59"}
    return orjson.dumps(invoice)


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    status: partial(_invoice, status)
    for status in ("processing", "hold", "success", "failure", "reversed", "expired")
}
"""One body for each of the bank's statuses that has a word of ours."""
