"""Robokassa: payments that were made (ResultURL)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlencode

from pydantic import IPvAnyNetwork

from routers.call import Call
from routers.document import Document, Unreadable, find_token
from routers.event import Customer
from routers.form import form_of
from routers.payments.currency import minor_units
from routers.payments.events import PaymentSucceeded
from routers.payments.examples import robokassa as examples
from routers.provider import Answer, Options, Provider, Received, Translation, Translator, idempotency_key
from routers.sent import Sent
from routers.verification import AllowedNetworks, FieldScheme, all_of, form_fields

KIND: Final = "robokassa"

# https://docs.robokassa.ru/ru/notifications-and-redirects: where ResultURL is called from.
NETWORKS: Final = AllowedNetworks.of("185.59.216.65", "185.59.217.65").networks


class RobokassaOptions(Options):
    """What `[sources.<name>.options]` may say."""

    digest: Literal["md5", "sha1", "sha256", "sha512"] = "md5"
    """The algorithm that is set in the shop's technical settings."""
    currency: str = "RUB"
    """What `OutSum` is in: a shop has one currency, and its calls do not name it."""
    networks: tuple[IPvAnyNetwork, ...] = ()
    """Networks to take calls from only; Robokassa's own are on its page. Empty: the signature decides."""


def signed_text(fields: Mapping[str, str], password: bytes) -> bytes:
    """
    `OutSum:InvId:Password#2`, then each `Shp_` field in the order of the names.

    https://docs.robokassa.ru/ru/notifications-and-redirects. The sum counts as it is written: a test writes
    two decimals, a real payment six.
    """
    own = sorted(name for name in fields if name.lower().startswith("shp_"))
    parts = [fields.get("OutSum", "").encode(), fields.get("InvId", "").encode(), password]
    return b":".join([*parts, *(f"{name}={fields[name]}".encode() for name in own)])


def translating(currency: str) -> Translator:
    """Translate for a shop whose sums are in *currency*."""

    def translate(call: Call, now: datetime) -> Translation:
        """A call of ResultURL: something was paid. Its invoice is the idempotency key."""
        body = Document.from_form(call)
        invoice = body.text("InvId")
        token = find_token(
            *(body.find_text(name) for name in sorted(body.raw) if name.lower() == "shp_token")
        )
        # Invoice 0 stands for "not numbered": then our own token tells one from another.
        number = invoice if invoice != "0" else token
        if number is None:
            raise Unreadable("InvId")
        event = PaymentSucceeded(
            provider=KIND,
            object_id=number,
            occurred_at=now,
            test_mode=body.find_text("IsTest") == "1",
            customer=Customer(email=body.find_text("EMail")),
            amount_minor=minor_units(body.text("OutSum"), currency),
            currency=currency,
        )
        return Translation(idempotency_key(number), event, token)

    return translate


def answer(received: Received) -> Answer:
    """`OK` and the number of the invoice: anything else counts as not received."""
    try:
        invoice = form_of(received.call).get("InvId", "")
    except ValueError:
        invoice = ""
    return Answer(f"OK{invoice}".encode(), content_type="text/plain")


def rewriting(signature: FieldScheme) -> Callable[[Sent, bytes, datetime, str], Sent]:
    """Sign by *signature*."""

    def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - neither is signed
        fields = dict(form_fields(sent.as_call()))
        fields[signature.signature] = signature.signature_of(fields, secret).upper()
        headers = (("Content-Type", "application/x-www-form-urlencoded"),)
        return Sent(urlencode(fields).encode(), headers, remote_address="185.59.216.65")

    return rewrite


def build(options: RobokassaOptions) -> Provider:
    """The provider of one source."""
    signature = FieldScheme(
        "SignatureValue", signed_text, fields=form_fields, digest=options.digest, any_case=True
    )
    return Provider(
        kind=KIND,
        verify=all_of(AllowedNetworks(options.networks).verify, signature.verify),
        translate=translating(options.currency),
        # How long it repeats is not said. The signature holds for ever, so a month.
        remember_for=timedelta(days=31),
        documentation="https://docs.robokassa.ru/ru/notifications-and-redirects",
        answer=answer,
        # The shop's settings say whether ResultURL is called by GET or by POST.
        methods=frozenset({"GET", "POST"}),
        options=RobokassaOptions,
        build=build,
        rewrite=rewriting(signature),
        examples=examples.EXAMPLES,
        example_options={"networks": [str(network) for network in NETWORKS]},
    )


PROVIDER: Final = build(RobokassaOptions())
