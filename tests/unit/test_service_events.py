"""Events of one's own services: four shapes, one meaning, and refusals that name the place."""

from contextlib import suppress
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.events.cloudevents import is_structured, read_binary, read_structured
from routers.events.entry import read_entry
from routers.events.event import ServiceEvent
from routers.events.message import Malformed, Message, Told, read_message, tell
from routers.payments.events import PaymentSucceeded
from routers.vocabulary import parse_event
from state.conversation import Conversation

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BOTS = {"main": 42, "42": 42}
TWO_BOTS = {**BOTS, "other": 43, "43": 43}
ENVELOPE = {
    "meta": {"type": "booking.confirmed", "user_id": 7, "bot": "main"},
    "payload": {"hotel": "Astoria"},
}


def told(message: Message) -> Told:
    """What the gateway of one bot makes of *message*."""
    return tell(message, source="stream:bookings", key="1-0", bots=BOTS, now=NOW)


def refusal(raw: object) -> Malformed:
    """What is wrong with *raw*."""
    with pytest.raises(Malformed) as refused:
        told(read_message(raw))
    return refused.value


SHAPES = {
    "flat": {b"type": b"booking.confirmed", b"user_id": b"7", b"hotel": b"Astoria"},
    "flat with a payload": {
        b"type": b"booking.confirmed",
        b"user_id": b"7",
        b"payload": b'{"hotel":"Astoria"}',
    },
    "flat with data": {b"type": b"booking.confirmed", b"user_id": b"7", b"data": b'{"hotel":"Astoria"}'},
    "envelope in two fields": {b"meta": orjson.dumps(ENVELOPE["meta"]), b"payload": b'{"hotel":"Astoria"}'},
    "envelope in one field": {b"data": orjson.dumps(ENVELOPE)},
    "flat in one field": {b"event": b'{"type":"booking.confirmed","user_id":7,"hotel":"Astoria"}'},
    "CloudEvent": {
        b"specversion": b"1.0",
        b"id": b"a",
        b"source": b"/shop",
        b"type": b"booking.confirmed",
        b"userid": b"7",
        b"data": b'{"hotel":"Astoria"}',
    },
    "CloudEvent in one field": {
        b"event": b'{"specversion":"1.0","id":"a","source":"/shop","type":"booking.confirmed","userid":"7",'
        b'"data":{"hotel":"Astoria"}}'
    },
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_an_entry_means_the_same(shape: dict[bytes, bytes]) -> None:
    """A handler cannot tell how the service wrote it."""
    event = told(read_entry(shape))

    assert event.conversation == Conversation(42, 7, 7)
    assert isinstance(event.event, ServiceEvent)
    assert (event.event.type, event.event.payload) == ("booking.confirmed", {"hotel": "Astoria"})


def test_a_stored_event_comes_back_as_it_was() -> None:
    """What the worker reads is what the edge meant, payload, scene and trace included."""
    raw = {
        "meta": {"type": "booking.confirmed", "user_id": 7, "__next_scene__": "booking", "trace_id": "t-1"},
        "payload": {"big": 2**60, "empty": [], "text": "кофе"},
    }
    event = told(read_message(raw)).event

    back = parse_event(event.encode())

    assert back == event
    assert back.next_scene == "booking"
    assert back.trace_id == "t-1"


def test_a_word_of_ours_is_checked_and_typed() -> None:
    """A service that says payment.succeeded must say how much, and handlers get the model that they know."""
    meta = {"type": "payment.succeeded", "user_id": 7}

    event = told(read_message({"meta": meta, "payload": {"amount_minor": 4200, "currency": "EUR"}})).event
    refused = refusal({"meta": meta, "payload": {"amount_minor": 42.5, "currency": "EUR"}})

    assert isinstance(event, PaymentSucceeded)
    assert event.amount_minor == 4200
    assert [fault.pointer for fault in refused.faults] == ["/payload/amount_minor"]


def test_a_payload_cannot_forge_what_the_gateway_fills_in() -> None:
    """The provider of an event is its source, whatever the payload says."""
    payload = {"amount_minor": 1, "currency": "EUR", "provider": "stripe", "type": "payment.refunded"}

    event = told(
        read_message({"meta": {"type": "payment.succeeded", "user_id": 7}, "payload": payload})
    ).event

    assert (event.provider, event.type) == ("stream:bookings", "payment.succeeded")


@pytest.mark.parametrize(
    "raw, pointer",
    [
        ([], ""),
        ({}, "/meta"),
        ({"meta": {"user_id": 7}}, "/meta/type"),
        ({"meta": {"type": "a"}}, "/meta/user_id"),
        ({"meta": {"type": "a", "user_id": "x"}}, "/meta/user_id"),
        ({"meta": {"type": "a", "user_id": 2**60}}, "/meta/user_id"),
        ({"meta": {"type": "a", "user_id": 7, "bot": "none"}}, "/meta/bot"),
        ({"meta": {"type": "a", "user_id": 7}, "payload": []}, "/payload"),
        ({"meta": {"type": "a", "user_id": 7, "occurred_at": "2026-11-24T12:00:00"}}, "/meta/occurred_at"),
        ({"meta": {"type": "a", "user_id": 7}, "pay~load/": {}}, "/pay~0load~1"),
    ],
)
def test_a_refusal_names_the_place(raw: object, pointer: str) -> None:
    """Each is a JSON pointer to what is wrong."""
    assert [fault.pointer for fault in refusal(raw).faults] == [pointer]


def test_one_of_several_bots_must_be_named() -> None:
    """No bot is guessed."""
    message = read_message({"meta": {"type": "a", "user_id": 7}})

    with pytest.raises(Malformed) as refused:
        tell(message, source="api:shop", key="1", bots=TWO_BOTS, now=NOW)

    assert refused.value.faults[0].pointer == "/meta/bot"


def test_a_token_says_the_conversation() -> None:
    """A service that was handed a token need not know the user."""
    event = told(read_message({"meta": {"type": "a", "token": "00" + "a" * 24}}))

    assert (event.conversation, event.token) == (None, "00" + "a" * 24)


def test_the_services_own_id_is_the_key() -> None:
    """Told twice under one id it happens once, whichever entry carried it."""
    assert told(read_message({"meta": {"type": "a", "user_id": 7, "id": "e-1"}})).idempotency_key == "e-1"
    assert told(read_message({"meta": {"type": "a", "user_id": 7}})).idempotency_key == "1-0"


def test_a_binary_cloudevent_is_read_from_headers() -> None:
    """Attributes in headers, data in the body."""
    headers = [
        (b"ce-specversion", b"1.0"),
        (b"Ce-Id", b"a"),
        (b"ce-source", b"/shop"),
        (b"ce-type", b"a"),
        (b"ce-userid", b"7"),
    ]

    message = read_binary(headers, b'{"hotel":"Astoria"}')

    assert message is not None
    assert message.payload == {"hotel": "Astoria"}
    assert message.meta.user_id == 7
    assert read_binary([(b"content-type", b"application/json")], b"{}") is None


def test_two_sources_may_use_one_id() -> None:
    """CloudEvents are unique by source and id together."""
    common = {"specversion": "1.0", "id": "1", "type": "a", "userid": "7"}

    one, other = (read_structured({**common, "source": source}) for source in ("/shop", "/desk"))

    assert one.meta.id != other.meta.id


@pytest.mark.parametrize(
    "raw",
    [
        {"specversion": "0.3", "id": "1", "source": "/s", "type": "a"},
        {"specversion": "1.0", "source": "/s", "type": "a"},
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "a", "data": "text"},
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "a", "data_base64": "AA=="},
    ],
)
def test_a_cloudevent_that_is_none_is_refused(raw: dict[str, object]) -> None:
    """A missing attribute, another version, data that is no object."""
    with pytest.raises(Malformed):
        read_structured(raw)


def test_the_media_type_may_have_parameters() -> None:
    """As HTTP has it."""
    assert is_structured("Application/CloudEvents+JSON; charset=utf-8")
    assert not is_structured("application/json")


@given(
    st.dictionaries(
        st.binary(max_size=12) | st.sampled_from([b"type", b"meta", b"data"]), st.binary(max_size=40)
    )
)
def test_no_entry_raises_anything_else(fields: dict[bytes, bytes]) -> None:
    """Whatever stands in a stream is read, or refused as malformed."""
    with suppress(Malformed):
        assert told(read_entry(fields)).event.provider == "stream:bookings"
