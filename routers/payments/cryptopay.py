"""Crypto Pay (@CryptoBot): invoices that were paid."""

from datetime import datetime, timedelta
from typing import Any, Final

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Event, OtherEvent
from routers.payments.assets import ASSET_DECIMALS
from routers.payments.currency import minor_units
from routers.payments.events import PaymentSucceeded
from routers.payments.examples import cryptopay as examples
from routers.provider import Provider, Translation, idempotency_key
from routers.verification import HmacScheme, KeyForm

KIND: Final = "cryptopay"

# https://help.send.tg/en/articles/10279948-crypto-pay-api: the key is the SHA-256 of the app's
# token. No timestamp is signed, so the idempotency key is what stops a replay.
SIGNATURE: Final = HmacScheme(header="crypto-pay-api-signature", key=KeyForm.SHA256_OF_TEXT)


def translate(call: Call, now: datetime) -> Translation:
    """
    An update in our words.

    `update_id` is not unique, says Crypto Pay; the invoice and its status are the idempotency key.
    """
    body = Document.from_json(call.body)
    update_type = body.text("update_type")
    invoice = body.find_object("payload")
    number = invoice.find_integer("invoice_id")
    if number is None:
        raise Unreadable("payload.invoice_id")
    status = invoice.text("status")
    common = {
        "provider": KIND,
        "object_id": str(number),
        "occurred_at": invoice.find_time("paid_at") or body.find_time("request_date") or now,
    }
    event: Event = (
        PaymentSucceeded(**common, **_money(invoice))
        if (update_type, status) == ("invoice_paid", "paid")
        else OtherEvent(type=f"{KIND}.{update_type}", **common)
    )
    token = find_token(invoice.find_text("payload"))
    return Translation(idempotency_key(update_type, str(number), status), event, token)


def _money(invoice: Document) -> dict[str, Any]:
    # An invoice is over an asset, or over ordinary money that is paid in some asset.
    fiat = invoice.find_text("currency_type") == "fiat"
    currency = invoice.currency("fiat" if fiat else "asset")
    decimals = None if fiat else ASSET_DECIMALS.get(currency)
    if not fiat and decimals is None:
        raise Unreadable("payload.asset")
    return {
        "amount_minor": minor_units(invoice.text("amount"), currency, decimals=decimals),
        "currency": currency,
    }


def sign(body: bytes, secret: bytes, at: datetime) -> list[tuple[str, str]]:
    """The headers that Crypto Pay sends with *body*; the time is not part of them."""
    return [("Content-Type", "application/json"), *SIGNATURE.sign(body, secret, at)]


PROVIDER: Final = Provider(
    kind=KIND,
    verify=SIGNATURE.verify,
    translate=translate,
    # Three days, 17 attempts, then the webhook is switched off. The signature holds for ever, so a month.
    remember_for=timedelta(days=31),
    documentation="https://help.send.tg/en/articles/10279948-crypto-pay-api",
    sign=sign,
    examples=examples.EXAMPLES,
)
