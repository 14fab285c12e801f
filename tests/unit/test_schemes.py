"""What holds for every scheme: it can be combined with another, and no input opens or breaks it."""

import os
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.call import Call
from routers.refusal import RefusalReason, Refused
from routers.verification import (
    AllowedNetworks,
    Secret,
    SharedToken,
    Verifier,
    all_of,
    any_of,
    in_basic,
    in_path,
)
from tests.unit.calls import NOW, SECRET, refusal
from tests.unit.schemes import CHOSEN, EC_KEY, ECDSA, RSA, SORTED, pem

SECRETS = [Secret(SECRET)]
#: As many for each scheme; more in `make chaos`.
INPUTS = int(os.environ.get("GATEWAY_PROPERTY_INPUTS", "200"))


def test_verifiers_can_be_combined() -> None:
    """All of them, or any of them."""
    network, token = AllowedNetworks.of("10.0.0.1").verify, SharedToken(in_path).verify
    both = Call(b"", remote_address="10.0.0.1", path_secret=SECRET.decode())
    one = Call(b"", remote_address="10.0.0.1")

    all_of(network, token)(both, SECRETS, NOW)
    any_of(token, network)(one, SECRETS, NOW)
    assert refusal(all_of(network, token), one) is RefusalReason.HEADER_MISSING
    assert refusal(any_of(token, network), Call(b"")) is RefusalReason.ADDRESS_NOT_ALLOWED


SCHEMES: dict[str, tuple[Verifier, bytes]] = {
    "sorted": (SORTED.verify, SECRET),
    "chosen": (CHOSEN.verify, SECRET),
    "ecdsa": (ECDSA.verify, pem(EC_KEY)),
    "rsa": (RSA.verify, SECRET),
    "path": (SharedToken(in_path).verify, SECRET),
    "basic": (SharedToken(in_basic).verify, SECRET),
}
header_names = st.sampled_from(
    [
        b"webhook-signature",
        b"svix-signature",
        b"webhook-id",
        b"webhook-timestamp",
        b"x-sign",
        b"x-sig",
        b"authorization",
    ]
)
header_values = st.binary(max_size=60) | st.sampled_from(
    [b"v1,AAAA", b"v1a,AAAA", b"Basic AAAA", b"1795521600"]
)
bodies = (
    st.binary(max_size=100)
    | st.dictionaries(
        st.sampled_from(["Token", "a", "b"]), st.text(max_size=9) | st.floats() | st.none()
    ).map(orjson.dumps)
    | st.dictionaries(st.sampled_from(["sign", "a", "b"]), st.text(max_size=9)).map(
        lambda fields: "&".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8")
    )
)
any_call = st.builds(
    Call,
    bodies,
    st.lists(st.tuples(header_names, header_values), max_size=4),
    st.binary(max_size=40),
    st.ip_addresses(v=6).map(str) | st.text(max_size=20),
    st.sampled_from(["GET", "POST"]),
    path_secret=st.text(max_size=20),
    evidence=st.binary(max_size=60),
)


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", SCHEMES)
def test_no_input_opens_or_breaks_a_scheme(name: str) -> None:
    """Whatever comes without the secret ends in `Refused` and in nothing else."""
    verify, secret = SCHEMES[name]

    @given(any_call)
    @settings(max_examples=INPUTS, deadline=None)
    def refused(sent: Call) -> None:
        with pytest.raises(Refused):
            verify(sent, [Secret(secret)], NOW)

    run: Callable[[], None] = refused
    run()
