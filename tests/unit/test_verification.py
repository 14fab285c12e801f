"""Every way in which a call can fail to prove who sent it ends in the one refusal."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import stripe as official
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.bookings import calcom
from routers.call import MAX_HEADER_BYTES, Call
from routers.payments import stripe
from routers.refusal import RefusalReason, Refused
from routers.telegram import verify as telegram
from routers.verification import (
    HmacScheme,
    KeyForm,
    Prefixed,
    Secret,
    SignatureEncoding,
    Verifier,
)
from tests.unit.calls import NOW, SECRET, call, refusal

BODY = b'{"id":"evt_1","type":"payment_intent.succeeded"}'
VERIFIERS: dict[str, Verifier] = {
    "stripe": stripe.PROVIDER.verify,
    "calcom": calcom.PROVIDER.verify,
    "telegram": telegram.verify,
}


def stripe_call(*, at: datetime = NOW, secret: bytes = SECRET, body: bytes = BODY) -> Call:
    """A call signed by our signer, in Stripe's way."""
    return call(body, stripe.sign(body, secret, at))


class TestStripe:
    """`Stripe-Signature`, against Stripe's own library."""

    def test_what_their_signer_signs_we_accept(self) -> None:
        """The header that Stripe's library writes passes our verifier."""
        header = official.WebhookSignature.generate_signature_header(
            BODY.decode(), SECRET.decode(), int(NOW.timestamp())
        )

        stripe.PROVIDER.verify(call(BODY, [("Stripe-Signature", header)]), [Secret(SECRET)], NOW)

    def test_what_our_signer_signs_they_accept(self) -> None:
        """The header that our signer writes passes the verifier of Stripe's library."""
        headers = dict(stripe.sign(BODY, SECRET, NOW))

        assert official.WebhookSignature.verify_header(
            BODY.decode(), headers["Stripe-Signature"], SECRET.decode(), tolerance=None
        )

    def test_any_v1_counts_while_the_secret_is_rolled(self) -> None:
        """Two v1 signatures and a v0: one that fits is enough."""
        [_, (_, ours)] = stripe.sign(BODY, SECRET, NOW)
        timestamp, good = ours.split(",")
        header = f"{timestamp},v1={'0' * 64},{good},v0=test"

        stripe.PROVIDER.verify(call(BODY, [("Stripe-Signature", header)]), [Secret(SECRET)], NOW)

    @pytest.mark.parametrize("late", [timedelta(seconds=300), timedelta(seconds=-300)])
    def test_the_tolerance_holds_both_ways(self, late: timedelta) -> None:
        """Five minutes late or early is genuine, to the second."""
        stripe.PROVIDER.verify(stripe_call(at=NOW - late), [Secret(SECRET)], NOW)

    def test_a_stale_signature_is_refused(self) -> None:
        """One second over the tolerance is too old."""
        assert refusal(stripe.PROVIDER.verify, stripe_call(at=NOW - timedelta(seconds=301))) is (
            RefusalReason.TOO_OLD
        )

    def test_a_future_signature_is_refused(self) -> None:
        """Stripe's library would take it; we do not."""
        assert refusal(stripe.PROVIDER.verify, stripe_call(at=NOW + timedelta(seconds=301))) is (
            RefusalReason.IN_FUTURE
        )

    @pytest.mark.parametrize(
        "header, reason",
        [
            ("", RefusalReason.HEADER_MALFORMED),
            ("garbage", RefusalReason.HEADER_MALFORMED),
            ("t=1795521600", RefusalReason.HEADER_MALFORMED),
            ("v1=00", RefusalReason.HEADER_MALFORMED),
            ("t=1,t=2,v1=00", RefusalReason.HEADER_MALFORMED),
            ("t=1795521600,v1=", RefusalReason.SIGNATURE_WRONG),
            ("t=soon,v1=00", RefusalReason.SIGNATURE_WRONG),
            ("t=1795521600," + ",".join(["v1=00"] * 17), RefusalReason.HEADER_MALFORMED),
            ("t=1795521600,v1=" + "0" * MAX_HEADER_BYTES, RefusalReason.HEADER_MALFORMED),
            ("t=1795521600,v1=é", RefusalReason.HEADER_MALFORMED),
        ],
    )
    def test_a_header_in_another_form_is_refused(self, header: str, reason: RefusalReason) -> None:
        """Missing parts, repeated timestamps, too many or too long signatures, non-ASCII bytes."""
        assert refusal(stripe.PROVIDER.verify, call(BODY, [("Stripe-Signature", header)])) is reason

    def test_a_signed_timestamp_that_is_no_number_is_refused(self) -> None:
        """A holder of the secret that signs another timestamp's form is refused, not believed."""
        signature = hmac.new(SECRET, b"soon." + BODY, hashlib.sha256).hexdigest()
        header = f"t=soon,v1={signature}"

        assert refusal(stripe.PROVIDER.verify, call(BODY, [("Stripe-Signature", header)])) is (
            RefusalReason.HEADER_MALFORMED
        )

    def test_one_changed_byte_of_the_body_is_refused(self) -> None:
        """The signature is over these bytes and no others."""
        headers = stripe.sign(BODY, SECRET, NOW)

        assert refusal(stripe.PROVIDER.verify, call(BODY + b" ", headers)) is RefusalReason.SIGNATURE_WRONG

    def test_no_signature_is_refused(self) -> None:
        """An unsigned call is never believed."""
        assert refusal(stripe.PROVIDER.verify, call(BODY)) is RefusalReason.HEADER_MISSING

    def test_two_signature_headers_are_refused(self) -> None:
        """Which of two would count? Neither."""
        headers = stripe.sign(BODY, SECRET, NOW)

        assert refusal(stripe.PROVIDER.verify, call(BODY, [*headers, *headers])) is (
            RefusalReason.HEADER_REPEATED
        )


class TestSecrets:
    """Rotation: several secrets, each with its time."""

    def test_each_of_several_secrets_counts(self) -> None:
        """While a secret is rotated, calls with the old and the new one are genuine."""
        secrets = [Secret(b"new"), Secret(SECRET)]

        stripe.PROVIDER.verify(stripe_call(), secrets, NOW)
        stripe.PROVIDER.verify(stripe_call(secret=b"new"), secrets, NOW)

    def test_an_expired_secret_does_not_count(self) -> None:
        """What is signed with it is as wrong as with any other."""
        expired = Secret(SECRET, not_after=NOW - timedelta(seconds=1))

        assert refusal(stripe.PROVIDER.verify, stripe_call(), expired, Secret(b"new")) is (
            RefusalReason.SIGNATURE_WRONG
        )

    def test_a_secret_does_not_count_before_its_time(self) -> None:
        """A secret that is prepared for tomorrow opens nothing today."""
        early = Secret(SECRET, not_before=NOW + timedelta(seconds=1))

        assert refusal(stripe.PROVIDER.verify, stripe_call(), early) is RefusalReason.NO_USABLE_SECRET

    @pytest.mark.parametrize("verify", VERIFIERS.values(), ids=VERIFIERS)
    def test_no_secret_opens_nothing(self, verify: Verifier) -> None:
        """Closed by default: without a secret every call is refused."""
        with pytest.raises(Refused) as caught:
            verify(stripe_call(), [], NOW)

        assert caught.value.reason is RefusalReason.NO_USABLE_SECRET

    def test_an_empty_secret_cannot_be_made(self) -> None:
        """An empty key would sign for everybody."""
        with pytest.raises(ValueError, match="empty"):
            Secret(b"")

    def test_a_secret_does_not_show_itself(self) -> None:
        """Its repr, and so a log line or a traceback, holds no part of it."""
        assert SECRET.decode() not in repr(Secret(SECRET))


class TestCalCom:
    """`X-Cal-Signature-256`."""

    def test_a_signed_body_is_genuine(self) -> None:
        """The plain hexadecimal HMAC of the body, as Cal.com computes it."""
        signature = hmac.new(SECRET, BODY, hashlib.sha256).hexdigest()

        calcom.PROVIDER.verify(call(BODY, [("X-Cal-Signature-256", signature)]), [Secret(SECRET)], NOW)

    def test_a_webhook_without_a_secret_on_their_side_is_refused(self) -> None:
        """Cal.com then sends a literal in place of the signature."""
        unsigned = call(BODY, [("X-Cal-Signature-256", "no-secret-provided")])

        assert refusal(calcom.PROVIDER.verify, unsigned) is RefusalReason.UNSIGNED_BY_SENDER

    @pytest.mark.parametrize("header", ["", "0", "0" * 64, "sha256=" + "0" * 64, "ключ"])
    def test_any_other_signature_is_refused(self, header: str) -> None:
        """Empty, short, wrong, in another provider's form, not ASCII."""
        sent = Call(BODY, [(b"x-cal-signature-256", header.encode())])

        assert refusal(calcom.PROVIDER.verify, sent) in (
            RefusalReason.SIGNATURE_WRONG,
            RefusalReason.HEADER_MALFORMED,
        )


class TestEngine:
    """What the engine can do beyond the two providers, so that the next ones are data."""

    def test_a_published_vector_with_a_prefix(self) -> None:
        """https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries."""
        scheme = HmacScheme("X-Hub-Signature-256", Prefixed("sha256="))
        signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        secret = Secret(b"It's a Secret to Everybody")

        scheme.verify(call(b"Hello, World!", [("X-Hub-Signature-256", signature)]), [secret], NOW)
        unprefixed = call(b"Hello, World!", [("X-Hub-Signature-256", signature[7:])])
        assert refusal(scheme.verify, unprefixed, secret) is RefusalReason.HEADER_MALFORMED

    @pytest.mark.parametrize("encoding", SignatureEncoding)
    @pytest.mark.parametrize("key", KeyForm)
    def test_address_id_and_time_can_be_signed(self, encoding: SignatureEncoding, key: KeyForm) -> None:
        """Headers of their own for id and time, the public address in the signed string."""
        scheme = HmacScheme(
            "x-signature",
            signed="{url}|{id}.{timestamp}.{body}",
            encoding=encoding,
            key=key,
            timestamp_header="x-time",
            id_header="x-id",
            tolerance=timedelta(minutes=5),
        )
        secret = b"abcd1234"  # text, hexadecimal digits and base64 alike
        headers = scheme.sign(BODY, secret, NOW, event_id="msg_1", url="https://bot.example/hook")
        signed = call(BODY, headers)
        here = Call(signed.body, signed.headers, public_url="https://bot.example/hook")

        scheme.verify(here, [Secret(secret)], NOW)
        assert refusal(scheme.verify, signed, Secret(secret)) is RefusalReason.SIGNATURE_WRONG

    def test_a_template_with_an_unknown_name_cannot_be_made(self) -> None:
        """A misspelt scheme fails when it is written, not when a call comes."""
        with pytest.raises(ValueError, match="bdoy"):
            HmacScheme("x", signed="{bdoy}")


class TestTelegram:
    """`X-Telegram-Bot-Api-Secret-Token`."""

    def test_the_secret_is_genuine(self) -> None:
        """Any of the valid secrets opens."""
        sent = call(b"", [("X-Telegram-Bot-Api-Secret-Token", "abc_DEF-1")])

        telegram.verify(sent, [Secret(b"old"), Secret(b"abc_DEF-1")], NOW)

    @pytest.mark.parametrize("given", ["", "abc", "abc_DEF-12", "секрет", "é"])
    def test_anything_else_is_refused(self, given: str) -> None:
        """A prefix, a longer one, nothing, non-ASCII bytes: refused, with no other exception."""
        sent = Call(b"", [(b"x-telegram-bot-api-secret-token", given.encode())])

        assert refusal(telegram.verify, sent, Secret(b"abc_DEF-1")) in (
            RefusalReason.SIGNATURE_WRONG,
            RefusalReason.HEADER_MALFORMED,
        )


names = st.sampled_from(
    [
        b"stripe-signature",
        b"Stripe-Signature",
        b"x-cal-signature-256",
        b"x-telegram-bot-api-secret-token",
        b"content-type",
        b"\xff",
    ]
)
values = st.one_of(
    st.binary(max_size=80),
    st.builds(
        lambda times, signatures, separator: separator.join([*times, *signatures]).encode(),
        st.lists(st.integers().map("t={}".format) | st.text(max_size=5).map("t={}".format), max_size=3),
        st.lists(st.text(max_size=70).map("v1={}".format), max_size=3),
        st.sampled_from([",", ", ", ";"]),
    ),
)
any_call = st.builds(Call, st.binary(max_size=200), st.lists(st.tuples(names, values), max_size=4))


@pytest.mark.hypothesis
@pytest.mark.parametrize("verify", VERIFIERS.values(), ids=VERIFIERS)
def test_no_input_opens_or_breaks_a_verifier(verify: Verifier) -> None:
    """Whatever comes without the secret ends in `Refused` and in nothing else."""

    @given(any_call)
    @settings(max_examples=300, deadline=None)
    def refused(sent: Call) -> None:
        with pytest.raises(Refused):
            verify(sent, [Secret(SECRET)], NOW)

    run: Callable[[], None] = refused
    run()
