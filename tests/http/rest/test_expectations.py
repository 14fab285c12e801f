"""Expectations over REST, for services that create the payment themselves."""

from typing import Any

import pytest

from state.expectations import partition_of_token
from state.faults import now_ms
from state.overdue import Overdue
from tests.http.rest.conftest import USER, Rest

HOME = f"/v1/bots/main/users/{USER}"
TEA = {"payment": "tea", "amount_minor": 4200, "currency": "EUR", "expires_seconds": 3600}


async def test_a_payment_that_a_service_expects_reaches_its_user(rest: Rest) -> None:
    """The token alone says whose it is; of another amount it is no payment."""
    created = await rest.ask("POST", f"{HOME}/expectations", json=TEA)
    token = created.json()["token"]
    assert (created.status_code, created.headers["location"]) == (201, f"/v1/expectations/{token}")
    read = (await rest.ask("GET", created.headers["location"])).json()
    assert (read["name"], read["amount_minor"], read["conversation"]["user"]) == ("tea", 4200, USER)

    def paid(minor: int) -> dict[str, Any]:
        payload = {"amount_minor": minor, "currency": "EUR"}
        return {"meta": {"type": "payment.succeeded", "token": token}, "payload": payload}

    wrong = await rest.ask("POST", "/v1/events", json=paid(1), headers={"Prefer": "wait=10"})
    right = await rest.ask("POST", "/v1/events", json=paid(4200), headers={"Prefer": "wait=10"})

    assert wrong.json()["reason"] == "no handler of payment.mismatched"
    assert right.json()["change"]["to"] == "Shop:paid"


async def test_what_came_before_its_expectation_is_kept_until_somebody_says_whose_it_is(rest: Rest) -> None:
    """A cancelled token resolves nothing any more."""
    token = (await rest.ask("POST", f"{HOME}/expectations", json=TEA)).json()["token"]

    assert (await rest.ask("DELETE", f"/v1/expectations/{token}")).status_code == 204
    for method in ("GET", "DELETE"):
        assert (await rest.ask(method, f"/v1/expectations/{token}")).status_code == 404

    sent = await rest.ask("POST", "/v1/events", json={"meta": {"type": "shop.order", "token": token}})
    assert (await rest.ask("GET", sent.headers["location"])).json()["standing"] == "unresolved"


async def test_a_payment_that_names_its_source_is_listed_to_be_asked_about(rest: Rest) -> None:
    """At the end of its time; others are not."""
    named = {**TEA, "source": "tbank", "ends_within_seconds": 1200}
    token = (await rest.ask("POST", f"{HOME}/expectations", json=named)).json()["token"]
    await rest.ask("POST", f"{HOME}/expectations", json=TEA)
    partition = partition_of_token(token, rest.scripts.keys.partitions)
    assert partition is not None
    overdue = Overdue(rest.scripts.calls, rest.scripts.keys)

    assert await overdue.due(partition, now_ms() + 1_100_000) == []
    [listed] = await overdue.due(partition, now_ms() + 1_300_000)
    assert (listed.source, listed.token) == ("tbank", token)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"payment": "tea", "booking": "room"},
        {"payment": "tea", "amount_minor": 1},
        {"payment": "tea", "amount_minor": -1, "currency": "EUR"},
        {"payment": "tea", "currency": "eur", "amount_minor": 1},
        {"payment": "tea", "expires_seconds": 0},
        {"booking": "room", "source": "tbank"},
        {"payment": "tea", "source": "tbank", "ends_within_seconds": 0},
        {"payment": "tea", "other": 1},
    ],
)
async def test_an_expectation_that_makes_no_sense_is_refused(rest: Rest, body: dict[str, Any]) -> None:
    """And nothing is registered."""
    assert (await rest.ask("POST", f"{HOME}/expectations", json=body)).status_code == 422
    assert await rest.scripts.calls.command("KEYS", "*:x:*") == []


async def test_another_bots_expectations_are_not_there(rest: Rest) -> None:
    """A key for certain bots neither reads nor cancels them."""
    token = (await rest.ask("POST", f"{HOME}/expectations", json=TEA)).json()["token"]
    others = await rest.key(bots=frozenset({1}))

    for method in ("GET", "DELETE"):
        answer = await rest.client.request(method, f"/v1/expectations/{token}", headers=others)
        assert answer.status_code == 404
    assert (await rest.ask("GET", f"/v1/expectations/{token}")).status_code == 200
