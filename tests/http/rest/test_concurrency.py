"""Many callers at once, beside the chat and payments: nothing is lost, and a race has one winner."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from gateway.settings import SourceSecret, SourceSettings
from routers.provider import Example
from routers.registry import providers
from tests.http.rest.conftest import USER, Rest

HOME = f"/v1/bots/main/users/{USER}"
CLIENTS = 200
MESSAGES = 20
PAYMENTS = 20
STRIPE = providers()["stripe"]
KEY = b"whsec_b2YgdGhlIHRlc3Rz"


@pytest.fixture
def configured() -> dict[str, Any]:
    """Stripe pays."""
    secret = SourceSecret(value=SecretStr(KEY.decode()))
    return {"sources": {"stripe": SourceSettings(kind="stripe", secrets=(secret,))}}


async def test_two_hundred_clients_lose_nothing_beside_chat_and_payments(rest: Rest) -> None:
    """Each patches a field of its own; messages and Stripe's payments count up in the same draft."""
    expected = [
        (await rest.ask("POST", f"{HOME}/expectations", json={"payment": f"tea {number}"})).json()["token"]
        for number in range(PAYMENTS)
    ]
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=rest.client.base_url, timeout=60, limits=limits) as many:

        async def patch(number: int) -> int:
            fields = {f"field_{number}": number}
            return (await many.patch(f"{HOME}/drafts/shop", json=fields, headers=rest.headers)).status_code

        async def message(number: int) -> int:
            update = rest.api.updates.message(USER, f"message {number}")
            secret = {"X-Telegram-Bot-Api-Secret-Token": "s"}
            return (await many.post(f"/telegram/{rest.bot_id}", json=update, headers=secret)).status_code

        async def pay(token: str) -> int:
            at = datetime.now(UTC)
            body = STRIPE.examples["payment_intent.succeeded"](Example(token=token, at=at))
            sent = STRIPE.signed(body, KEY, at)
            answer = await many.post("/webhooks/stripe", content=sent.body, headers=dict(sent.headers))
            return answer.status_code

        statuses = await asyncio.gather(
            *(patch(number) for number in range(CLIENTS)),
            *(message(number) for number in range(MESSAGES)),
            *map(pay, expected),
        )
    await rest.settled()

    assert statuses == [200] * (CLIENTS + MESSAGES + PAYMENTS)
    draft = (await rest.ask("GET", f"{HOME}/drafts/shop")).json()
    assert (draft.pop("messages"), draft.pop("payments")) == (MESSAGES, PAYMENTS)
    assert draft.pop("paid_minor") == Example(token="", at=datetime.now(UTC)).amount_minor
    assert draft == {f"field_{number}": number for number in range(CLIENTS)}


async def test_of_many_changes_from_one_revision_exactly_one_is_made(rest: Rest) -> None:
    """The others are told what is there instead: the winner's."""
    etag = (await rest.ask("PUT", f"{HOME}/drafts/shop", json={"owner": None})).headers["etag"]

    answers = await asyncio.gather(
        *(
            rest.ask("PATCH", f"{HOME}/drafts/shop", json={"owner": number}, headers={"If-Match": etag})
            for number in range(50)
        )
    )

    won = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code == 412]
    assert (len(won), len(lost)) == (1, 49)
    owner = won[0].json()["owner"]
    assert {answer.json()["present"]["drafts"]["shop"]["owner"] for answer in lost} == {owner}
    assert (await rest.ask("GET", f"{HOME}/drafts/shop")).json() == {"owner": owner}


async def test_of_many_moves_from_one_state_exactly_one_is_made(rest: Rest) -> None:
    """`from` decides without an ETag: whoever comes second finds another state."""
    answers = await asyncio.gather(
        *(rest.ask("PUT", f"{HOME}/state", json={"state": "Shop:paying", "from": [None]}) for _ in range(30))
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 29
    [won] = [answer for answer in answers if answer.status_code == 200]
    assert (await rest.ask("GET", HOME)).headers["etag"] == won.headers["etag"]


async def test_deep_patches_of_one_field_are_all_in_it(rest: Rest) -> None:
    """They must be computed from what is there, so each is computed anew until nobody came between."""
    answers = await asyncio.gather(
        *(
            rest.ask("PATCH", f"{HOME}/drafts/shop", json={"basket": {f"item_{number}": number}})
            for number in range(20)
        )
    )

    assert {answer.status_code for answer in answers} == {200}
    basket = (await rest.ask("GET", f"{HOME}/drafts/shop")).json()["basket"]
    assert basket == {f"item_{number}": number for number in range(20)}
