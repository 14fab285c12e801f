"""Calls that only point to their facts, with the provider's API as a real HTTP server."""

from collections.abc import AsyncIterator
from datetime import timedelta

import orjson
import pytest
import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from routers.asker import open_asker
from routers.bookings import acuity, yclients
from routers.bookings.events import BookingCreated
from routers.dependencies import WebhookEndpoint
from routers.payments import stripe
from routers.payments.events import PaymentSucceeded
from routers.provider import Example
from routers.question import basic
from routers.verification import Secret
from routers.vocabulary import parse_event
from tests.http.conftest import Served
from tests.http.listening import listening
from tests.http.test_webhooks import kept
from tests.unit.calls import NOW, SECRET, TOKEN

THIN = {
    "id": "evt_test_1",
    "object": "v2.core.event",
    "type": "v1.payment_intent.succeeded",
    "created": "2026-11-24T12:00:00.000Z",
    "related_object": {"id": "pi_1", "type": "payment_intent", "url": "/v1/payment_intents/pi_1"},
}


class Api:
    """A provider's API: answers by path, or with a status."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, bytes] = {}
        self.status = 200
        self.asked: list[Request] = []

    async def answer(self, request: Request) -> Response:
        """What there is at the path."""
        self.asked.append(request)
        found = self.answers.get(request.url.path)
        return Response(found or b"", self.status if found is not None else 404)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """The API on a port of its own."""
    api = Api()
    app = Starlette(routes=[Route("/{path:path}", api.answer)])
    async with listening(uvicorn.Config(app, log_config=None, lifespan="off")) as port:
        api.url = f"http://127.0.0.1:{port}"
        yield api


@pytest.fixture
async def thin_stripe(served: Served, api: Api) -> AsyncIterator[Served]:
    """The edge with a Stripe that asks *api*."""
    snapshot = orjson.loads(stripe.PROVIDER.examples["payment_intent.succeeded"](Example(TOKEN, NOW)))
    api.answers["/v1/payment_intents/pi_1"] = orjson.dumps(snapshot["data"]["object"])
    provider = stripe.PROVIDER.configured({"api_key": "rk_test_1", "api_base": api.url})
    served.edge.webhooks = {"stripe": WebhookEndpoint("stripe", provider, [Secret(SECRET)])}
    async with open_asker(answer_within=timedelta(seconds=2)) as asker:
        served.edge.asker = asker
        yield served


async def test_a_thin_event_is_stored_with_what_was_looked_up(
    thin_stripe: Served, api: Api, redis: Redis
) -> None:
    """The payment with its amount and token; the repeat is asked about and kept once."""
    body = orjson.dumps(THIN)
    headers = dict(stripe.sign(body, SECRET, NOW))
    answers = [
        await thin_stripe.client.post("/webhooks/stripe", content=body, headers=headers) for _ in range(2)
    ]

    [envelope] = await kept(redis)
    event = parse_event(envelope.event)
    assert [each.status_code for each in answers] == [200, 200]
    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, envelope.token) == (4200, TOKEN)
    assert api.asked[0].headers["authorization"] == "Bearer rk_test_1"


async def test_a_forged_thin_event_makes_us_ask_nothing(thin_stripe: Served, api: Api, redis: Redis) -> None:
    """The API is asked about genuine calls only."""
    body = orjson.dumps(THIN)
    headers = dict(stripe.sign(body, b"wrong", NOW))
    answer = await thin_stripe.client.post("/webhooks/stripe", content=body, headers=headers)

    assert (answer.status_code, api.asked) == (401, [])
    assert await redis.dbsize() == 0


async def test_while_the_api_is_away_the_event_must_come_again(
    thin_stripe: Served, api: Api, redis: Redis
) -> None:
    """503 with Retry-After: nothing is stored, nothing is lost."""
    api.status = 500
    body = orjson.dumps(THIN)
    headers = dict(stripe.sign(body, SECRET, NOW))
    answer = await thin_stripe.client.post("/webhooks/stripe", content=body, headers=headers)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert await redis.dbsize() == 0


async def test_an_appointment_is_looked_up(served: Served, api: Api, redis: Redis) -> None:
    """Acuity's call names it; time and token come from the API, with user and key."""
    example = Example(TOKEN, NOW)
    body = acuity.PROVIDER.examples["scheduled"](example)
    appointment = acuity.PROVIDER.api_examples["scheduled"](example)
    api.answers[f"/appointments/{orjson.loads(appointment)['id']}"] = appointment
    provider = acuity.PROVIDER.configured({"user_id": 17, "api_base": api.url})
    served.edge.webhooks = {"acuity": WebhookEndpoint("acuity", provider, [Secret(SECRET)])}
    async with open_asker(answer_within=timedelta(seconds=2)) as asker:
        served.edge.asker = asker
        answer = await served.client.post(
            "/webhooks/acuity", content=body, headers=dict(acuity.sign(body, SECRET, NOW))
        )

    [envelope] = await kept(redis)
    event = parse_event(envelope.event)
    assert answer.status_code == 200
    assert isinstance(event, BookingCreated)
    assert (event.starts_at, envelope.token) == (NOW + timedelta(days=3), TOKEN)
    assert api.asked[0].headers["authorization"] == basic("17", SECRET.decode())[1]


async def test_a_visit_is_looked_up_and_a_made_up_one_refused(served: Served, api: Api, redis: Redis) -> None:
    """What YCLIENTS' call says does not count; what its API does not know is no visit."""
    example = Example(TOKEN, NOW)
    told = orjson.loads(yclients.PROVIDER.examples["record.create"](example))
    body = orjson.dumps({**told, "data": {"api_id": "0b" + "k7" * 12}})
    made_up = orjson.dumps({**told, "resource_id": 1})
    visit = yclients.PROVIDER.api_examples["record.create"](example)
    api.answers[f"/api/v1/record/4564/{told['resource_id']}"] = visit
    options = {**yclients.PROVIDER.example_options, "api_base": api.url}
    provider = yclients.PROVIDER.configured(options)
    served.edge.webhooks = {"yclients": WebhookEndpoint("yclients", provider, [Secret(SECRET)])}
    path = f"/webhooks/yclients/{SECRET.decode()}"
    async with open_asker(answer_within=timedelta(seconds=2)) as asker:
        served.edge.asker = asker
        taken = await served.client.post(path, content=body)
        refused = await served.client.post(path, content=made_up)

    [envelope] = await kept(redis)
    event = parse_event(envelope.event)
    assert (taken.status_code, refused.status_code) == (200, 401)
    assert isinstance(event, BookingCreated)
    assert (event.starts_at, envelope.token) == (NOW + timedelta(days=1), TOKEN)
    assert api.asked[0].headers["authorization"] == "Bearer partner, User user"
