"""
Each provider's verifier and translator under inputs that hypothesis looks for, and shrinks when one breaks.

`test_provider_fuzz.py` walks far from genuine calls with many inputs; here the inputs are small and odd.
GATEWAY_PROPERTY_INPUTS: how many for each provider, 10 by default.
"""

import os
from collections.abc import Callable

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routers.call import Call
from routers.document import Unreadable
from routers.provider import Proof, Provider
from routers.refusal import Refused
from routers.verification import Secret
from tests.unit.calls import NOW, genuine, known, registered

INPUTS = int(os.environ.get("GATEWAY_PROPERTY_INPUTS", "10"))
STRANGERS = Secret(b"whsec_bm90IHRoZSBzZWNyZXQ=")
PROVIDERS = [pytest.param(provider, id=kind) for kind, provider in registered().items()]
EASY = settings(
    max_examples=INPUTS,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def names_of(value: object) -> set[str]:
    """Every name that stands in *value*."""
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in names_of(inner)}
    if isinstance(value, list):
        return {name for inner in value for name in names_of(inner)}
    return set()


def contents(provider: Provider) -> st.SearchStrategy[bytes]:
    """Bodies: any bytes, and JSON out of the names that the provider's examples use."""
    names: set[str] = set()
    for own_type in provider.examples:
        call = genuine(provider, own_type)
        for content in (call.body, call.fetched or b""):
            try:
                names |= names_of(orjson.loads(content))
            except orjson.JSONDecodeError:
                continue
    words = st.sampled_from(sorted(names | {"id", "type"}))
    scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6)
    values = st.recursive(
        scalars, lambda inner: st.dictionaries(words, inner, max_size=4) | st.lists(inner, max_size=2)
    )
    return st.binary(max_size=40) | values.map(
        lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    )


def calls(provider: Provider) -> st.SearchStrategy[Call]:
    """Calls with the provider's headers, each value as it may come over HTTP."""
    names = sorted(
        {name for own_type in provider.examples for name, _ in genuine(provider, own_type).headers}
    )
    values = st.binary(max_size=30) | st.sampled_from([b"t=1,v1=00", b"sha256=00", b"v1,AA== v1a,AA=="])
    headers = st.lists(st.tuples(st.sampled_from(names), values), max_size=6) if names else st.just([])
    body = contents(provider)
    return st.builds(Call, body, headers, st.binary(max_size=20), fetched=st.none() | body, evidence=body)


@pytest.mark.hypothesis
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_call_breaks_a_verifier_or_opens_it(provider: Provider) -> None:
    """Nothing but the one refusal; what asks the API proves itself there, and may ask."""

    @given(calls(provider))
    @EASY
    def refused(call: Call) -> None:
        for secret in (STRANGERS, known(provider)):
            try:
                provider.verify(call, [secret], NOW)
            except Refused:
                continue
            assert provider.proof is not Proof.SIGNATURE or provider.evidence is not None

    run: Callable[[], None] = refused
    run()


@pytest.mark.hypothesis
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_call_breaks_a_translator(provider: Provider) -> None:
    """An event or `Unreadable`, nothing else."""

    @given(calls(provider))
    @EASY
    def translated(call: Call) -> None:
        try:
            assert len(provider.translate(call, NOW).idempotency_key) <= 200
        except Unreadable:
            return

    run: Callable[[], None] = translated
    run()
