"""What holds for every registered provider."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from routers.bookings import calendly
from routers.bookings.events import BookingCanceled, BookingCreated
from routers.call import Call
from routers.document import Unreadable
from routers.event import OtherEvent
from routers.payments import cryptopay
from routers.payments.currency import literal, minor_units
from routers.payments.events import PaymentMismatched, PaymentPromised, PaymentSucceeded
from routers.provider import Example, Proof, Provider
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, call, genuine, known, registered

EXAMPLES = [
    pytest.param(provider, own_type, id=f"{kind}-{own_type}")
    for kind, provider in registered().items()
    for own_type in provider.examples
]
#: Whose senders have types of their own, none of which has a word of ours.
GENERIC = {"github", "standardwebhooks", "googlecalendar"}
PROVIDERS = [pytest.param(provider, id=kind) for kind, provider in registered().items()]
OTHER_TOKEN = TOKEN[::-1]
#: For most a wrong secret, for some one in a form that is not theirs: a valid one beside it must still count.
ANOTHER = Secret(b"whsec_d3Jvbmc=")


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


@pytest.mark.parametrize("provider, own_type", EXAMPLES)
def test_each_example_is_refused_with_another_secret_or_body(provider: Provider, own_type: str) -> None:
    """Neither the wrong key nor another content opens; what proves nothing by itself is asked of the API."""
    sent = genuine(provider, own_type)
    attempts = []
    if provider.proof is not Proof.API and provider.example_evidence is None:
        attempts.append((sent, ANOTHER))
    if provider.proof is Proof.SIGNATURE:
        attempts.append((forged(sent), known(provider)))

    for changed, secret in attempts:
        with pytest.raises(Refused) as caught:
            provider.verify(changed, [secret], NOW)
        assert caught.value.reason in {RefusalReason.SIGNATURE_WRONG, RefusalReason.KEY_UNUSABLE}
    assert attempts or provider.lookup is not None


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


def test_crypto_pay_tells_the_invoice_that_was_paid() -> None:
    """The amount comes from its literal text, the token from the invoice's payload."""
    translation = cryptopay.translate(genuine(cryptopay.PROVIDER, "invoice_paid"), NOW)
    event = translation.event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency, translation.token) == (4200, "EUR", TOKEN)


def test_crypto_pay_counts_an_asset_in_its_own_unit() -> None:
    """A Bitcoin has eight decimals; an asset that nobody knows the unit of is not guessed at."""
    body = orjson.loads(genuine(cryptopay.PROVIDER, "invoice_paid").body)
    body["payload"].update(currency_type="crypto", asset="BTC", amount="0.00000001")
    event = cryptopay.translate(call(orjson.dumps(body)), NOW).event

    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency) == (1, "BTC")
    body["payload"]["asset"] = "NEWCOIN"
    with pytest.raises(Unreadable):
        cryptopay.translate(call(orjson.dumps(body)), NOW)


def test_calendly_tells_bookings() -> None:
    """Made and called off, of one invitee; the token comes in `utm_content`."""
    made = calendly.translate(genuine(calendly.PROVIDER, "invitee.created"), NOW)
    off = calendly.translate(genuine(calendly.PROVIDER, "invitee.canceled"), NOW)

    assert isinstance(made.event, BookingCreated)
    assert isinstance(off.event, BookingCanceled)
    assert (off.event.reason, off.event.object_id) == ("Plans changed", made.event.object_id)
    assert made.token == off.token == TOKEN
    assert made.idempotency_key != off.idempotency_key


def test_a_move_in_calendly_is_no_cancellation() -> None:
    """The old invitee is canceled with `rescheduled`; the new one is told by a call of its own."""
    body = orjson.loads(genuine(calendly.PROVIDER, "invitee.canceled").body)
    body["payload"]["rescheduled"] = True

    assert calendly.translate(call(orjson.dumps(body)), NOW).event.type == "calendly.invitee.canceled"


@pytest.mark.parametrize(
    "late, reason",
    [(timedelta(seconds=181), RefusalReason.TOO_OLD), (timedelta(seconds=-181), RefusalReason.IN_FUTURE)],
)
def test_calendly_is_believed_for_three_minutes(late: timedelta, reason: RefusalReason) -> None:
    """Both ways."""
    sent = genuine(calendly.PROVIDER, "invitee.created", Example(TOKEN, NOW - late))

    with pytest.raises(Refused) as caught:
        calendly.PROVIDER.verify(sent, [Secret(SECRET)], NOW)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "text, currency, amount",
    [("42", "EUR", 4200), ("42.5", "EUR", 4250), ("42", "JPY", 42), ("1.005", "KWD", 1005)],
)
def test_a_literal_amount_is_exact(text: str, currency: str, amount: int) -> None:
    """By the currency's real number of decimals, and the way back names the same amount."""
    assert minor_units(text, currency) == amount
    assert minor_units(literal(amount, currency), currency) == amount


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1,5", "1.005", "٣", "nan", "1" * 16])
def test_an_amount_in_another_form_is_unreadable(text: str) -> None:
    """Signs, exponents, commas, fractions of a cent: never rounded, never guessed."""
    with pytest.raises(Unreadable):
        minor_units(text, "EUR")


@pytest.mark.parametrize("provider, own_type", EXAMPLES)
def test_another_sum_than_the_expected_one_is_a_mismatch(provider: Provider, own_type: str) -> None:
    """For money that came and for money that is reserved: it never counts as paid."""
    event = provider.translate(genuine(provider, own_type), NOW).event
    if not isinstance(event, PaymentPromised):
        return

    assert event.checked(event.amount_minor, event.currency) is event
    for amount_minor, currency in ((event.amount_minor + 1, event.currency), (event.amount_minor, "XXX")):
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


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_type_that_nobody_knows_is_kept(provider: Provider) -> None:
    """Under the provider's name, or as unreadable: never dropped, never taken for something else."""
    for own_type in provider.examples:
        sent = genuine(provider, own_type)
        if sent.fetched is not None or provider.kind in GENERIC:
            continue
        raw = _with_new_words(sent.body)
        if raw is None:
            continue
        try:
            event = provider.translate(replace(sent, body=raw), NOW).event
        except Unreadable:
            continue
        assert isinstance(event, OtherEvent)
        assert event.type.startswith(f"{event.provider}.")


TYPE_FIELDS = (
    *("type", "event", "event_type", "triggerEvent", "update_type", "Status", "status", "payment_status"),
    *("transactionStatus", "eventCode", "event_name", "name"),
)


def _with_new_words(body: bytes) -> bytes | None:
    """The JSON with a word of tomorrow in the place of each type and status; None: it is no JSON."""
    try:
        return orjson.dumps(_renamed(orjson.loads(body)))
    except orjson.JSONDecodeError:
        return None


def _renamed(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: "of.tomorrow" if name in TYPE_FIELDS and isinstance(inner, str) else _renamed(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_renamed(inner) for inner in value]
    return value
