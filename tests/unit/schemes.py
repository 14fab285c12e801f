"""One verifier of each kind, made by hand, and the keys that its callers hold."""

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from routers.verification import FieldScheme, PublicKeyScheme, form_fields, joined
from routers.verification.public_key import ec_p256, rsa_certificate
from tests.unit.calls import NOW

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)

SORTED = FieldScheme(
    "Token",
    lambda fields, secret: (
        "".join(fields[name] for name in sorted(fields) if name != "Token").encode() + secret
    ),
)
CHOSEN = FieldScheme(
    "sign", joined(";", ["a", "b"]), fields=form_fields, digest="md5", keyed=True, any_case=True
)
ECDSA = PublicKeyScheme("X-Sign", ec_p256, lambda each: each.body)
RSA = PublicKeyScheme("x-sig", rsa_certificate, lambda each: each.body, fetched=True)


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, as a PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def certificate(key: rsa.RSAPrivateKey) -> bytes:
    """A certificate of the public half, as a PEM."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
