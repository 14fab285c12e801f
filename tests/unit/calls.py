"""Calls as they reach the verifiers, made by hand or by a provider's own signer."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import pytest

from routers.call import Call
from routers.provider import Example, Provider
from routers.refusal import RefusalReason, Refused
from routers.registry import providers
from routers.verification import Secret, Verifier

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TOKEN: Final = "0a" + "k7" * 12
SECRET: Final = b"whsec_b2YgdGhlIHRlc3Rz"


def call(body: bytes, headers: Iterable[tuple[str, str]] = ()) -> Call:
    """A POST with *body* and *headers*, as a server hands it on."""
    return Call(body, tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers))


def refusal(verify: Verifier, refused: Call, *secrets: Secret, now: datetime = NOW) -> RefusalReason:
    """The reason for which *verify* refuses *refused*."""
    with pytest.raises(Refused) as caught:
        verify(refused, secrets or (Secret(SECRET),), now)
    return caught.value.reason


URL: Final = "https://bot.example/webhooks/source"


def registered() -> Mapping[str, Provider]:
    """Every registered provider, with the options of its examples."""
    return {kind: provider.configured(provider.example_options) for kind, provider in providers().items()}


def genuine(
    provider: Provider, own_type: str, example: Example | None = None, *, secret: bytes | None = None
) -> Call:
    """
    What *provider* would send for *own_type*, signed at the example's time.

    It is signed with *secret*, or with the provider's example key. What the provider's API would have
    answered to the edge comes with it.
    """
    facts = example or Example(token=TOKEN, at=NOW)
    key = secret or key_of(provider)
    sent = provider.signed(provider.examples[own_type](facts), key, facts.at, url=URL)
    fact = provider.api_examples.get(own_type)
    return sent.as_call(
        public_url=URL,
        evidence=provider.example_evidence(key) if provider.example_evidence else b"",
        fetched=fact(facts) if fact else None,
    )


def known(provider: Provider) -> Secret:
    """What we hold of the key with which `genuine` signs."""
    return Secret(provider.known_half(key_of(provider)))


def key_of(provider: Provider) -> bytes:
    """What the provider signs its examples with."""
    return provider.example_key() if provider.example_key else SECRET
