"""Who called, seen through the proxies that are trusted and through no others."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.callers_address import callers_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    "peer, forwarded, caller",
    [
        ("203.0.113.9", ["198.51.100.7"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.7, 203.0.113.9, 10.1.1.1"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.2.3.4, unknown"], ""),
        ("10.0.0.1", ["1.2.3.4, "], ""),
        ("10.0.0.1", ["1.2.3.4:"], ""),
        ("10.0.0.1", ["1.2.3.4:http"], ""),
        ("10.0.0.1", ["[2a02:5180::7"], ""),
        ("10.0.0.1", ["[2a02:5180::7]x"], ""),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.2.2.2, 10.3.3.3"], "10.2.2.2"),
        ("10.0.0.1", ["203.0.113.9:1234"], "203.0.113.9"),
        ("2001:db8::1", ["2a02:5180::7"], "2a02:5180::7"),
        ("2001:db8::1", ["[2a02:5180::7]:443"], "2a02:5180::7"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("", ["203.0.113.9"], ""),
        ("testclient", ["203.0.113.9"], "testclient"),
    ],
)
def test_the_address_is_counted_from_the_right(peer: str, forwarded: list[str], caller: str) -> None:
    """Only what a trusted proxy appended counts; what the caller wrote itself stands further left."""
    headers = [(b"X-Forwarded-For", line.encode()) for line in forwarded]

    assert callers_address(peer, headers, PROXIES) == caller


def test_without_trusted_proxies_the_header_means_nothing() -> None:
    """It is the address of the connection, whatever the caller claims."""
    assert callers_address("10.0.0.1", [(b"x-forwarded-for", b"1.2.3.4")], []) == "10.0.0.1"


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_no_header_breaks_the_count(lines: list[bytes]) -> None:
    """Whatever the bytes are, the answer is a text."""
    answer = callers_address("10.0.0.1", [(b"x-forwarded-for", line) for line in lines], PROXIES)

    assert isinstance(answer, str)


@given(st.lists(st.sampled_from(["10.0.0.1", "6.6.6.6", "junk", ""]), max_size=20))
def test_nobody_can_push_an_address_past_the_proxy(invented: list[str]) -> None:
    """Whatever a caller puts in front, the entry that our proxy appended decides."""
    header = ", ".join([*invented, "203.0.113.9"]).encode()

    assert callers_address("10.0.0.1", [(b"x-forwarded-for", header)], PROXIES) == "203.0.113.9"
