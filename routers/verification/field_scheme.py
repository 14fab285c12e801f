"""A digest over fields of the body or the query, which itself is one of the fields."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from routers.call import Call
from routers.form import form_of
from routers.literal_json import parse_literal
from routers.refusal import RefusalReason, Refused
from routers.verification.encoding import KeyForm, SignatureEncoding
from routers.verification.hmac_scheme import DigestName
from routers.verification.secret import Secret, usable

Fields = Mapping[str, str]


def form_fields(call: Call) -> Fields:
    """The form's fields; raises `Refused` where there is none."""
    try:
        return form_of(call)
    except ValueError as error:
        raise Refused(RefusalReason.BODY_MALFORMED, "not a form") from error


def json_scalars(call: Call) -> Fields:
    """
    The scalars of the JSON object, each as its literal text and true and false as these words.

    Nested objects, lists and null are left out. Raises `Refused` where the body is no such object.
    """
    try:
        value = parse_literal(call.body)
    except ValueError as error:
        raise Refused(RefusalReason.BODY_MALFORMED, "not JSON") from error
    if not isinstance(value, dict):
        raise Refused(RefusalReason.BODY_MALFORMED, "not a JSON object")
    return {name: _word(scalar) for name, scalar in value.items() if isinstance(scalar, str | bool)}


def _word(scalar: str | bool) -> str:
    if isinstance(scalar, bool):
        return "true" if scalar else "false"
    return str(scalar)


def joined(separator: str, names: Sequence[str]) -> Callable[[Fields, bytes], bytes]:
    """The message of which the values of *names* are made, in this order; an absent one is empty."""
    return lambda fields, _: separator.join(fields.get(name, "") for name in names).encode()


@dataclass(frozen=True, slots=True)
class FieldScheme:
    """
    A provider's way to sign fields.

    *signature* names the field that holds the signature. *message* makes of the fields and the secret what is
    digested. *keyed*: by HMAC with the secret as key; otherwise the message holds the secret itself.
    *any_case*: the signature may be written in capitals.
    """

    signature: str
    message: Callable[[Fields, bytes], bytes]
    fields: Callable[[Call], Fields] = json_scalars
    digest: DigestName = "sha256"
    keyed: bool = False
    key: KeyForm = KeyForm.TEXT
    encoding: SignatureEncoding = SignatureEncoding.HEX
    any_case: bool = False

    def verify(self, call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        """
        Prove that the fields were signed with one of *secrets*.

        Raises:
            Refused: in every other case, and nothing but this for any input.
        """
        values = usable(secrets, now)
        keys = self.key.derive_all(values) if self.keyed else values
        fields = self.fields(call)
        given = fields.get(self.signature, "")
        if not given:
            raise Refused(RefusalReason.BODY_MALFORMED, f"no {self.signature}")
        if self.any_case:
            given = given.lower()
        genuine = False
        for key in keys:
            # Each is compared, in constant time: the duration tells nothing about which one fits.
            genuine |= hmac.compare_digest(self._signature(fields, key), given.encode())
        if not genuine:
            raise Refused(RefusalReason.SIGNATURE_WRONG, f"{len(values)} valid secrets")

    def signature_of(self, fields: Fields, secret: bytes) -> str:
        """Return the signature of *fields*; raises `Refused` for a secret in another form."""
        return self._signature(fields, self.key.derive(secret) if self.keyed else secret).decode()

    def _signature(self, fields: Fields, key: bytes) -> bytes:
        message = self.message(fields, key)
        digest = hmac.digest(key, message, self.digest) if self.keyed else _hash(self.digest, message)
        return self.encoding.encode(digest)


def _hash(name: DigestName, message: bytes) -> bytes:
    return hashlib.new(name, message).digest()
