"""Calls as they reach the verifiers, made by hand or by a provider's own signer."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from routers.call import Call
from routers.provider import Example, Provider

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TOKEN: Final = "0a" + "k7" * 12
SECRET: Final = b"whsec_of_the_tests"


def call(body: bytes, headers: Iterable[tuple[str, str]] = ()) -> Call:
    """A POST with *body* and *headers*, as a server hands it on."""
    return Call(body, tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers))


def genuine(
    provider: Provider, own_type: str, example: Example | None = None, *, secret: bytes = SECRET
) -> Call:
    """What *provider* would send for *own_type*, signed with *secret* at the example's time."""
    facts = example or Example(token=TOKEN, at=NOW)
    assert provider.sign is not None
    body = provider.examples[own_type](facts)
    return call(body, provider.sign(body, secret, facts.at))
