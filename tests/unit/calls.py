"""Calls as they reach the verifiers, made by hand or by a provider's own signer."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from routers.call import Call
from routers.provider import Example, Provider
from routers.registry import providers

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TOKEN: Final = "0a" + "k7" * 12
SECRET: Final = b"whsec_b2YgdGhlIHRlc3Rz"


def call(body: bytes, headers: Iterable[tuple[str, str]] = ()) -> Call:
    """A POST with *body* and *headers*, as a server hands it on."""
    return Call(body, tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers))


URL: Final = "https://bot.example/webhooks/source"


def registered() -> Mapping[str, Provider]:
    """Every registered provider, with the options of its examples."""
    return {kind: provider.configured(provider.example_options) for kind, provider in providers().items()}


def genuine(
    provider: Provider, own_type: str, example: Example | None = None, *, secret: bytes | None = None
) -> Call:
    """What *provider* would send for *own_type*, signed at the example's time."""
    facts = example or Example(token=TOKEN, at=NOW)
    sent = provider.signed(provider.examples[own_type](facts), secret or SECRET, facts.at, url=URL)
    return sent.as_call(public_url=URL)
