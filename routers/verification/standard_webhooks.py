"""Standard Webhooks: id, time and body signed together, with a shared secret or with a key pair."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification.hmac_scheme import MAX_SIGNATURES
from routers.verification.moment import check_moment
from routers.verification.secret import Secret, usable

SECRET_PREFIX: Final = b"whsec_"
PUBLIC_KEY_PREFIX: Final = b"whpk_"


def shared_key(secret: bytes) -> bytes | None:
    """The HMAC's key out of ``whsec_<base64>`` (the prefix may be missing); None: not in that form."""
    text = secret.removeprefix(SECRET_PREFIX)
    try:
        # The official libraries take a secret that lost its padding, too.
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True) or None
    except binascii.Error:
        return None


def public_key(secret: bytes) -> Ed25519PublicKey | None:
    """The key out of ``whpk_<base64>``; None: not in that form."""
    if not secret.startswith(PUBLIC_KEY_PREFIX):
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(
            base64.b64decode(secret.removeprefix(PUBLIC_KEY_PREFIX), validate=True)
        )
    except (binascii.Error, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """
    The scheme of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.

    Headers are ``webhook-*``, or ``svix-*`` where the sender uses the older names. Of the signatures in
    the header any may fit: ``v1`` (HMAC-SHA256) with a ``whsec_`` secret, ``v1a`` (ed25519) with the sender's
    ``whpk_`` public key. The time may be *tolerance* off, both ways.
    """

    tolerance: timedelta = timedelta(minutes=5)

    def verify(self, call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        """
        Prove that *call* was signed with one of *secrets*, within the tolerance around *now*.

        Raises:
            Refused: in every other case, and nothing but this for any input.
        """
        keys = usable(secrets, now)
        family = header_family(call)
        timestamp = call.header(f"{family}-timestamp")
        signatures = [part.partition(",") for part in call.header(f"{family}-signature").split(" ")]
        if len(signatures) > MAX_SIGNATURES:
            raise Refused(RefusalReason.HEADER_MALFORMED, f"{len(signatures)} signatures")
        message = signed_message(call.header(f"{family}-id"), timestamp, call.body)
        shared = [given.encode() for version, _, given in signatures if version == "v1"]
        paired = [given for version, _, given in signatures if version == "v1a"]
        genuine = False
        usable_keys = 0
        for key in keys:
            known = public_key(key)
            if known is not None:
                usable_keys += 1
                genuine |= any(_signed_by(known, given, message) for given in paired)
                continue
            secret = shared_key(key)
            if secret is not None:
                usable_keys += 1
                expected = base64.b64encode(hmac.digest(secret, message, "sha256"))
                for given in shared:
                    # Every pair is compared, in constant time.
                    genuine |= hmac.compare_digest(expected, given)
        if not usable_keys:
            raise Refused(RefusalReason.NO_USABLE_SECRET, "none has the form whsec_<base64> or whpk_<base64>")
        if not genuine:
            raise Refused(
                RefusalReason.SIGNATURE_WRONG, f"{len(signatures)} given, {usable_keys} valid secrets"
            )
        check_moment(timestamp, now, self.tolerance)

    def sign(self, body: bytes, secret: bytes, at: datetime, *, event_id: str) -> list[tuple[str, str]]:
        """
        Return the headers that a sender with the shared *secret* sends along with *body*.

        Raises:
            ValueError: *secret* is not of the form ``whsec_<base64>``.
        """
        key = shared_key(secret)
        if key is None:
            raise ValueError("the secret must have the form whsec_<base64>")
        timestamp = str(int(at.timestamp()))
        digest = hmac.digest(key, signed_message(event_id, timestamp, body), "sha256")
        return [
            ("webhook-id", event_id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", f"v1,{base64.b64encode(digest).decode()}"),
        ]


def header_family(call: Call) -> str:
    """The names that the sender uses; the standard's own where it sends both."""
    names = {name.lower() for name, _ in call.headers}
    return "svix" if b"svix-signature" in names and b"webhook-signature" not in names else "webhook"


def signed_message(event_id: str, timestamp: str, body: bytes) -> bytes:
    """What is signed."""
    return b"%b.%b.%b" % (event_id.encode(), timestamp.encode(), body)


def _signed_by(key: Ed25519PublicKey, given: str, message: bytes) -> bool:
    try:
        key.verify(base64.b64decode(given, validate=True), message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
