"""Signatures that only the provider can make and everybody can check: ECDSA P-256 and RSA."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification.certificate import read_certificates
from routers.verification.encoding import SignatureEncoding
from routers.verification.hmac_scheme import MAX_SIGNATURES
from routers.verification.secret import Secret, usable
from routers.verification.signature_header import HeaderForm, Plain

MIN_RSA_BITS: Final = 2048

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
KeyReader: TypeAlias = Callable[[bytes], PublicKey]
"""Raises `ValueError`, `TypeError` or `UnsupportedAlgorithm` for what is no key of its kind."""


def ec_p256(written: bytes) -> PublicKey:
    """The P-256 key of a PEM, or of the base64 of one."""
    pem = written if written.lstrip().startswith(b"-----") else base64.b64decode(written, validate=True)
    key = load_pem_public_key(pem)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TypeError("not a P-256 key")
    return key


def rsa_certificate(written: bytes) -> PublicKey:
    """The RSA key, of `MIN_RSA_BITS` or more, of the first certificate in a PEM."""
    key = read_certificates(written)[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA_BITS:
        raise ValueError("not a certificate of a long enough RSA key")
    return key


@lru_cache(maxsize=256)
def _key(reader: KeyReader, written: bytes) -> PublicKey:
    try:
        return reader(written)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(RefusalReason.KEY_UNUSABLE, "not a key of this kind") from None


def _keys(reader: KeyReader, written: Sequence[bytes]) -> list[PublicKey]:
    """Those that are keys of this kind; raises `Refused` where none is."""
    keys = []
    for each in written:
        try:
            keys.append(_key(reader, each))
        except Refused:
            continue
    if not keys:
        raise Refused(RefusalReason.KEY_UNUSABLE, f"none of {len(written)} is a key of this kind")
    return keys


@dataclass(frozen=True, slots=True)
class PublicKeyScheme:
    """
    A provider's way to sign with a key of its own.

    *message* makes of the call what is signed; it raises `Refused` where it cannot. The key comes from the
    secrets, or, *fetched*, from the provider's API as the call's evidence.
    """

    header: str
    key: KeyReader
    message: Callable[[Call], bytes]
    form: HeaderForm = field(default_factory=Plain)
    encoding: SignatureEncoding = SignatureEncoding.BASE64
    fetched: bool = False

    def verify(self, call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        """
        Prove that *call* was signed with the private half of a key that we know.

        Raises:
            Refused: in every other case, and nothing but this for any input.
        """
        known = usable(secrets, now)
        keys = _keys(self.key, [call.evidence] if self.fetched else known)
        given = self.form.read(call.header(self.header)).signatures
        if not 1 <= len(given) <= MAX_SIGNATURES:
            raise Refused(RefusalReason.HEADER_MALFORMED, f"{len(given)} signatures")
        message = self.message(call)
        signatures = [self.encoding.decode(each) for each in given]
        if not any(_fits(key, signature, message) for key in keys for signature in signatures):
            raise Refused(RefusalReason.SIGNATURE_WRONG, f"{len(given)} given, {len(keys)} keys")


def _fits(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(SHA256()))
        else:
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
