"""
Verification: pure, total functions from a call to nothing or to one refusal.

A verifier takes (call, secrets, now), returns None for a genuine call and raises `Refused` for every
other, whatever its bytes. Schemes are data; a provider's file picks one and fills it in.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification.encoding import KeyForm, SignatureEncoding
from routers.verification.field_scheme import FieldScheme, form_fields, joined, json_scalars
from routers.verification.hmac_scheme import HmacScheme
from routers.verification.networks import AllowedNetworks
from routers.verification.public_key import PublicKeyScheme
from routers.verification.secret import Secret, usable
from routers.verification.shared_token import SharedToken, in_basic, in_header, in_path
from routers.verification.signature_header import Pairs, Plain, Prefixed
from routers.verification.standard_webhooks import StandardWebhooks

Verifier = Callable[[Call, Sequence[Secret], datetime], None]


def all_of(*verifiers: Verifier) -> Verifier:
    """What each of *verifiers* believes."""

    def verify(call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        for each in verifiers:
            each(call, secrets, now)

    return verify


def any_of(*verifiers: Verifier) -> Verifier:
    """What one of *verifiers* believes; the last one's refusal stands for all."""

    def verify(call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        *others, last = verifiers
        for each in others:
            try:
                return each(call, secrets, now)
            except Refused:
                continue
        return last(call, secrets, now)

    return verify


__all__ = [
    "AllowedNetworks",
    "FieldScheme",
    "HmacScheme",
    "KeyForm",
    "Pairs",
    "Plain",
    "Prefixed",
    "PublicKeyScheme",
    "RefusalReason",
    "Refused",
    "Secret",
    "SharedToken",
    "SignatureEncoding",
    "StandardWebhooks",
    "Verifier",
    "all_of",
    "any_of",
    "form_fields",
    "in_basic",
    "in_header",
    "in_path",
    "joined",
    "json_scalars",
    "usable",
]
