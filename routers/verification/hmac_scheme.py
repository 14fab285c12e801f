"""HMAC over the raw body, a timestamp, an id, our address: one engine, a scheme is data."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification.encoding import KeyForm, SignatureEncoding
from routers.verification.moment import check_moment
from routers.verification.secret import Secret, usable
from routers.verification.signature_header import HeaderForm, Plain, Signed
from routers.verification.template import Template

MAX_SIGNATURES: Final = 16
"""More candidates than a rotation can explain are refused: each one costs a comparison."""

DigestName = Literal["sha256", "sha512", "sha1", "md5"]


@dataclass(frozen=True, slots=True)
class HmacScheme:
    """
    A provider's way to sign with a shared secret.

    *signed* is the template of what is signed, out of ``{body}``, ``{timestamp}``, ``{id}`` and ``{url}``.
    The timestamp comes from *timestamp_header*, or else from the signature header itself (`Pairs`).
    *tolerance* holds both ways, for late and for future timestamps. *unsigned* are the header values by which
    the sender says that it has no secret. *signed_body* makes of the raw body what stands for ``{body}``; it
    raises `Refused` where it cannot.
    """

    header: str
    form: HeaderForm = field(default_factory=Plain)
    signed: str = "{body}"
    digest: DigestName = "sha256"
    encoding: SignatureEncoding = SignatureEncoding.HEX
    key: KeyForm = KeyForm.TEXT
    timestamp_header: str | None = None
    id_header: str | None = None
    tolerance: timedelta | None = None
    unsigned: frozenset[str] = frozenset()
    signed_body: Callable[[bytes], bytes] | None = None
    _template: Template = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_template", Template(self.signed))

    def verify(self, call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        """
        Prove that *call* was signed with one of *secrets*, within the tolerance around *now*.

        Raises:
            Refused: in every other case, and nothing but this for any input.
        """
        keys = self.key.derive_all(usable(secrets, now))
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
        message = self._message(body, timestamp, event_id, url)
        signature = self._signature(self.key.derive(secret), message).decode()
        headers = [(self.header, self.form.write(Signed((signature,), timestamp)))]
        if self.timestamp_header:
            headers.append((self.timestamp_header, timestamp))
        if self.id_header:
            headers.append((self.id_header, event_id))
        return headers

    def _signature(self, key: bytes, message: bytes) -> bytes:
        return self.encoding.encode(hmac.digest(key, message, self.digest))

    def _message(self, body: bytes, timestamp: str, event_id: str, url: str) -> bytes:
        body = body if self.signed_body is None else self.signed_body(body)
        return self._template.filled(body, timestamp, event_id, url)
