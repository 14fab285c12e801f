"""Certificates that come with a call: believed only if a trusted authority vouches for them now."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import certifi
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import (
    Certificate,
    DNSName,
    DuplicateExtension,
    InvalidVersion,
    UnsupportedGeneralNameType,
    load_pem_x509_certificates,
)
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from routers.refusal import RefusalReason, Refused

#: No public authority is further from its root; what more a sender adds is not looked at.
MAX_INTERMEDIATES: Final = 8
#: What the library raises beside `ValueError`; the last one where warnings are errors.
_UNREADABLE: Final = (
    UnsupportedAlgorithm,
    InvalidVersion,
    DuplicateExtension,
    UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)


@cache
def public_roots() -> tuple[Certificate, ...]:
    """The authorities that Mozilla trusts, as the `certifi` package lists them."""
    with warnings.catch_warnings():
        # One of them has no positive serial number, of which the library warns.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return tuple(load_pem_x509_certificates(Path(certifi.where()).read_bytes()))


def read_certificates(written: bytes) -> Sequence[Certificate]:
    """
    The certificates of a PEM, in its order.

    Raises:
        ValueError: there is none, or one that cannot be read.
    """
    try:
        return load_pem_x509_certificates(written)
    except _UNREADABLE as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class CertificateCheck:
    """
    What a certificate must be: valid now and, with *authorities*, issued for one of *names*.

    *authorities* are those who may have vouched for it, by way of others that come behind it in the same PEM;
    empty: whoever. RFC 5280 says how a chain is followed, the CA/Browser Forum what each link must be.
    """

    names: tuple[str, ...]
    authorities: tuple[Certificate, ...] = field(repr=False)

    def check(self, written: bytes, now: datetime) -> None:
        """
        Find the first certificate of the PEM *written* to be trusted at *now*.

        Raises:
            Refused: in every other case, and nothing but this for any input.
        """
        try:
            leaf, *others = read_certificates(written)
        except ValueError:
            raise Refused(RefusalReason.KEY_UNUSABLE, "no certificate that can be read") from None
        if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
            valid = f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"
            raise Refused(RefusalReason.KEY_UNUSABLE, f"the certificate is valid from {valid}")
        if self.authorities and not self._vouched_for(leaf, others[:MAX_INTERMEDIATES], now):
            names = " or ".join(self.names)
            raise Refused(RefusalReason.KEY_UNUSABLE, f"no trusted authority has issued it for {names}")

    def _vouched_for(self, leaf: Certificate, others: list[Certificate], now: datetime) -> bool:
        policy = PolicyBuilder().store(_store(self.authorities)).time(now)
        for name in self.names:
            try:
                policy.build_server_verifier(DNSName(name)).verify(leaf, others)
            except (VerificationError, ValueError, *_UNREADABLE):
                continue
            return True
        return False


@cache
def _store(authorities: tuple[Certificate, ...]) -> Store:
    return Store(list(authorities))
