"""`POST /telegram/{bot_id}` over real HTTP, down to a real Redis."""

import io

import orjson
import pytest
from redis.asyncio import Redis

from gateway.logs import set_up_logs
from routers.payments.events import PaymentSucceeded
from routers.vocabulary import parse_event
from state.conversation import Conversation
from state.inbox import Inbox
from state.keys import Keys
from tests.http.conftest import BODY_LIMIT_BYTES, BOT_ID, BOT_SECRET, Served
from tests.http.test_webhooks import REFUSED, kept
from tests.unit.calls import NOW, TOKEN

HEADERS = {"X-Telegram-Bot-Api-Secret-Token": BOT_SECRET}
UPDATE = {
    "update_id": 1000,
    "message": {
        "message_id": 5,
        "date": 1795521600,
        "chat": {"id": 77, "type": "private"},
        "from": {"id": 77, "is_bot": False, "first_name": "Ada"},
        "text": "/start",
    },
}


async def test_an_update_is_in_its_conversations_inbox_before_it_is_answered(
    served: Served, inbox: Inbox, redis: Redis
) -> None:
    """G1: 200 means stored, once, whole, and at the right place."""
    body = orjson.dumps(UPDATE)
    responses = [
        await served.client.post(f"/telegram/{BOT_ID}", content=body, headers=HEADERS) for _ in range(3)
    ]

    conversation = Conversation.private(BOT_ID, 77)
    [entry] = await inbox.read(Keys().partition_of(conversation), after="0", count=10)
    assert [(each.status_code, each.content) for each in responses] == [(200, b"")] * 3
    assert entry.conversation == conversation
    assert entry.envelope.body == body
    assert (entry.envelope.source, entry.envelope.type, entry.envelope.idempotency_key) == (
        f"telegram:{BOT_ID}",
        "telegram.message",
        "1000",
    )
    # The sequence of ids may start anew after a week without updates: a key is remembered no longer than
    # that.
    [seen] = [key async for key in redis.scan_iter("*seen*")]
    assert 24 * 3600 < await redis.ttl(seen) < 7 * 24 * 3600


@pytest.mark.parametrize(
    "bot, secret",
    [
        (str(BOT_ID), None),
        (str(BOT_ID), b"wrong"),
        (str(BOT_ID), "секрет".encode()),
        (str(BOT_ID), b"\xe9"),
        ("43", BOT_SECRET.encode()),
        ("main", BOT_SECRET.encode()),
        ("9" * 5000, BOT_SECRET.encode()),
    ],
    ids=["missing", "wrong", "utf-8", "latin-1", "another-bot", "no-number", "long"],
)
async def test_all_refusals_look_alike_and_nothing_is_stored(
    served: Served, redis: Redis, bot: str, secret: bytes | None
) -> None:
    """G9: the same answer as for an unknown webhook source."""
    headers = [] if secret is None else [(b"X-Telegram-Bot-Api-Secret-Token", secret)]
    response = await served.client.post(f"/telegram/{bot}", json=UPDATE, headers=headers)

    assert (response.status_code, response.json()) == (401, REFUSED)
    assert await redis.dbsize() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"update_id":"1"}'])
async def test_what_is_no_update_is_a_problem(served: Served, redis: Redis, body: bytes) -> None:
    """Even with the secret: only a JSON object with an update_id is one."""
    response = await served.client.post(f"/telegram/{BOT_ID}", content=body, headers=HEADERS)

    assert (response.status_code, response.json()["type"]) == (422, "urn:fsm-gateway:problem:not-an-update")
    assert await redis.dbsize() == 0


async def test_an_update_over_the_limit_is_refused(served: Served) -> None:
    """Bodies are bounded."""
    body = b'{"update_id":1,"x":"' + b"x" * BODY_LIMIT_BYTES + b'"}'
    response = await served.client.post(f"/telegram/{BOT_ID}", content=body, headers=HEADERS)

    assert (response.status_code, response.json()["type"]) == (413, "urn:fsm-gateway:problem:body-too-large")


async def test_a_payment_is_stored_as_an_event_beside_its_update(served: Served, redis: Redis) -> None:
    """Of whom its token names, under the charge's id: also in another update it is the same payment."""
    payment = {
        "currency": "XTR",
        "total_amount": 250,
        "invoice_payload": TOKEN,
        "telegram_payment_charge_id": "charge-1",
        "provider_payment_charge_id": "provider-1",
    }
    sender = {"id": 501, "is_bot": False, "first_name": "Ada"}
    paid = {
        "message_id": 5,
        "date": int(NOW.timestamp()),
        "chat": {"id": 501, "type": "private"},
        "from": sender,
        "successful_payment": payment,
    }
    answers = [
        await served.client.post(
            f"/telegram/{BOT_ID}", json={"update_id": number, "message": paid}, headers=HEADERS
        )
        for number in (7, 7, 8)
    ]

    [envelope] = await kept(redis)
    event = parse_event(envelope.event)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert (envelope.source, envelope.idempotency_key) == (f"telegram_payments:{BOT_ID}", "charge-1")
    assert (envelope.type, envelope.token) == ("payment.succeeded", TOKEN)
    assert isinstance(event, PaymentSucceeded)
    assert (event.amount_minor, event.currency) == (250, "XTR")


@pytest.mark.parametrize("path", ["/telegram/{}", "/webhooks/{}", "/webhooks/" + "a" * 40 + "{}"])
async def test_a_token_in_the_path_is_not_logged_not_even_half(
    served: Served, lines: io.StringIO, path: str
) -> None:
    """Many bots have it there: whoever points such a webhook here is refused, and the token stays secret."""
    token = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
    set_up_logs(stream=lines)
    response = await served.client.post(path.format(token), json=UPDATE)

    assert response.status_code == 401
    assert "refused" in lines.getvalue()
    assert token[10:18] not in lines.getvalue()
