"""A secret that is shown as it is: in a header, in the path, as HTTP Basic's user and password."""

import base64
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification.secret import Secret, usable


@dataclass(frozen=True, slots=True)
class SharedToken:
    """*shown* finds in a call what must be one of the secrets; it raises `Refused` where there is nothing."""

    shown: Callable[[Call], str]

    def verify(self, call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        """
        Prove that *call* shows one of *secrets*, compared in constant time.

        Raises:
            Refused: in every other case, and nothing but this for any input.
        """
        expected = usable(secrets, now)
        given = self.shown(call).encode("utf-8", "surrogatepass")
        genuine = False
        for secret in expected:
            genuine |= hmac.compare_digest(secret, given)
        if not genuine:
            raise Refused(RefusalReason.SIGNATURE_WRONG, f"none of {len(expected)} valid secrets")


def in_header(name: str) -> Callable[[Call], str]:
    """The header *name*."""
    return lambda call: call.header(name)


def in_path(call: Call) -> str:
    """What follows the source's name in the path."""
    if not call.path_secret:
        raise Refused(RefusalReason.HEADER_MISSING, "the address has no secret part")
    return call.path_secret


def in_basic(call: Call) -> str:
    """``user:password`` of HTTP Basic authentication (RFC 7617)."""
    scheme, _, credentials = call.header("Authorization").partition(" ")
    if scheme.lower() != "basic":
        raise Refused(RefusalReason.HEADER_MALFORMED, "not HTTP Basic")
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode("utf-8")
    except ValueError:
        raise Refused(RefusalReason.HEADER_MALFORMED, "not HTTP Basic") from None
