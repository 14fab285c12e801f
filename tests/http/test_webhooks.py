"""`POST /webhooks/{source}` over real HTTP, down to a real Redis."""

import asyncio
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import httpx
import orjson
import pytest
from redis.asyncio import Redis

from gateway.embedded import EmbeddedRedis
from routers.bookings import calcom
from routers.call import Call
from routers.dependencies import WebhookEndpoint
from routers.event import OtherEvent
from routers.payments import stripe, tbank
from routers.payments.events import PaymentSucceeded
from routers.provider import Example, Provider
from routers.verification import Secret
from routers.vocabulary import parse_event
from state.connection import open_client
from state.envelope import Envelope
from state.grouping import GroupedCalls
from state.inbox import Inbox
from state.keys import Keys
from state.scripts import Scripts
from tests.http.conftest import BODY_LIMIT_BYTES, Served
from tests.unit.calls import NOW, SECRET, TOKEN, genuine

REFUSED = {
    "type": "urn:fsm-gateway:problem:unauthorized",
    "title": "The call is not authorized",
    "status": 401,
    "detail": "There is no such endpoint for this caller, or the call does not prove who sent it.",
}


async def kept(redis: Redis) -> list[Envelope]:
    """Every envelope in Redis that no conversation is known for yet."""
    found = []
    keys = Keys()
    for partition in range(keys.partitions):
        stored = await redis.execute_command(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            "XRANGE", keys.unresolved(partition), "-", "+"
        )
        for _, fields in stored:
            found.append(Envelope.unpack(fields[b"e"], None))
    return found


async def deliver(served: Served, provider: Provider, own_type: str, example: Example) -> httpx.Response:
    """Send what *provider* would send."""
    return await deliver_call(served, provider.kind, genuine(provider, own_type, example))


async def deliver_call(served: Served, source: str, sent: Call) -> httpx.Response:
    """Send *sent* to *source*, through a proxy that tells where it comes from."""
    headers = [(name.decode(), value.decode("latin-1")) for name, value in sent.headers]
    if sent.remote_address:
        headers.append(("X-Forwarded-For", sent.remote_address))
    path = f"/webhooks/{source}"
    if sent.path_secret:
        path += f"/{sent.path_secret}"
    if sent.query:
        path += f"?{sent.query.decode()}"
    return await served.client.request(sent.method, path, content=sent.body, headers=headers)


async def test_a_genuine_call_is_stored_before_it_is_answered(served: Served, redis: Redis) -> None:
    """G1: 200 means that body, event, key and token are in Redis."""
    response = await deliver(served, stripe.PROVIDER, "checkout.session.completed", Example(TOKEN, NOW))

    [envelope] = await kept(redis)
    event = parse_event(envelope.event)
    assert (response.status_code, response.content) == (200, b'{"received":true}')
    assert (envelope.source, envelope.type, envelope.token) == ("stripe", "payment.succeeded", TOKEN)
    assert envelope.received_at_ms == int(NOW.timestamp() * 1000)
    assert orjson.loads(envelope.body)["id"] == envelope.idempotency_key
    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency) == (4200, "EUR")


async def test_fifty_deliveries_at_once_are_stored_once(served: Served, redis: Redis) -> None:
    """G2 at the edge: all of them are answered alike, one is kept."""
    example = Example(TOKEN, NOW)
    responses = await asyncio.gather(
        *(deliver(served, stripe.PROVIDER, "payment_intent.succeeded", example) for _ in range(50))
    )

    assert {(each.status_code, each.content) for each in responses} == {(200, b'{"received":true}')}
    assert len(await kept(redis)) == 1


async def test_a_booking_is_stored(served: Served, redis: Redis) -> None:
    """Cal.com's own way of signing."""
    response = await deliver(served, calcom.PROVIDER, "BOOKING_CANCELLED", Example(TOKEN, NOW))

    [envelope] = await kept(redis)
    assert response.status_code == 200
    assert (envelope.source, envelope.type, envelope.token) == ("calcom", "booking.canceled", TOKEN)


@pytest.mark.parametrize(
    "source, headers",
    [
        ("nobody", {}),
        ("stripe", {}),
        ("stripe", {"Stripe-Signature": "garbage"}),
        ("stripe", {"Stripe-Signature": "ключ"}),
        ("stripe", dict(stripe.sign(b"{}", b"wrong", NOW))),
        ("stripe", dict(stripe.sign(b"{}", SECRET, NOW - timedelta(hours=1)))),
        ("stripe", dict(stripe.sign(b"{}", SECRET, NOW + timedelta(hours=1)))),
        ("calcom", {"X-Cal-Signature-256": "no-secret-provided"}),
    ],
    ids=["unknown", "missing", "malformed", "non-ascii", "wrong", "stale", "future", "unsigned"],
)
async def test_all_refusals_look_alike_and_nothing_is_stored(
    served: Served, redis: Redis, source: str, headers: dict[str, str]
) -> None:
    """G9: the caller learns neither which endpoints exist nor what was wrong."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    response = await served.client.post(f"/webhooks/{source}", content=b"{}", headers=raw)

    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == "Webhook"
    assert response.json() == REFUSED
    assert await redis.dbsize() == 0


async def test_an_authentic_body_that_nobody_can_read_is_kept(served: Served, redis: Redis) -> None:
    """G7: a 4xx would make the provider give up on us; it becomes an event with a name of its own."""
    body = b"type=60min&title=a+custom+template"
    headers = dict(calcom.sign(body, SECRET, NOW))
    responses = [
        await served.client.post("/webhooks/calcom", content=body, headers=headers) for _ in range(2)
    ]

    [envelope] = await kept(redis)
    assert [each.status_code for each in responses] == [200, 200]
    assert (envelope.type, envelope.body) == ("calcom.unreadable", body)
    assert type(parse_event(envelope.event)) is OtherEvent


async def test_a_body_over_the_limit_is_refused_by_its_announced_length(served: Served, redis: Redis) -> None:
    """Before anything of it is read."""
    response = await served.client.post("/webhooks/stripe", content=b"x" * (BODY_LIMIT_BYTES + 1))

    assert (response.status_code, response.json()["type"]) == (413, "urn:fsm-gateway:problem:body-too-large")
    assert await redis.dbsize() == 0


async def test_a_chunked_body_is_refused_as_soon_as_it_is_over_the_limit(served: Served) -> None:
    """The caller announces no length and does not stop: the answer comes while it still sends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"POST /webhooks/stripe HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"x" * 16_384
    for _ in range(BODY_LIMIT_BYTES // len(chunk) + 1):
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    await writer.drain()

    assert b" 413 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()


async def test_a_compressed_body_is_refused(served: Served) -> None:
    """What it unpacks to was not signed, and is not limited."""
    response = await served.client.post(
        "/webhooks/stripe", content=b"{}", headers={"Content-Encoding": "gzip"}
    )

    assert (response.status_code, response.json()["type"]) == (415, "urn:fsm-gateway:problem:body-compressed")


async def test_without_redis_the_caller_is_asked_to_come_again(served: Served, tmp_path: Path) -> None:
    """G1: 503 with Retry-After while Redis is away, and nothing pretended."""
    async with EmbeddedRedis(tmp_path, supervised=False) as server:
        client = open_client(server.url)
    served.edge.inbox = Inbox(Scripts(GroupedCalls(client), Keys()))

    response = await deliver(served, stripe.PROVIDER, "payment_intent.succeeded", Example(TOKEN, NOW))

    await client.aclose()
    assert (response.status_code, response.json()["type"]) == (
        503,
        "urn:fsm-gateway:problem:store-unavailable",
    )
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "headers, query",
    [
        ({"X-Long": "x" * 33_000}, ""),
        ({f"X-{number}": "x" for number in range(101)}, ""),
        ({}, "?" + "x" * 8193),
    ],
    ids=["long", "many", "query"],
)
async def test_headers_and_the_query_are_bounded(
    served: Served, redis: Redis, headers: dict[str, str], query: str
) -> None:
    """No provider comes near the limits."""
    response = await served.client.post(f"/webhooks/stripe{query}", content=b"{}", headers=headers)

    assert (response.status_code, response.json()["type"]) == (
        431,
        "urn:fsm-gateway:problem:headers-too-large",
    )
    assert await redis.dbsize() == 0


@pytest.mark.parametrize("path", ["/webhooks/stripe", "/webhooks/nobody", "/webhooks/stripe/guess"])
async def test_a_get_is_refused_like_all_else(served: Served, redis: Redis, path: str) -> None:
    """Whether the source is there or not, cannot be told from the answer."""
    response = await served.client.get(path)

    assert (response.status_code, response.json()) == (401, REFUSED)
    assert await redis.dbsize() == 0


async def test_an_address_is_seen_through_trusted_proxies_only(served: Served, redis: Redis) -> None:
    """A caller cannot claim one of the provider's addresses by itself."""
    provider = tbank.PROVIDER.configured({"networks": ["91.194.226.0/23"]})
    served.edge.webhooks = {"tbank": WebhookEndpoint("tbank", provider, [Secret(SECRET)])}
    sent = genuine(provider, "CONFIRMED", Example(TOKEN, NOW))

    claimed = await deliver_call(served, "tbank", sent)
    served.edge.trusted_proxies = [ip_network("127.0.0.0/8")]
    told = await deliver_call(served, "tbank", sent)

    assert (claimed.status_code, told.status_code) == (401, 200)
    assert len(await kept(redis)) == 1
