"""YCLIENTS: visits that are told of by whoever knows the address, and looked up."""

from dataclasses import replace

import orjson
import pytest
from pydantic import ValidationError

from routers.bookings import yclients
from routers.bookings.events import BookingCanceled, BookingCreated, BookingNoShow, BookingRescheduled
from routers.call import Call
from routers.document import Unreadable
from routers.question import Question
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, genuine, registered

ASKING = registered()["yclients"]
SECRETS = [Secret(SECRET)]


def changed(sent: Call, **facts: object) -> Call:
    """The call with other facts in its body."""
    return replace(sent, body=orjson.dumps({**orjson.loads(sent.body), **facts}))


def question(sent: Call) -> Question | None:
    """What the API would be asked about the call."""
    assert ASKING.lookup is not None
    return ASKING.lookup(sent, SECRETS, NOW)


@pytest.mark.parametrize(
    "own_type, model",
    [
        ("record.create", BookingCreated),
        ("record.update", BookingRescheduled),
        ("record.update:missed", BookingNoShow),
        ("record.delete", BookingCanceled),
    ],
)
@pytest.mark.parametrize("is_looked_up", [True, False], ids=["looked up", "told"])
def test_each_change_has_its_word(own_type: str, model: type, is_looked_up: bool) -> None:
    """The same from the API's answer as from the call itself."""
    sent = genuine(ASKING, own_type)
    translation = yclients.translate(sent if is_looked_up else replace(sent, fetched=None), NOW)

    assert type(translation.event) is model
    assert translation.token == TOKEN


@pytest.mark.parametrize("own_type", ["record.create", "record.update"])
def test_a_visit_is_looked_up_with_both_tokens(own_type: str) -> None:
    """By company and number."""
    sent = genuine(ASKING, own_type)
    asked = question(sent)

    assert asked is not None
    number = orjson.loads(sent.body)["resource_id"]
    assert asked.url == f"https://api.yclients.com/api/v1/record/4564/{number}"
    assert dict(asked.headers)["Authorization"] == "Bearer partner, User user"
    assert "partner" not in repr(asked)


def test_what_is_looked_up_counts_and_not_what_was_told() -> None:
    """Whoever knows the address can make us look, and no more."""
    sent = genuine(ASKING, "record.create")
    invented = changed(sent, data={"api_id": TOKEN[::-1], "datetime": "2030-01-01T00:00:00Z"})

    assert yclients.translate(invented, NOW) == yclients.translate(sent, NOW)


@pytest.mark.parametrize(
    "facts",
    [{"company_id": 4565}, {"resource_id": "1/../../2"}, {"resource_id": "-1"}, {"company_id": "4564/../1"}],
)
def test_nothing_else_is_asked_for(facts: dict[str, object]) -> None:
    """Not another company, and no other path."""
    with pytest.raises(Refused) as caught:
        question(changed(genuine(ASKING, "record.create"), **facts))
    assert caught.value.reason is RefusalReason.NOT_CONFIRMED


@pytest.mark.parametrize(
    "sent",
    [
        genuine(ASKING, "record.delete"),
        changed(genuine(ASKING, "record.create"), resource="client"),
        replace(genuine(ASKING, "record.create"), body=b"{}"),
        replace(genuine(ASKING, "record.create"), body=b"\xff"),
    ],
    ids=["deleted", "no visit", "nothing", "no JSON"],
)
def test_what_cannot_be_looked_up_is_not(sent: Call) -> None:
    """A visit that is gone, something else, or nothing."""
    assert question(sent) is None


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"data":{}}', b'{"data":{"id":1}}', b'{"data":[]}'])
def test_another_answer_is_unreadable(answer: bytes) -> None:
    """It must be the visit that was asked about."""
    with pytest.raises(Unreadable):
        yclients.translate(replace(genuine(ASKING, "record.create"), fetched=answer), NOW)


def test_without_tokens_nothing_is_asked() -> None:
    """What is told is believed then, as far as the address is secret; half of the options is no setting."""
    assert yclients.PROVIDER.configured({}).lookup is None
    for half in ({"company_id": 1}, {"company_id": 1, "partner_token": "p"}, {"user_token": "u"}):
        with pytest.raises(ValidationError):
            yclients.PROVIDER.configured(half)
