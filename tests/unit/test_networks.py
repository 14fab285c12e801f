"""Calls that are believed by the address that they come from."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification import AllowedNetworks, Secret
from tests.unit.calls import NOW, SECRET

TEN = AllowedNetworks.of("10.0.0.0/8")
V6 = AllowedNetworks.of("2001:db8::/32")
FIRST, LAST = IPv4Address("10.0.0.0"), IPv4Address("10.255.255.255")


def believed(networks: AllowedNetworks, address: str) -> bool:
    """Whether a call from *address* opens; nothing but the one refusal may come instead."""
    try:
        networks.verify(Call(b"", remote_address=address), [Secret(SECRET)], NOW)
    except Refused:
        return False
    return True


def mapped(address: IPv4Address) -> IPv6Address:
    """The address as a socket of both families reports it: ``::ffff:10.0.0.1``."""
    return IPv6Address(0xFFFF_0000_0000 + int(address))


@pytest.mark.parametrize(
    "address, allowed",
    [
        ("185.71.76.31", True),
        ("::ffff:185.71.76.31", True),
        ("185.71.76.32", False),
        ("77.75.156.11", True),
        ("2a02:5180:0:1::1", True),
        ("2a02:5181::1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_networks(address: str, allowed: bool) -> None:
    """Both families, single addresses, and none at all."""
    networks = AllowedNetworks.of("185.71.76.0/27", "77.75.156.11", "2a02:5180::/32")

    assert believed(networks, address) is allowed


v4_addresses = st.ip_addresses(v=4) | st.integers(int(FIRST), int(LAST)).map(IPv4Address)
DOCUMENTATION = 0x20010DB8
v6_addresses = st.ip_addresses(v=6) | st.integers(0, 2**96 - 1).map(
    lambda low: IPv6Address((DOCUMENTATION << 96) + low)
)


@given(v4_addresses)
@example(FIRST)
@example(LAST)
@example(FIRST - 1)
@example(LAST + 1)
def test_an_address_opens_exactly_if_it_lies_in_the_network(address: IPv4Address) -> None:
    """In each way to write it: plain, with a port, in the clothes of IPv6."""
    inside = FIRST <= address <= LAST
    clothed = mapped(address)

    for written in (f"{address}", f"{address}:443", f" {address} ", f"{clothed}", f"[{clothed}]:443"):
        assert believed(TEN, written) is inside
        assert not believed(V6, written)


@given(v6_addresses)
@example(IPv6Address("::10.0.0.1"))
@example(IPv6Address("64:ff9b::10.0.0.1"))
@example(IPv6Address("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"))
@example(IPv6Address("2001:db9::"))
def test_an_address_of_the_other_family_opens_by_its_own_bits(address: IPv6Address) -> None:
    """An address of IPv6 that only carries one of IPv4 in it is none of IPv4."""
    assume(address.ipv4_mapped is None)
    inside = int(address) >> 96 == DOCUMENTATION

    for written in (f"{address}", address.exploded.upper(), f"[{address}]", f"[{address}]:443"):
        assert believed(V6, written) is inside
        assert not believed(TEN, written)


ANY = AllowedNetworks.of("0.0.0.0/0", "::/0")


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/8",
        "10.0.0.1:",
        "10.0.0.1:http",
        "10.0.0.1:443:443",
        "10.0.0.1:123456",
        "[10.0.0.1",
        "10.0.0.1]",
        "[10.0.0.1]junk",
        "[10.0.0.1]:",
        "[[10.0.0.1]]",
        "[]",
        "010.0.0.1",
        "10.1",
        "167772161",
        "10.0.0.1, 10.0.0.1",
        "\u0661\u0660.0.0.1",
        "",
    ],
)
def test_what_is_only_almost_an_address_opens_nothing(text: str) -> None:
    """It must be one from its first to its last character; brackets and a port are whole or not there."""
    with pytest.raises(Refused) as caught:
        ANY.verify(Call(b"", remote_address=text), [Secret(SECRET)], NOW)
    assert caught.value.reason is RefusalReason.ADDRESS_NOT_ALLOWED


def is_an_address(text: str) -> bool:
    """Whether the standard library takes *text* for an address as it stands."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@given(st.text(max_size=20) | st.text("0123456789.:[]%af/ ", max_size=20))
def test_no_text_opens_that_holds_no_address(text: str) -> None:
    """Whatever it is: neither itself, nor what stands in its brackets or before its port, is an address."""
    text = text.strip()
    assume(not is_an_address(text) and not is_an_address(text.rpartition(":")[0].strip("[]")))
    assume(not is_an_address(text.strip("[]")))

    assert not believed(ANY, text)
