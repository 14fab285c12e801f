"""Who called: the peer, or whom the trusted proxies in front of us name."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

FORWARDED_FOR: Final = b"x-forwarded-for"
#: More hops than any chain of proxies has; what lies further left is the caller's own invention.
MAX_HOPS: Final = 16
_BRACKETED: Final = re.compile(r"\[([^][]+)\](?::[0-9]{1,5})?")
_WITH_PORT: Final = re.compile(r"([^:]+):[0-9]{1,5}")


def callers_address(
    peer: str, headers: Iterable[tuple[bytes, bytes]], trusted_proxies: Sequence[Network]
) -> str:
    """
    The nearest address that is not a trusted proxy's, counted from the right of `X-Forwarded-For`.

    Each proxy appends whom it saw, so only what trusted proxies have written is believed; whatever the
    caller put there itself stands further left. Without trusted proxies it is *peer*. An entry that is no
    address ends the count: "" is in no network.
    """
    if not trusted_proxies:
        return peer
    address = parsed(peer)
    if address is None or not within(address, trusted_proxies):
        return peer
    lines = [value for name, value in headers if name.lower() == FORWARDED_FOR]
    hops = [hop for line in lines for hop in line.decode("latin-1").split(",")]
    for hop in reversed(hops[-MAX_HOPS:]):
        address = parsed(hop)
        if address is None:
            return ""
        if not within(address, trusted_proxies):
            return str(address)
    # Every hop is a proxy of ours: the call began inside.
    return str(address)


def parsed(text: str) -> Address | None:
    """
    The address that *text* is: plain, `1.2.3.4:5678` or `[2001:db8::1]:5678`; None: it is none.

    An IPv4 address in IPv6 clothes (`::ffff:1.2.3.4`) counts as what it is.
    """
    text = text.strip()
    dressed = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(dressed[1] if dressed else text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def within(address: Address, networks: Iterable[Network]) -> bool:
    """Tell whether *address* is in one of *networks*."""
    return any(address in network for network in networks)
