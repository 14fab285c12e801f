"""A made-up certificate authority: examples and tests have their certificates issued by it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
_FOR: Final = timedelta(days=7300)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _usage(*, of_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not of_authority,
        key_cert_sign=of_authority,
        crl_sign=of_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


class ExampleAuthority:
    """Issues what a public authority would (RFC 5280), under a key of its own; below *above*, if given."""

    def __init__(self, name: str, above: "ExampleAuthority | None" = None) -> None:
        self._name = _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        vouching = above or self
        builder = vouching._begun(self._name, self._key.public_key(), _FROM, _FROM + _FOR)  # noqa: SLF001 - one of us
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(of_authority=True), critical=True)
        self._certificate = builder.sign(vouching._key, SHA256())  # noqa: SLF001 - one of us

    def certificate_pem(self) -> str:
        """The authority's own certificate."""
        return self._certificate.public_bytes(Encoding.PEM).decode()

    def issued(
        self,
        name: str,
        key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        *,
        not_before: datetime = _FROM,
        not_after: datetime = _FROM + _FOR,
    ) -> bytes:
        """The certificate (PEM) that says *key* is of the host *name*."""
        builder = self._begun(_named(name), key, not_before, not_after)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.SubjectAlternativeName([x509.DNSName(name)]), False),
            (_usage(of_authority=False), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        ]
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM)

    def _begun(
        self,
        subject: x509.Name,
        key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        not_before: datetime,
        not_after: datetime,
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(not_before).not_valid_after(not_after)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return builder.add_extension(identifier, critical=False)
