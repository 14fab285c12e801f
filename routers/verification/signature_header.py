"""What a signature's header looks like: each form reads one and writes one."""

from dataclasses import dataclass
from typing import Protocol

from routers.refusal import RefusalReason, Refused


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature header says: the candidates, and the timestamp's digits if it carries one."""

    signatures: tuple[str, ...]
    timestamp: str | None = None


class HeaderForm(Protocol):
    """How a signature stands in its header."""

    def read(self, header: str) -> Signed:
        """Return what *header* says; raises `Refused` where it is in another form."""

    def write(self, signed: Signed) -> str:
        """Return the header that says *signed*."""


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
