"""What a provider did not tell is asked for, over real HTTP: it reaches who waits for it, once."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from gateway import Director
from gateway.reconciler import CannotAsk, Pace, Reconciler
from gateway.runtime import Runtime
from routers.asker import ApiUnavailable
from routers.ingest import envelope_of
from routers.payments import tbank
from routers.provider import Example
from tests.redis.asked import Api, Shop, fact
from tests.redis.conftest import Outside, Run
from tests.unit.calls import genuine, registered
from tests.waiting import wait_until


@pytest.fixture
async def shop() -> Shop:
    """The bot."""
    return Shop()


@pytest.fixture
async def runtime(shop: Shop, run: Run) -> Runtime:
    """The running bot."""
    return await run(shop.feature)


async def expected(runtime: Runtime, name: str, currency: str = "EUR") -> str:
    """The token of what user 501 is to pay."""

    async with runtime.container.conversation(runtime.container.bot, 501) as director:
        return _expect(director, name, currency)


def _expect(director: Director, name: str, currency: str) -> str:
    return director.expect(payment=name, amount_minor=4200, currency=currency, feature="shop")


async def test_yookassa_lists_its_payments_page_by_page(
    shop: Shop, runtime: Runtime, provider_api: Api, asking: Callable[..., Reconciler], outside: Outside
) -> None:
    """Each page once; a second look, and the notification that comes late, change nothing."""
    first, second = await expected(runtime, "first"), await expected(runtime, "second")
    paid, held = (
        fact("yookassa", "payment.succeeded", first),
        fact("yookassa", "payment.waiting_for_capture", second),
    )
    strange = {**paid, "id": "of-another-shop", "metadata": {}}
    pages = [{"items": [paid, strange], "next_cursor": "next"}, {"items": [held]}]
    reconciler = asking("yookassa", shop_id="54401")
    provider_api.answers = [*pages, *pages]

    news = [await reconciler.look_back("yookassa", timedelta(hours=24)) for _ in range(2)]
    late = genuine(registered()["yookassa"], "payment.succeeded", Example(first, datetime.now(UTC)))
    translation = registered()["yookassa"].translate(late, datetime.now(UTC))
    await outside.inbox.accept(
        envelope_of(late, translation, "yookassa", datetime.now(UTC)), remember_for=timedelta(days=1)
    )
    await outside.settled()

    assert news == [2, 0]
    assert sorted(shop.heard) == [("first", "payment.succeeded"), ("second", "payment.authorized")]
    queries = [dict(each.query_params) for each in provider_api.asked]
    assert [query.get("cursor") for query in queries] == [None, "next"] * 2
    since = datetime.fromisoformat(queries[0]["created_at.gte"])
    assert timedelta(hours=23, minutes=59) < datetime.now(UTC) - since < timedelta(hours=24, minutes=1)
    credentials = provider_api.asked[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(credentials) == b"54401:the-key"


async def test_mollie_is_read_until_it_tells_of_older_things(
    shop: Shop, runtime: Runtime, provider_api: Api, asking: Callable[..., Reconciler], outside: Outside
) -> None:
    """Its list begins with the newest and would go on to the first payment of the account."""
    token = await expected(runtime, "room")
    paid = fact("mollie", "paid", token)
    old = {**fact("mollie", "paid", token), "id": "tr_oldoldold", "createdAt": "2020-01-01T00:00:00+00:00"}
    following = {"next": {"href": "https://api.mollie.com/v2/payments?from=tr_next&limit=100"}}
    provider_api.answers = [
        {"_embedded": {"payments": [each]}, "_links": following} for each in (paid, {**old, "metadata": None})
    ]

    assert await asking("mollie").look_back("mollie", timedelta(hours=24)) == 1
    await outside.settled()

    assert shop.heard == [("room", "payment.succeeded")]
    assert [each.query_params.get("from") for each in provider_api.asked] == [None, "tr_next"]


async def test_stripe_lists_its_events(
    shop: Shop, runtime: Runtime, provider_api: Api, asking: Callable[..., Reconciler], outside: Outside
) -> None:
    """As its webhooks would have brought them."""
    token = await expected(runtime, "room")
    event = fact("stripe", "payment_intent.succeeded", token)
    provider_api.answers = [
        {"data": [event], "has_more": True},
        {"data": [fact("stripe", "payment_intent.processing", token)], "has_more": False},
    ]

    reconciler = asking("stripe", api_key="rk_test_1")
    assert await reconciler.look_back("stripe", timedelta(hours=1)) == 2
    await outside.settled()

    assert shop.heard == [("room", "payment.succeeded")]
    assert provider_api.asked[1].query_params["starting_after"] == event["id"]
    assert provider_api.asked[0].headers["authorization"] == "Bearer rk_test_1"


async def test_tbank_is_asked_about_one_order(
    shop: Shop, runtime: Runtime, provider_api: Api, asking: Callable[..., Reconciler], outside: Outside
) -> None:
    """By the token, which is its number; signed as T-Bank wants it, with the keys of its notifications."""
    token = await expected(runtime, "room", "RUB")
    payment = fact("tbank", "CONFIRMED", token)
    told = {name: payment[name] for name in ("PaymentId", "Amount", "Status", "Success", "ErrorCode")}
    answer = {"Success": True, "TerminalKey": payment["TerminalKey"], "OrderId": token, "Payments": [told]}
    provider_api.answers = [answer]
    reconciler = asking("tbank", terminal_key=payment["TerminalKey"])

    assert [await reconciler.ask("tbank", token) for _ in range(2)] == [1, 0]
    await outside.settled()

    assert shop.heard == [("room", "payment.succeeded")]
    asked = orjson.loads(provider_api.bodies[0])
    assert (provider_api.asked[0].url.path, asked["OrderId"]) == ("/CheckOrder", token)
    assert asked.pop("Token") == tbank.SIGNATURE.signature_of(asked, b"the-key")
    notified = tbank.translate(
        genuine(tbank.PROVIDER, "CONFIRMED", Example(token, datetime.now(UTC))), datetime.now(UTC)
    )
    assert notified.idempotency_key == f"{payment['TerminalKey']}:{payment['PaymentId']}:CONFIRMED"


@pytest.mark.parametrize(
    "status, event_type",
    [
        ("Completed", "payment.succeeded"),
        ("Authorized", "payment.authorized"),
        ("Declined", "payment.failed"),
    ],
)
async def test_cloudpayments_is_asked_about_one_invoice(
    shop: Shop,
    runtime: Runtime,
    provider_api: Api,
    asking: Callable[..., Reconciler],
    outside: Outside,
    status: str,
    event_type: str,
) -> None:
    """By the token, which is its number."""
    token = await expected(runtime, "room")
    model = {"TransactionId": 12345, "Amount": 42.0, "Currency": "EUR", "InvoiceId": token, "Status": status}
    provider_api.answers = [{"Model": model, "Success": True, "Message": None}]
    reconciler = asking("cloudpayments", public_id="pk_1")

    assert [await reconciler.ask("cloudpayments", token) for _ in range(2)] == [1, 0]
    await outside.settled()

    assert shop.heard == [("room", event_type)]
    assert provider_api.asked[0].url.path == "/v2/payments/find"
    assert orjson.loads(provider_api.bodies[0]) == {"InvoiceId": token}


async def test_another_sum_is_a_mismatch_here_too(
    shop: Shop, runtime: Runtime, provider_api: Api, asking: Callable[..., Reconciler], outside: Outside
) -> None:
    """What was asked for takes the way of a call, with all its checks."""
    token = await expected(runtime, "room")
    paid = {**fact("yookassa", "payment.succeeded", token), "amount": {"value": "1.00", "currency": "EUR"}}
    provider_api.answers = [{"items": [paid]}]

    await asking("yookassa", shop_id="1").look_back("yookassa", timedelta(hours=1))
    await outside.settled()

    assert shop.heard == [("room", "payment.mismatched")]


async def test_what_cannot_be_asked_is_told(provider_api: Api, asking: Callable[..., Reconciler]) -> None:
    """No such source, no way to ask, an option that is missing, an API that is away."""
    provider_api.answers = [500]
    with pytest.raises(CannotAsk):
        await asking("tbank").ask("tbank", "0a" + "k7" * 12)
    with pytest.raises(CannotAsk):
        await asking("yookassa", shop_id="1").look_back("nobody", timedelta(hours=1))
    with pytest.raises(ApiUnavailable):
        await asking("yookassa", shop_id="1").look_back("yookassa", timedelta(hours=1))


async def test_it_looks_back_by_itself_and_only_one_process_does(
    shop: Shop, runtime: Runtime, provider_api: Api, asking: Callable[..., Reconciler], outside: Outside
) -> None:
    """At the source's pace, all processes together; a failure is followed by another try."""
    token = await expected(runtime, "room")
    provider_api.answers = [{"items": []}, 404, {"items": [fact("yookassa", "payment.succeeded", token)]}]
    reconciler = asking("yookassa", shop_id="1")
    slow = {"yookassa": Pace(timedelta(minutes=15), timedelta(hours=24))}
    quick = {"yookassa": Pace(timedelta(milliseconds=50), timedelta(hours=24))}

    async with reconciler.working(slow), asking("yookassa", shop_id="1").working(slow):
        await wait_until(lambda: len(provider_api.asked) == 1, description="one of the two has asked")
    await outside.calls.command("DEL", outside.keys.inquiry("yookassa"))
    async with reconciler.working(quick):
        await wait_until(lambda: shop.heard == [("room", "payment.succeeded")], description="it was found")

    assert len(provider_api.asked) >= 3
