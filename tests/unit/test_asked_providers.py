"""YooKassa and Mollie's classic calls: what they say is not believed, the API is."""

from dataclasses import replace

import orjson
import pytest

from routers.document import Unreadable
from routers.payments import mollie, yookassa
from routers.payments.events import (
    PaymentDisputed,
    PaymentPartiallyRefunded,
    PaymentRefunded,
    PaymentSucceeded,
)
from routers.question import basic, bearer
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, call, genuine, registered

YOOKASSA = registered()["yookassa"]
MOLLIE = registered()["mollie"]
SECRETS = [Secret(b"live_key")]


class TestYooKassa:
    """Networks, and `GET /v3/payments/{id}`."""

    def test_the_payment_is_asked_for_with_the_shops_credentials(self) -> None:
        """Of a refund the payment that it belongs to."""
        assert YOOKASSA.lookup is not None
        for own_type in ("payment.succeeded", "refund.succeeded"):
            sent = genuine(YOOKASSA, own_type)
            question = YOOKASSA.lookup(sent, SECRETS, NOW)

            payment_id = orjson.loads(sent.fetched or b"")["id"]
            assert question is not None
            assert question.url == f"https://api.yookassa.ru/v3/payments/{payment_id}"
            assert question.headers == (basic("54401", "live_key"),)
            assert question.keep_for is None

    @pytest.mark.parametrize("payment_id", ["../refunds", "a/b", "", "a?b", "x" * 65, "é", 1, None])
    def test_an_id_cannot_lead_elsewhere(self, payment_id: object) -> None:
        """It becomes part of an address, so it is held to its form first."""
        body = orjson.dumps({"event": "payment.succeeded", "object": {"id": payment_id}})
        assert YOOKASSA.lookup is not None

        with pytest.raises(Refused) as caught:
            YOOKASSA.lookup(call(body), SECRETS, NOW)
        assert caught.value.reason is RefusalReason.BODY_MALFORMED

    @pytest.mark.parametrize("address", ["185.71.76.40", "127.0.0.1", "", "2a02:5181::1"])
    def test_another_address_is_refused(self, address: str) -> None:
        """Before anything is asked."""
        sent = replace(genuine(YOOKASSA, "payment.succeeded"), remote_address=address)

        with pytest.raises(Refused) as caught:
            YOOKASSA.verify(sent, SECRETS, NOW)
        assert caught.value.reason is RefusalReason.ADDRESS_NOT_ALLOWED

    def test_what_a_notification_claims_is_not_believed(self) -> None:
        """It says that it was paid; the API says that it was called off."""
        claimed = genuine(YOOKASSA, "payment.succeeded")
        sent = replace(claimed, fetched=genuine(YOOKASSA, "payment.canceled").fetched)

        event = yookassa.translate(sent, NOW).event

        assert event.type == "payment.canceled"

    def test_parts_and_the_whole_go_back(self) -> None:
        """By the sum that has gone back so far; each state is an event of its own."""
        paid, part, whole = (
            yookassa.translate(genuine(YOOKASSA, own_type), NOW)
            for own_type in ("payment.succeeded", "refund.succeeded:part", "refund.succeeded")
        )

        assert isinstance(paid.event, PaymentSucceeded)
        assert (paid.event.amount_minor, paid.event.currency, paid.token) == (4200, "EUR", TOKEN)
        assert isinstance(part.event, PaymentPartiallyRefunded)
        assert part.event.amount_minor == 2100
        assert isinstance(whole.event, PaymentRefunded)
        assert len({each.idempotency_key for each in (paid, part, whole)}) == 3

    def test_what_is_of_no_payment_keeps_its_name(self) -> None:
        """It is not asked for, and known by its address alone."""
        sent = call(orjson.dumps({"event": "payout.succeeded", "object": {"id": "po-1"}}))
        assert YOOKASSA.lookup is not None

        assert YOOKASSA.lookup(sent, SECRETS, NOW) is None
        assert yookassa.translate(sent, NOW).event.type == "yookassa.payout.succeeded"


class TestMollie:
    """A secret address, and `GET /v2/payments/{id}`."""

    def test_the_payment_is_asked_for_with_the_key(self) -> None:
        """By the id that the call carries."""
        sent = genuine(MOLLIE, "paid")
        assert MOLLIE.lookup is not None
        question = MOLLIE.lookup(sent, SECRETS, NOW)

        assert question is not None
        assert question.url == f"https://api.mollie.com/v2/payments/{sent.body.decode().removeprefix('id=')}"
        assert question.headers == (bearer("live_key"),)

    @pytest.mark.parametrize(
        "body", [b"", b"id=", b"id=ord_1234", b"id=tr_%2e%2e%2f", b"id=tr_1&id=tr_2", b"\xff"]
    )
    def test_an_id_cannot_lead_elsewhere(self, body: bytes) -> None:
        """No payment's id, twice, or with a path in it."""
        sent = replace(genuine(MOLLIE, "paid"), body=body)

        for check in (MOLLIE.verify, MOLLIE.lookup):
            assert check is not None
            with pytest.raises(Refused) as caught:
                check(sent, SECRETS, NOW)
            assert caught.value.reason is RefusalReason.BODY_MALFORMED

    def test_a_secret_address_is_held(self) -> None:
        """Where one is set, nobody else can make us ask; without one anybody can."""
        sent = genuine(MOLLIE, "paid")

        with pytest.raises(Refused):
            MOLLIE.verify(replace(sent, path_secret="other"), SECRETS, NOW)
        mollie.PROVIDER.verify(replace(sent, path_secret=""), SECRETS, NOW)

    def test_the_same_id_comes_for_each_status(self) -> None:
        """Authorized and then paid: the id alone would lose the second."""
        authorized, paid, part, whole, back = (
            mollie.translate(genuine(MOLLIE, own_type), NOW)
            for own_type in (
                "authorized",
                "paid",
                "paid:partly_refunded",
                "paid:refunded",
                "paid:charged_back",
            )
        )

        assert len({each.idempotency_key for each in (authorized, paid, part, whole, back)}) == 5
        assert len({each.object_key for each in (authorized, paid, part, whole, back)}) == 1
        assert isinstance(part.event, PaymentPartiallyRefunded)
        assert isinstance(whole.event, PaymentRefunded)
        assert isinstance(back.event, PaymentDisputed)

    def test_the_metadata_may_be_the_token_itself(self) -> None:
        """It is whatever was given: an object or a text."""
        sent = genuine(MOLLIE, "paid")
        payment = {**orjson.loads(sent.fetched or b""), "metadata": TOKEN}

        assert mollie.translate(replace(sent, fetched=orjson.dumps(payment)), NOW).token == TOKEN

    def test_without_the_payment_nothing_is_told(self) -> None:
        """The call alone says nothing."""
        with pytest.raises(Unreadable):
            mollie.translate(call(b"id=tr_1234"), NOW)
