"""How the bytes of signatures and keys are written."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from enum import Enum

from routers.refusal import RefusalReason, Refused


class SignatureEncoding(Enum):
    """How the digest's bytes are written in the header."""

    HEX = "hex"
    BASE64 = "base64"

    def encode(self, digest: bytes) -> bytes:
        """Return *digest* as it is written."""
        return binascii.hexlify(digest) if self is SignatureEncoding.HEX else base64.b64encode(digest)

    def decode(self, written: str) -> bytes:
        """Return the bytes that *written* says; none for what is in another form, which fits nothing."""
        try:
            if self is SignatureEncoding.HEX:
                return binascii.unhexlify(written)
            return base64.b64decode(written, validate=True)
        except ValueError:
            return b""


class KeyForm(Enum):
    """How the HMAC's key comes out of the secret that the operator was given."""

    TEXT = "text"
    SHA256_OF_TEXT = "sha256_of_text"
    HEX = "hex"
    BASE64 = "base64"
    """Base64, after ``whsec_`` if it begins so."""

    def derive_all(self, secrets: Sequence[bytes]) -> list[bytes]:
        """
        Return the HMAC's keys. A secret in another form is left out: the one beside it may be right.

        Raises:
            Refused: none of them is in this form.
        """
        if self is KeyForm.TEXT:
            return list(secrets)
        keys = []
        for secret in secrets:
            try:
                keys.append(self.derive(secret))
            except Refused:
                continue
        if not keys:
            raise Refused(RefusalReason.KEY_UNUSABLE, f"none of {len(secrets)} secrets is {self.value}")
        return keys

    def derive(self, secret: bytes) -> bytes:
        """
        Return the HMAC's key.

        Raises:
            Refused: the secret is not in this form.
        """
        match self:
            case KeyForm.TEXT:
                return secret
            case KeyForm.SHA256_OF_TEXT:
                return hashlib.sha256(secret).digest()
        try:
            if self is KeyForm.HEX:
                return binascii.unhexlify(secret)
            return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
        except ValueError:
            raise Refused(RefusalReason.KEY_UNUSABLE, f"the secret is not {self.value}") from None
