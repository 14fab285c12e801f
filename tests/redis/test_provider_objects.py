"""Events that name a payment and carry no token still find whose it is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import orjson
import pytest
import uvicorn

from gateway import Director, Feature
from gateway.runtime import Runtime
from routers.application import Application
from routers.dependencies import WebhookEndpoint, attach
from routers.event import Event
from routers.mount import mount
from routers.payments import stripe
from routers.provider import Example
from state.conversation import Conversation
from tests.http.listening import listening
from tests.redis.conftest import Outside, Run
from tests.unit.calls import call, genuine, known


class Heard:
    """A bot that writes down what it hears, and of whom."""

    def __init__(self) -> None:
        self.feature = Feature("shop")
        self.told: list[tuple[str, int]] = []
        for event_type in ("payment.succeeded", "payment.disputed"):
            self.feature.on(event_type)(self.hear)

    async def hear(self, event: Event, director: Director) -> None:
        """Any event."""
        self.told.append((event.type, director.conversation.user_id))


@pytest.fixture
def heard() -> Heard:
    """The bot."""
    return Heard()


@pytest.fixture
async def runtime(heard: Heard, run: Run) -> Runtime:
    """The running bot, with two accounts at Stripe."""
    runtime = await run(heard.feature)
    runtime.edge.webhooks = {
        name: WebhookEndpoint(name, stripe.PROVIDER, [known(stripe.PROVIDER)]) for name in ("stripe", "other")
    }
    return runtime


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """Stripe, over real HTTP."""
    app = Application()
    mount(app)
    attach(app, runtime.edge)
    async with (
        listening(uvicorn.Config(app, log_config=None, lifespan="off")) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


async def deliver(client: httpx.AsyncClient, own_type: str, token: str, source: str = "stripe") -> None:
    """Send the example of *own_type*; a dispute carries no token."""
    now = datetime.now(UTC)
    sent = genuine(stripe.PROVIDER, own_type, Example(token, now))
    headers = [(name.decode(), value.decode()) for name, value in sent.headers]
    answer = await client.post(f"/webhooks/{source}", content=sent.body, headers=headers)
    assert answer.status_code == 200


async def test_a_dispute_finds_whose_payment_it_is_about(
    heard: Heard, runtime: Runtime, client: httpx.AsyncClient, outside: Outside, conversation: Conversation
) -> None:
    """By the payment that came with the token before; a repeat changes nothing."""
    async with runtime.container.conversation(runtime.container.bot, conversation.user_id) as director:
        token = director.expect(payment="room", feature="shop")
    await deliver(client, "payment_intent.succeeded", token)
    await outside.settled()
    await deliver(client, "charge.dispute.created", token)
    await deliver(client, "charge.dispute.created", token)
    await outside.settled()

    user = conversation.user_id
    assert heard.told == [("payment.succeeded", user), ("payment.disputed", user)]


async def test_an_object_is_known_to_its_own_source_only(
    heard: Heard, runtime: Runtime, client: httpx.AsyncClient, outside: Outside, conversation: Conversation
) -> None:
    """Two accounts may use one id; the one must not speak for the other."""
    async with runtime.container.conversation(runtime.container.bot, conversation.user_id) as director:
        token = director.expect(payment="room", feature="shop")
    await deliver(client, "payment_intent.succeeded", token)
    await deliver(client, "charge.dispute.created", token, source="other")
    await outside.settled()

    assert heard.told == [("payment.succeeded", conversation.user_id)]


async def test_what_has_no_word_of_ours_is_attributed_to_nobody(
    heard: Heard, runtime: Runtime, client: httpx.AsyncClient, outside: Outside, conversation: Conversation
) -> None:
    """Its object can be anybody's."""
    async with runtime.container.conversation(runtime.container.bot, conversation.user_id) as director:
        token = director.expect(payment="room", feature="shop")
    await deliver(client, "payment_intent.succeeded", token)
    dispute = genuine(stripe.PROVIDER, "charge.dispute.created", Example(token, datetime.now(UTC)))
    body = orjson.dumps({**orjson.loads(dispute.body), "type": "charge.dispute.closed", "id": "evt_x"})
    signed = replace(
        dispute,
        body=body,
        headers=call(body, stripe.sign(body, known(stripe.PROVIDER).value, datetime.now(UTC))).headers,
    )
    headers = [(name.decode(), value.decode()) for name, value in signed.headers]
    await client.post("/webhooks/stripe", content=body, headers=headers)
    await outside.settled()

    [unresolved] = [
        entry
        for partition in range(outside.keys.partitions)
        for entry in await outside.calls.command("XRANGE", outside.keys.unresolved(partition), "-", "+")
    ]
    assert b"stripe.charge.dispute.closed" in unresolved[1][1]
