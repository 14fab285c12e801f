"""Calls that are believed by the address that they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Self

from routers.call import Call
from routers.callers_address import Network, parsed, within
from routers.refusal import RefusalReason, Refused
from routers.verification.secret import Secret, usable


@dataclass(frozen=True, slots=True)
class AllowedNetworks:
    """The *networks* that a provider says it calls from. Empty: any address is as good as another."""

    networks: tuple[Network, ...]

    @classmethod
    def of(cls, *networks: str) -> Self:
        """Return the networks that are written ``10.0.0.0/8``, ``2001:db8::/32`` or ``10.0.0.1``."""
        return cls(tuple(ip_network(network) for network in networks))

    def verify(self, call: Call, secrets: Sequence[Secret], now: datetime) -> None:
        """
        Prove that *call* comes from one of the networks, to a source that is configured.

        Raises:
            Refused: in every other case, and nothing but this for any input.
        """
        usable(secrets, now)
        address = parsed(call.remote_address)
        if self.networks and (address is None or not within(address, self.networks)):
            raise Refused(RefusalReason.ADDRESS_NOT_ALLOWED, call.remote_address[:64])
