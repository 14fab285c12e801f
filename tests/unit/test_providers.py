"""What holds for every registered provider."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import orjson
import pytest

from routers.call import Call
from routers.document import Unreadable
from routers.event import OtherEvent
from routers.payments.events import PaymentMismatched, PaymentPromised
from routers.provider import Example, Proof, Provider, unreadable
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, genuine, known, registered

#: Whose senders have types of their own, none of which has a word of ours.
GENERIC = {"github", "standardwebhooks", "googlecalendar", "adyen-platform"}
PROVIDERS = [pytest.param(provider, id=kind) for kind, provider in registered().items()]
OTHER_TOKEN = TOKEN[::-1]
#: For most a wrong secret, for some one in a form that is not theirs: a valid one beside it must still count.
ANOTHER = Secret(b"whsec_d3Jvbmc=")
Applies: TypeAlias = Callable[[Provider, str], bool]


def examples_where(applies: Applies) -> list[pytest.ParameterSet]:
    """The examples that *applies* picks: never none, as a test of nothing would pass."""
    picked = [
        pytest.param(provider, own_type, id=f"{kind}-{own_type}")
        for kind, provider in registered().items()
        for own_type in provider.examples
        if applies(provider, own_type)
    ]
    assert picked, "no example is picked"
    return picked


EXAMPLES = examples_where(lambda _provider, _own_type: True)


@pytest.mark.parametrize("provider, own_type", EXAMPLES)
def test_each_example_is_genuine(provider: Provider, own_type: str) -> None:
    """What a provider's signer signs passes its verifier, before, while and after a secret is rotated."""
    sent, secret = genuine(provider, own_type), known(provider)

    for secrets in ([secret], [ANOTHER, secret], [secret, ANOTHER]):
        provider.verify(sent, secrets, NOW)


def forged(sent: Call) -> Call:
    """The call with another token in it, or with one more byte where the token is wrapped."""
    here, there = TOKEN.encode(), OTHER_TOKEN.encode()
    if here in sent.body or here in sent.query:
        return replace(sent, body=sent.body.replace(here, there), query=sent.query.replace(here, there))
    return replace(sent, body=sent.body + b" ")


def held_to_its_secret(provider: Provider, _: str) -> bool:
    """Whether what we hold decides, and not a key or a fact that the provider's API is asked for."""
    return provider.proof is not Proof.API and provider.example_evidence is None


@pytest.mark.parametrize("provider, own_type", examples_where(held_to_its_secret))
def test_each_example_is_refused_with_another_secret(provider: Provider, own_type: str) -> None:
    """The wrong key does not open."""
    with pytest.raises(Refused) as caught:
        provider.verify(genuine(provider, own_type), [ANOTHER], NOW)
    assert caught.value.reason in {RefusalReason.SIGNATURE_WRONG, RefusalReason.KEY_UNUSABLE}


@pytest.mark.parametrize(
    "provider, own_type", examples_where(lambda provider, _: provider.proof is Proof.SIGNATURE)
)
def test_each_example_is_refused_with_another_content(provider: Provider, own_type: str) -> None:
    """What is signed can say nothing else."""
    with pytest.raises(Refused) as caught:
        provider.verify(forged(genuine(provider, own_type)), [known(provider)], NOW)
    assert caught.value.reason is RefusalReason.SIGNATURE_WRONG


@pytest.mark.parametrize(
    "provider, own_type", examples_where(lambda provider, _: provider.proof is Proof.API)
)
def test_what_proves_nothing_by_itself_is_asked_of_the_api(provider: Provider, own_type: str) -> None:
    """Such a call is never taken at its word."""
    assert provider.lookup is not None
    assert provider.lookup(genuine(provider, own_type), [known(provider)], NOW) is not None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_secret_opens_nothing(provider: Provider) -> None:
    """Closed by default, a source of the API kind too; and what is only valid elsewhen does not count."""
    sent = genuine(provider, next(iter(provider.examples)))
    secret = known(provider).value

    for secrets in (
        [],
        [Secret(secret, not_after=NOW - timedelta(seconds=1))],
        [Secret(secret, not_before=NOW + timedelta(seconds=1))],
    ):
        with pytest.raises(Refused) as caught:
            provider.verify(sent, secrets, NOW)
        assert caught.value.reason is RefusalReason.NO_USABLE_SECRET


@pytest.mark.parametrize("provider, own_type", EXAMPLES)
def test_each_example_repeats_under_one_key(provider: Provider, own_type: str) -> None:
    """A repeat that comes an hour later is known again by its idempotency key."""
    sent = genuine(provider, own_type)

    first, repeat = provider.translate(sent, NOW), provider.translate(sent, NOW + timedelta(hours=1))

    assert first.idempotency_key == repeat.idempotency_key
    assert isinstance(first.event, OtherEvent) is (provider.kind in GENERIC)


def promises_money(provider: Provider, own_type: str) -> bool:
    """Whether the example is of money that came or that is reserved."""
    return isinstance(provider.translate(genuine(provider, own_type), NOW).event, PaymentPromised)


@pytest.mark.parametrize("provider, own_type", examples_where(promises_money))
def test_another_sum_than_the_expected_one_is_a_mismatch(provider: Provider, own_type: str) -> None:
    """For money that came and for money that is reserved: it never counts as paid."""
    event = provider.translate(genuine(provider, own_type), NOW).event
    assert isinstance(event, PaymentPromised)
    another = "USD" if event.currency != "USD" else "EUR"

    assert event.checked(event.amount_minor, event.currency) is event
    for amount_minor, currency in ((event.amount_minor + 1, event.currency), (event.amount_minor, another)):
        mismatched = event.checked(amount_minor, currency)
        assert isinstance(mismatched, PaymentMismatched)
        assert mismatched.instead_of == event.type
        assert mismatched.rank == event.rank


A_MONTH = timedelta(days=31)


@pytest.mark.parametrize("provider, own_type", EXAMPLES)
@pytest.mark.parametrize("late", [timedelta(days=1), timedelta(days=-1)], ids=["late", "early"])
def test_a_day_late_or_early_is_refused_or_remembered(
    provider: Provider, own_type: str, late: timedelta
) -> None:
    """Where a time is signed, it is held to both ways; where none is, a replay is known for a month."""
    sent = genuine(provider, own_type, Example(TOKEN, NOW - late))
    reason = None
    try:
        provider.verify(sent, [known(provider)], NOW)
    except Refused as refused:
        reason = refused.reason

    if reason is None:
        assert provider.remember_for >= A_MONTH
    else:
        assert reason is (RefusalReason.TOO_OLD if late > timedelta(0) else RefusalReason.IN_FUTURE)


TYPE_FIELDS = (
    *("type", "event", "event_type", "triggerEvent", "update_type", "Status", "status", "payment_status"),
    *("transactionStatus", "eventCode", "event_name", "name"),
)


def of_tomorrow(sent: Call) -> Call:
    """The call with a word of tomorrow in the place of each type and status of its JSON."""
    return replace(sent, body=orjson.dumps(_renamed(orjson.loads(sent.body))))


def _renamed(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: "of.tomorrow" if name in TYPE_FIELDS and isinstance(inner, str) else _renamed(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_renamed(inner) for inner in value]
    return value


def names_its_type(provider: Provider, own_type: str) -> bool:
    """Whether the body is JSON that says what kind of event it is, in words that we know."""
    sent = genuine(provider, own_type)
    if sent.fetched is not None or provider.kind in GENERIC:
        return False
    try:
        return of_tomorrow(sent).body != orjson.dumps(orjson.loads(sent.body))
    except orjson.JSONDecodeError:
        return False


@pytest.mark.parametrize("provider, own_type", examples_where(names_its_type))
def test_a_type_that_nobody_knows_is_kept(provider: Provider, own_type: str) -> None:
    """Under the provider's name, or as unreadable: never dropped, never taken for something else."""
    sent = of_tomorrow(genuine(provider, own_type))
    try:
        translation = provider.translate(sent, NOW)
    except Unreadable:
        translation = unreadable(provider.kind, sent, NOW)

    assert isinstance(translation.event, OtherEvent)
    assert translation.event.type.startswith(f"{translation.event.provider}.")
