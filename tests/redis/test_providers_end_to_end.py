"""A delivery over HTTP moves the right conversation, once; a question before a payment is decided."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import httpx
import pytest
import uvicorn

from gateway import Director, Feature, Gateway
from gateway.decisions import Decisions
from gateway.runtime import Runtime
from routers.application import Application
from routers.call import Call
from routers.dependencies import WebhookEndpoint, attach
from routers.event import Event
from routers.mount import mount
from routers.payments.events import PaymentCheck
from routers.provider import Example, Provider
from routers.question import Question
from state.conversation import Conversation
from state.expectations import Expectation, Expectations
from tests.http.listening import listening
from tests.redis.conftest import Outside, Run
from tests.unit.calls import URL, genuine, known, registered

STRANGER = 777


class CannedApi:
    """The providers' APIs: they know what the delivery under way is about."""

    sent: Call

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """The key, if it may be kept, otherwise the fact."""
        return self.sent.evidence if question.keep_for is not None else self.sent.fetched


class Shop:
    """A bot that waits for something of every provider, and writes down what came, and to whom."""

    def __init__(self) -> None:
        self.feature = Feature("shop")
        self.checks: list[PaymentCheck] = []
        self.says: bool | None = None
        self.thinks = asyncio.Event()
        self.thinks.set()
        self.feature.decide(self._decide)
        for event_type in {translated(*each).type for each in examples()}:
            self.feature.on(event_type)(self._hear)

    async def _hear(self, event: Event, director: Director, expectation: Expectation) -> None:
        # A run may be repeated, its commit is not: what is stored is what counts.
        times = await director.state.get_value(expectation.name, 0)
        await director.state.update_data({expectation.name: times + 1, f"{expectation.name} is": event.type})

    async def _decide(self, event: PaymentCheck, director: Director) -> bool | None:
        self.checks.append(event)
        await director.state.update_data(decided=True)
        await self.thinks.wait()
        return self.says


def examples() -> list[tuple[Provider, str]]:
    """Every provider with every example that is an event."""
    return [
        (provider, own_type)
        for provider in registered().values()
        for own_type in provider.examples
        if not isinstance(translated(provider, own_type), PaymentCheck)
    ]


def translated(provider: Provider, own_type: str) -> Event:
    """What the example is in our words."""
    return provider.translate(genuine(provider, own_type), datetime.now(UTC)).event


async def token_of(runtime: Runtime, name: str, amount_minor: int | None = None) -> str:
    """What user 501 gives to the provider."""
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        currency = None if amount_minor is None else "EUR"
        return director.expect(payment=name, amount_minor=amount_minor, currency=currency, feature="shop")


@pytest.fixture
async def shop() -> Shop:
    """The bot."""
    return Shop()


@pytest.fixture
async def runtime(shop: Shop, run: Run) -> Runtime:
    """The running bot, with every provider as a source."""
    runtime = await run(Gateway(shop.feature))
    runtime.edge.webhooks = {
        kind: WebhookEndpoint(kind, provider, [known(provider)], URL)
        for kind, provider in registered().items()
    }
    runtime.edge.trusted_proxies = [ip_network("127.0.0.1")]
    runtime.edge.asker = CannedApi()
    return runtime


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever calls, over real HTTP."""
    app = Application()
    mount(app)
    attach(app, runtime.edge)
    async with (
        listening(uvicorn.Config(app, log_config=None, lifespan="off", proxy_headers=False)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


async def deliver(
    client: httpx.AsyncClient, runtime: Runtime, provider: Provider, sent: Call
) -> httpx.Response:
    """Send a call, as its provider does, through a proxy that tells where it comes from."""
    assert isinstance(runtime.edge.asker, CannedApi)
    runtime.edge.asker.sent = sent
    headers = [(name.decode(), value.decode("latin-1")) for name, value in sent.headers]
    headers.append(("X-Forwarded-For", sent.remote_address or "203.0.113.9"))
    path = f"/webhooks/{provider.kind}" + (f"/{sent.path_secret}" if sent.path_secret else "")
    path += f"?{sent.query.decode()}" if sent.query else ""
    return await client.request(sent.method, path, content=sent.body, headers=headers)


async def test_each_delivery_moves_the_right_conversation_once(
    shop: Shop, runtime: Runtime, client: httpx.AsyncClient, outside: Outside, conversation: Conversation
) -> None:
    """Of every provider, every event: who waits for it hears of it, once, and nobody else does."""
    cases = {f"{number}-{each[0].kind}-{each[1]}": each for number, each in enumerate(examples())}
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        tokens = {name: director.expect(payment=name, feature="shop") for name in cases}
    wanted: dict[str, object] = {}
    for name, (provider, own_type) in cases.items():
        sent = genuine(provider, own_type, Example(tokens[name], datetime.now(UTC)))
        answers = [await deliver(client, runtime, provider, sent) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 200], name
        # Some of a provider's events do not carry what was given to it: they are kept, unresolved.
        if provider.translate(sent, datetime.now(UTC)).token is not None:
            wanted |= {name: 1, f"{name} is": translated(provider, own_type).type}
    await outside.settled()

    assert await runtime.container.storage.get_data(conversation.storage_key()) == wanted
    assert len(wanted) > 2 * 0.9 * len(cases)
    stranger = Conversation.private(conversation.bot_id, STRANGER)
    assert await runtime.container.storage.get_data(stranger.storage_key()) == {}


async def test_what_comes_late_moves_nothing_back(
    shop: Shop, runtime: Runtime, client: httpx.AsyncClient, outside: Outside, conversation: Conversation
) -> None:
    """Of every provider, the steps of one object, the last one first: only that one acts."""
    now = datetime.now(UTC)
    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        tokens = {kind: director.expect(payment=kind, feature="shop") for kind in registered()}
    wanted: dict[str, object] = {}
    for kind, provider in registered().items():
        steps: list[tuple[int, str, str, Call]] = []
        for own_type in provider.examples:
            sent = genuine(provider, own_type, Example(tokens[kind], now))
            translation = provider.translate(sent, now)
            event = translation.event
            if translation.token is not None and event.rank and not isinstance(event, PaymentCheck):
                steps.append((event.rank, translation.object_key, event.type, sent))
        furthest: dict[str, str] = {}
        for _, object_key, event_type, sent in sorted(steps, key=lambda step: -step[0]):
            furthest.setdefault(object_key, event_type)
            assert (await deliver(client, runtime, provider, sent)).status_code == 200
        if furthest:
            wanted |= {kind: len(furthest), f"{kind} is": list(furthest.values())[-1]}
    await outside.settled()

    assert await runtime.container.storage.get_data(conversation.storage_key()) == wanted
    assert len(wanted) > 40


async def check(client: httpx.AsyncClient, runtime: Runtime, token: str) -> httpx.Response:
    """Have the provider ask whether the payment may be made."""
    provider = registered()["cloudpayments"]
    sent = genuine(provider, "check", Example(token, datetime.now(UTC)))
    return await deliver(client, runtime, provider, sent)


@pytest.mark.parametrize("says, code", [(None, 0), (True, 0), (False, 13)])
async def test_the_feature_decides_before_the_money_is_taken(
    shop: Shop,
    runtime: Runtime,
    client: httpx.AsyncClient,
    conversation: Conversation,
    says: bool | None,
    code: int,
) -> None:
    """Yes or no; what it changes meanwhile is dropped, and the question is kept nowhere."""
    shop.says = says
    token = await token_of(runtime, "room", 4200)

    answer = await check(client, runtime, token)

    assert (answer.status_code, answer.json()) == (200, {"code": code})
    assert [(each.amount_minor, each.currency) for each in shop.checks] == [(4200, "EUR")]
    assert await runtime.container.storage.get_data(conversation.storage_key()) == {}


async def test_what_nobody_expects_is_declined(
    shop: Shop, runtime: Runtime, client: httpx.AsyncClient
) -> None:
    """An unknown token, and another sum than the expected one; the feature is not even asked."""
    wrong_sum = await token_of(runtime, "room", 4300)

    unknown = await check(client, runtime, wrong_sum[:2] + "a" * 24)
    mismatched = await check(client, runtime, wrong_sum)

    assert (unknown.json(), mismatched.json()) == ({"code": 10}, {"code": 12})
    assert shop.checks == []


async def test_a_feature_that_thinks_too_long_or_fails_has_declined(
    shop: Shop, runtime: Runtime, client: httpx.AsyncClient, outside: Outside
) -> None:
    """The buyer is not kept waiting, and a fault takes nobody's money."""
    shop.thinks.clear()
    token = await token_of(runtime, "room", 4200)
    expectations = Expectations(outside.calls, outside.keys)
    gateway = Gateway(shop.feature)
    runtime.edge.decider = Decisions(
        gateway, runtime.container, expectations, budget=timedelta(milliseconds=100)
    )
    late = await check(client, runtime, token)
    shop.feature.decider = None
    shop.feature.decide(_fails)
    failed = await check(client, runtime, token)

    assert (late.json(), failed.json()) == ({"code": 13}, {"code": 13})


async def _fails(event: PaymentCheck) -> bool:
    raise LookupError(event.object_id)
