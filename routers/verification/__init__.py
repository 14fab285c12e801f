"""
Verification: pure, total functions from a call to nothing or to one refusal.

A verifier takes (call, secrets, now), returns None for a genuine call and raises `Refused` for every
other, whatever its bytes. Schemes are data; a provider's file picks one and fills it in.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification.hmac_scheme import HmacScheme, KeyForm, Pairs, Plain, Prefixed, SignatureEncoding
from routers.verification.secret import Secret, usable
from routers.verification.standard_webhooks import StandardWebhooks

Verifier = Callable[[Call, Sequence[Secret], datetime], None]

__all__ = [
    "HmacScheme",
    "KeyForm",
    "Pairs",
    "Plain",
    "Prefixed",
    "RefusalReason",
    "Refused",
    "Secret",
    "SignatureEncoding",
    "StandardWebhooks",
    "Verifier",
    "usable",
]
