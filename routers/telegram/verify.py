"""The secret token that Telegram sends with every update."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret, usable

# https://core.telegram.org/bots/api#setwebhook
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header


def verify(call: Call, secrets: Sequence[Secret], now: datetime) -> None:
    """
    Prove that *call* carries one of *secrets*, compared in constant time.

    Raises:
        Refused: in every other case, and nothing but this for any input.
    """
    expected = usable(secrets, now)
    given = call.header(SECRET_HEADER).encode("ascii")
    genuine = False
    for secret in expected:
        genuine |= hmac.compare_digest(secret, given)
    if not genuine:
        raise Refused(RefusalReason.SIGNATURE_WRONG, f"none of {len(expected)} valid secrets")
