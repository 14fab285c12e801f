"""HMAC over the raw body, a timestamp, an id, our address: one engine, a scheme is data."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from string import Formatter
from typing import Final, Literal

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification.moment import check_moment
from routers.verification.secret import Secret, usable

MAX_SIGNATURES: Final = 16
"""More candidates than a rotation can explain are refused: each one costs a comparison."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature header says: the candidates, and the timestamp's digits if it carries one."""

    signatures: tuple[str, ...]
    timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class Plain:
    """The header is the signature."""

    def read(self, header: str) -> Signed:
        """Return what *header* says."""
        return Signed((header,))

    def write(self, signed: Signed) -> str:
        """Return the header that says *signed*."""
        return signed.signatures[0]


@dataclass(frozen=True, slots=True)
class Prefixed:
    """The header is a fixed prefix and the signature: ``sha256=<hex>``."""

    prefix: str

    def read(self, header: str) -> Signed:
        """Return what *header* says; raises `Refused` where it is in another form."""
        if not header.startswith(self.prefix):
            raise Refused(RefusalReason.HEADER_MALFORMED, f"does not start with {self.prefix}")
        return Signed((header[len(self.prefix) :],))

    def write(self, signed: Signed) -> str:
        """Return the header that says *signed*."""
        return self.prefix + signed.signatures[0]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The header is a list of pairs, the signature's possibly repeated: ``t=<unix>,v1=<hex>,v1=<hex>``."""

    separator: str = ","
    timestamp: str = "t"
    signature: str = "v1"

    def read(self, header: str) -> Signed:
        """Return what *header* says; raises `Refused` where it is in another form."""
        pairs = [item.strip().partition("=") for item in header.split(self.separator)]
        timestamps = [value for name, _, value in pairs if name == self.timestamp]
        signatures = tuple(value for name, _, value in pairs if name == self.signature)
        if len(timestamps) != 1:
            raise Refused(RefusalReason.HEADER_MALFORMED, f"{len(timestamps)} timestamps")
        return Signed(signatures, timestamps[0])

    def write(self, signed: Signed) -> str:
        """Return the header that says *signed*."""
        pairs = [(self.timestamp, signed.timestamp), *((self.signature, each) for each in signed.signatures)]
        return self.separator.join(f"{name}={value}" for name, value in pairs)


class SignatureEncoding(Enum):
    """How the digest's bytes are written in the header."""

    HEX = "hex"
    BASE64 = "base64"

    def encode(self, digest: bytes) -> bytes:
        """Return *digest* as it is written."""
        return binascii.hexlify(digest) if self is SignatureEncoding.HEX else base64.b64encode(digest)


class KeyForm(Enum):
    """How the HMAC's key comes out of the secret that the operator was given."""

    TEXT = "text"
    SHA256_OF_TEXT = "sha256_of_text"

    def derive(self, secret: bytes) -> bytes:
        """Return the HMAC's key."""
        return secret if self is KeyForm.TEXT else hashlib.sha256(secret).digest()


@dataclass(frozen=True, slots=True)
class HmacScheme:
    """
    A provider's way to sign with a shared secret.

    *signed* is the template of what is signed, out of ``{body}``, ``{timestamp}``, ``{id}`` and ``{url}``.
    The timestamp comes from *timestamp_header*, or else from the signature header itself (`Pairs`).
    *tolerance* holds both ways, for late and for future timestamps. *unsigned* are the header values by which
    the sender says that it has no secret.
    """

    header: str
    form: Plain | Prefixed | Pairs = field(default_factory=Plain)
    signed: str = "{body}"
    digest: Literal["sha256", "sha512", "sha1", "md5"] = "sha256"
    encoding: SignatureEncoding = SignatureEncoding.HEX
    key: KeyForm = KeyForm.TEXT
    timestamp_header: str | None = None
    id_header: str | None = None
    tolerance: timedelta | None = None
    unsigned: frozenset[str] = frozenset()
    _parts: tuple[tuple[bytes, str | None], ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        parts = tuple((text.encode(), name) for text, name, _, _ in Formatter().parse(self.signed))
        unknown = {name for _, name in parts if name} - {"body", "timestamp", "id", "url"}
        if unknown:
            raise ValueError(f"unknown in the signed template: {', '.join(sorted(unknown))}")
        object.__setattr__(self, "_parts", parts)

    def verify(self, call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        """
        Prove that *call* was signed with one of *secrets*, within the tolerance around *now*.

        Raises:
            Refused: in every other case, and nothing but this for any input.
        """
        keys = usable(secrets, now)
        header = call.header(self.header)
        if header in self.unsigned:
            raise Refused(RefusalReason.UNSIGNED_BY_SENDER, "no secret is set on the provider's side")
        given = self.form.read(header)
        if not 1 <= len(given.signatures) <= MAX_SIGNATURES:
            raise Refused(RefusalReason.HEADER_MALFORMED, f"{len(given.signatures)} signatures")
        timestamp = call.header(self.timestamp_header) if self.timestamp_header else given.timestamp or ""
        event_id = call.header(self.id_header) if self.id_header else ""
        message = self._message(call.body, timestamp, event_id, call.public_url)
        candidates = [signature.encode("ascii") for signature in given.signatures]
        genuine = False
        for key in keys:
            expected = self._signature(key, message)
            for candidate in candidates:
                # Every pair is compared, in constant time: the duration tells nothing about which one fits.
                genuine |= hmac.compare_digest(expected, candidate)
        if not genuine:
            raise Refused(
                RefusalReason.SIGNATURE_WRONG, f"{len(candidates)} given, {len(keys)} valid secrets"
            )
        if self.tolerance is not None:
            check_moment(timestamp, now, self.tolerance)

    def sign(
        self, body: bytes, secret: bytes, at: datetime, *, event_id: str = "", url: str = ""
    ) -> list[tuple[str, str]]:
        """Return the headers that the provider sends along with *body*, signed at *at*."""
        timestamp = str(int(at.timestamp()))
        signature = self._signature(secret, self._message(body, timestamp, event_id, url)).decode()
        headers = [(self.header, self.form.write(Signed((signature,), timestamp)))]
        if self.timestamp_header:
            headers.append((self.timestamp_header, timestamp))
        if self.id_header:
            headers.append((self.id_header, event_id))
        return headers

    def _signature(self, secret: bytes, message: bytes) -> bytes:
        return self.encoding.encode(hmac.digest(self.key.derive(secret), message, self.digest))

    def _message(self, body: bytes, timestamp: str, event_id: str, url: str) -> bytes:
        pieces: list[bytes] = []
        for text, name in self._parts:
            pieces.append(text)
            match name:
                case "body":
                    pieces.append(body)
                case "timestamp":
                    pieces.append(timestamp.encode())
                case "id":
                    pieces.append(event_id.encode())
                case "url":
                    pieces.append(url.encode())
        return b"".join(pieces)
