"""What a signature's header looks like: each form reads one and writes one."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from routers.refusal import RefusalReason, Refused


class Signed(NamedTuple):
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
        timestamps, signatures = [], []
        for item in header.split(self.separator):
            name, _, value = item.strip().partition("=")
            if name == self.timestamp:
                timestamps.append(value)
            if name == self.signature:
                signatures.append(value)
        if len(timestamps) != 1:
            raise Refused(RefusalReason.HEADER_MALFORMED, f"{len(timestamps)} timestamps")
        return Signed(tuple(signatures), timestamps[0])

    def write(self, signed: Signed) -> str:
        """Return the header that says *signed*."""
        pairs = [(self.timestamp, signed.timestamp), *((self.signature, each) for each in signed.signatures)]
        return self.separator.join(f"{name}={value}" for name, value in pairs)
