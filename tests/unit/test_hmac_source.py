"""The kind `hmac`: what a described sender's calls mean."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.bookings.events import BookingCreated
from routers.document import Unreadable
from routers.generic.hmac_source import PROVIDER
from routers.generic.selection import Selection
from routers.payments.events import PaymentFailed, PaymentSucceeded
from routers.payments.subscriptions import SubscriptionRenewed
from routers.provider import Received
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, call, genuine
from tests.unit.described import described, events, read, told


class TestTranslation:
    """Where the facts are, and what they mean."""

    def test_the_examples_mean_what_the_options_say(self) -> None:
        """Token, object, time, amount, customer, times of an appointment."""
        paid = PROVIDER.translate(genuine(PROVIDER, "order.paid"), NOW)
        visit = PROVIDER.translate(genuine(PROVIDER, "visit.booked"), NOW)
        failed = PROVIDER.translate(genuine(PROVIDER, "order.failed"), NOW).event

        assert isinstance(paid.event, PaymentSucceeded)
        assert (paid.event.amount_minor, paid.event.currency) == (4200, "EUR")
        assert (paid.event.provider, paid.event.occurred_at) == ("shop", NOW)
        assert (paid.token, paid.event.object_id) == (TOKEN, f"object-{TOKEN}")
        assert paid.event.customer.email == "guest@example.com"
        assert isinstance(visit.event, BookingCreated)
        assert visit.event.starts_at == NOW + timedelta(days=3)
        assert isinstance(failed, PaymentFailed)
        assert failed.reason == "an example of reason"

    @pytest.mark.parametrize(
        "total, currency, amount_minor",
        [
            ("0.07", "EUR", 7),
            ("1234567.89", "EUR", 123456789),
            ("42", "JPY", 42),
            ("1.005", "KWD", 1005),
            ("90071992547409.93", "USD", 9007199254740993),
        ],
    )
    def test_a_number_is_read_from_its_literal_text(
        self, total: str, currency: str, amount_minor: int
    ) -> None:
        """No float in between, so what a float cannot hold is exact too."""
        body = b'{"id":"1","type":"order.paid","data":{"total":%b,"currency":"%b"}}'
        event = PROVIDER.translate(call(body % (total.encode(), currency.encode())), NOW).event

        assert isinstance(event, PaymentSucceeded)
        assert (event.amount_minor, event.currency) == (amount_minor, currency)

    def test_minor_units_are_whole(self) -> None:
        """A fraction of one is a wrong description, not something to round."""
        provider = described(read(unit="minor"))

        paid = told(provider, data={"total": 4200, "currency": "eur"})
        assert isinstance(paid, PaymentSucceeded)
        assert (paid.amount_minor, paid.currency) == (4200, "EUR")
        with pytest.raises(Unreadable):
            told(provider, data={"total": 42.5, "currency": "EUR"})

    def test_a_currency_can_be_a_literal(self) -> None:
        """For senders that only know one."""
        event = told(described(read(currency="'USD'")), data={"total": 1})

        assert isinstance(event, PaymentSucceeded)
        assert event.currency == "USD"

    def test_one_type_can_have_places_of_its_own(self) -> None:
        """Beside the usual ones under `read`."""
        renewed = {"event": "subscription.renewed", "amount": "fee", "unit": "minor", "ends_at": "until"}
        event = told(
            described(events(order__paid=renewed)),
            fee=900,
            data={"currency": "EUR"},
            until="2026-12-24T00:00:00Z",
        )

        assert isinstance(event, SubscriptionRenewed)
        assert (event.amount_minor, event.ends_at) == (900, datetime(2026, 12, 24, tzinfo=UTC))

    def test_a_type_without_a_word_of_ours_keeps_its_name(self) -> None:
        """Under the sender's."""
        assert told(PROVIDER, type="order.shipped").type == "shop.order.shipped"

    def test_a_type_can_come_in_a_header(self) -> None:
        """As GitHub sends it."""
        provider = described(read(type=None, type_header="X-Event"))
        body = b'{"data":{"total":1,"currency":"EUR"}}'

        assert (
            provider.translate(call(body, [("X-Event", "order.paid")]), NOW).event.type == "payment.succeeded"
        )
        with pytest.raises(Unreadable):
            provider.translate(call(body), NOW)

    def test_without_an_id_the_bytes_are_the_key(self) -> None:
        """The same bytes are the same call."""
        provider = described(read(id=None))
        one, other = b'{"type":"a"}', b'{"type":"a" }'
        keys = [provider.translate(call(body), NOW).idempotency_key for body in (one, one, other)]

        assert keys[0] == keys[1] != keys[2]

    @pytest.mark.parametrize(
        "moment", [1_767_225_600, 1_767_225_600_000, "1767225600", "2026-01-01T01:00:00+01:00"]
    )
    def test_times_are_read_in_their_usual_forms(self, moment: object) -> None:
        """Seconds, milliseconds, ISO 8601 with its zone."""
        assert told(PROVIDER, created=moment).occurred_at == datetime(2026, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        "moment", [None, "yesterday", "2026-01-01T00:00:00", 10**30, -(10**20), [], "9" * 40]
    )
    def test_another_time_is_that_of_the_call(self, moment: object) -> None:
        """One without a zone is not guessed at."""
        body = json.dumps({"id": "1", "type": "x", "created": moment}).encode()

        assert PROVIDER.translate(call(body), NOW).event.occurred_at == NOW

    def test_a_form_is_read_like_an_object(self) -> None:
        """Its fields are texts."""
        places = read(format="form", type="kind", token="note", amount="sum", currency="cur")
        sent = call(f"kind=order.paid&note={TOKEN}&sum=42.00&cur=EUR".encode())
        translation = described(places).translate(sent, NOW)

        assert isinstance(translation.event, PaymentSucceeded)
        assert (translation.event.amount_minor, translation.token) == (4200, TOKEN)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{",
            b'{"type":7}',
            b'{"type":""}',
            b'{"type":"order.paid"}',
            b'{"type":"order.paid","data":{"total":1e2,"currency":"EUR"}}',
            b'{"type":"order.paid","data":{"total":-1,"currency":"EUR"}}',
            b'{"type":"order.paid","data":{"total":1,"currency":"euros!"}}',
            b'{"type":"order.paid","data":{"total":true,"currency":"EUR"}}',
        ],
    )
    def test_what_the_options_do_not_describe_is_unreadable(self, body: bytes) -> None:
        """It is kept whole, and no amount is guessed."""
        described_type = body.replace(b'"type":7', b'"type":[7]')
        with pytest.raises(Unreadable):
            PROVIDER.translate(call(described_type), NOW)

    def test_an_expression_that_cannot_be_applied_is_unreadable(self) -> None:
        """A function of JMESPath on a value of another type."""
        provider = described(read(object="length(data)"))

        with pytest.raises(Unreadable):
            told(provider, type="x", data=7)

    def test_any_description_has_examples(self) -> None:
        """So that `gateway trigger` can play a sender that nobody has written code for."""
        provider = described(
            read(format="form", type="kind", token="note", amount="sum", currency="'USD'", customer=None),
            read(id="id", object="number", time="at"),
            events(paid="payment.succeeded"),
        )
        translation = provider.translate(genuine(provider, "paid"), NOW)

        assert isinstance(translation.event, PaymentSucceeded)
        assert (translation.event.amount_minor, translation.event.currency) == (4200, "USD")
        assert (translation.token, translation.event.occurred_at) == (TOKEN, NOW)
        assert described(read(type=None, type_header="X-Event")).examples == {}

    def test_the_answer_is_the_senders(self) -> None:
        """Byte for byte."""
        provider = described(lambda options: options.update(answer="OK"))
        sent = genuine(PROVIDER, "order.paid")
        answer = provider.answer(Received(sent, provider.translate(sent, NOW), [Secret(SECRET)], NOW))

        assert (answer.status, answer.body) == (200, b"OK")


values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner) | st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from("abc"), values), st.lists(st.sampled_from("abc"), min_size=1, max_size=4)
)
@settings(max_examples=200, deadline=None)
def test_a_plain_path_finds_what_jmespath_finds(body: dict[str, Any], steps: list[str]) -> None:
    """It is walked by hand; that is faster and nothing else."""
    path = ".".join(steps)

    assert Selection("x", path).find(body) == jmespath.search(path, body)
