"""Signatures by keys of the provider's own."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from routers.call import Call
from routers.refusal import RefusalReason
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, call, refusal
from tests.unit.schemes import EC_KEY, ECDSA, RSA, RSA_KEY, certificate, pem

BODY = b'{"id":"evt_1"}'
SECRETS = [Secret(SECRET)]


@pytest.mark.parametrize("written", [pem(EC_KEY), base64.b64encode(pem(EC_KEY))])
def test_ecdsa(written: bytes) -> None:
    """The key as a PEM or as the base64 of one."""
    signature = base64.b64encode(EC_KEY.sign(BODY, ec.ECDSA(SHA256()))).decode()

    ECDSA.verify(call(BODY, [("X-Sign", signature)]), [Secret(b"other"), Secret(written)][1:], NOW)


def test_rsa_by_a_fetched_certificate() -> None:
    """The key comes with the call's evidence."""
    signature = base64.b64encode(RSA_KEY.sign(BODY, padding.PKCS1v15(), SHA256())).decode()
    sent = call(BODY, [("x-sig", signature)])
    proven = Call(sent.body, sent.headers, evidence=certificate(RSA_KEY))

    RSA.verify(proven, SECRETS, NOW)
    assert refusal(RSA.verify, sent) is RefusalReason.KEY_UNUSABLE


@pytest.mark.parametrize(
    "written",
    [
        b"x",
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        pem(ec.generate_private_key(ec.SECP384R1())),
        RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ],
)
def test_another_key_opens_nothing(written: bytes) -> None:
    """Garbage, another curve, another algorithm."""
    assert refusal(ECDSA.verify, call(BODY, [("X-Sign", "AAAA")]), Secret(written)) is (
        RefusalReason.KEY_UNUSABLE
    )


@pytest.mark.parametrize("signature", ["", "x", "AAAA", "%%%%", base64.b64encode(b"0" * 70).decode()])
def test_another_signature_is_refused(signature: str) -> None:
    """Not base64, not DER, not by this key."""
    assert refusal(ECDSA.verify, call(BODY, [("X-Sign", signature)]), Secret(pem(EC_KEY))) is (
        RefusalReason.SIGNATURE_WRONG
    )
