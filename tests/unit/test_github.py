"""GitHub's deliveries, and its documented signature."""

import pytest

from routers.call import Call
from routers.document import Unreadable
from routers.generic.github import PROVIDER, translate
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine


def test_the_documented_vector_is_accepted() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, "Testing"."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    sent = call(b"Hello, World!", [("X-Hub-Signature-256", signature)])

    PROVIDER.verify(sent, [Secret(b"It's a Secret to Everybody")], NOW)


@pytest.mark.parametrize(
    "header, reason",
    [
        ("757107ea", RefusalReason.HEADER_MALFORMED),
        ("sha1=757107ea", RefusalReason.HEADER_MALFORMED),
        ("sha256=", RefusalReason.SIGNATURE_WRONG),
    ],
)
def test_another_form_is_refused(header: str, reason: RefusalReason) -> None:
    """The older `sha1=` among them."""
    with pytest.raises(Refused) as caught:
        PROVIDER.verify(call(b"{}", [("X-Hub-Signature-256", header)]), [Secret(b"s")], NOW)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "own_type, told",
    [
        ("ping", "github.ping"),
        ("push", "github.push"),
        ("repository_dispatch", "github.repository_dispatch.booked"),
    ],
)
def test_the_type_names_event_and_action(own_type: str, told: str) -> None:
    """And the object is the repository."""
    event = translate(genuine(PROVIDER, own_type), NOW).event

    assert (event.type, event.object_id) == (told, "example/rooms")


def test_a_token_travels_in_a_dispatch() -> None:
    """In its payload, where whoever triggers it puts it."""
    assert translate(genuine(PROVIDER, "repository_dispatch"), NOW).token == TOKEN


def test_a_replay_under_another_name_is_known() -> None:
    """The headers are not signed: the key does not depend on them."""
    sent = genuine(PROVIDER, "push")
    renamed = [
        (name, b"release" if name == b"x-github-event" else b"another" if b"delivery" in name else value)
        for name, value in sent.headers
    ]

    replayed = translate(Call(sent.body, renamed), NOW)

    assert replayed.idempotency_key == translate(sent, NOW).idempotency_key


def test_a_delivery_without_a_name_is_unreadable() -> None:
    """It is authentic, though, and kept as what it is."""
    with pytest.raises(Unreadable):
        translate(call(b"{}"), NOW)
