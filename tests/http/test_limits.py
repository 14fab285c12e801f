"""The edge's own limits: rates, slow callers, and a process that is about to stop."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from routers.allowance import Allowance
from routers.registry import providers
from state.envelope import Envelope
from state.errors import Overloaded
from state.inbox import Disposition
from state.time_limit import TimeLimit
from tests.http.conftest import BOT_ID, BOT_SECRET, Served
from tests.unit.calls import NOW, SECRET

TELEGRAM = {"X-Telegram-Bot-Api-Secret-Token": BOT_SECRET}


def signed(source: str, body: bytes) -> dict[str, str]:
    """The headers that the provider of *source* sends with *body*."""
    sign = providers()[source].sign
    assert sign is not None
    return dict(sign(body, SECRET, NOW))


def test_an_allowance_lets_one_seconds_worth_through_at_once() -> None:
    """Then one for each part of a second, and it says how long to wait."""
    now = 100.0
    allowance = Allowance(4, clock=lambda: now)

    burst = [allowance.take() for _ in range(6)]
    now += burst[-1]

    assert burst[:4] == [0, 0, 0, 0]
    assert burst[4:] == [pytest.approx(0.25)] * 2
    assert [allowance.take(), allowance.take()] == [0, pytest.approx(0.25)]


def test_an_allowance_of_less_than_one_a_second_lets_one_through() -> None:
    """A slow source is not shut out."""
    allowance = Allowance(0.1, clock=lambda: 100.0)

    assert [allowance.take(), allowance.take()] == [0, pytest.approx(10)]


async def test_a_source_over_its_rate_is_asked_to_come_again(served: Served) -> None:
    """429 with Retry-After; a bot's updates likewise, and another source is not held back."""
    stripe = replace(served.edge.webhooks["stripe"], allowance=Allowance(0.1))
    bot = replace(served.edge.telegram[BOT_ID], allowance=Allowance(0.1))
    served.edge.webhooks = {**served.edge.webhooks, "stripe": stripe}
    served.edge.telegram_by_name = {str(BOT_ID): bot}

    bodies = [b'{"id":"evt_1"}', b'{"id":"evt_2"}']
    stripes = [
        await served.client.post("/webhooks/stripe", content=body, headers=signed("stripe", body))
        for body in bodies
    ]
    updates = [
        await served.client.post(
            f"/telegram/{BOT_ID}", json={"update_id": number, "poll": {"id": "1"}}, headers=TELEGRAM
        )
        for number in (1, 2)
    ]
    other = await served.client.post("/webhooks/calcom", content=b"{}", headers=signed("calcom", b"{}"))

    assert [answer.status_code for answer in stripes] == [200, 429]
    assert stripes[1].headers["retry-after"] == "10"
    assert stripes[1].json()["type"] == "urn:fsm-gateway:problem:too-many-calls"
    assert [answer.status_code for answer in updates] == [200, 429]
    assert other.status_code == 200


async def test_who_cannot_sign_does_not_use_up_a_sources_rate(served: Served) -> None:
    """Otherwise anybody could shut a provider out."""
    stripe = replace(served.edge.webhooks["stripe"], allowance=Allowance(0.1))
    served.edge.webhooks = {"stripe": stripe}

    forged = [await served.client.post("/webhooks/stripe", content=b"{}") for _ in range(3)]
    genuine = await served.client.post("/webhooks/stripe", content=b"{}", headers=signed("stripe", b"{}"))

    assert [answer.status_code for answer in forged] == [401, 401, 401]
    assert genuine.status_code == 200


async def test_an_overloaded_gateway_says_so(served: Served) -> None:
    """503 with Retry-After, as problem details of its own type."""

    class Full:
        """An inbox at its limit."""

        async def accept(
            self, envelope: Envelope, *, remember_for: timedelta, urgent: bool = False
        ) -> Disposition:
            """Take nothing."""
            raise Overloaded(10, reason="the inbox is full")

    served.edge.inbox = Full()
    answer = await served.client.post("/webhooks/stripe", content=b"{}", headers=signed("stripe", b"{}"))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.json()["type"] == "urn:fsm-gateway:problem:overloaded"


@pytest.fixture
def hurried(served: Served) -> Served:
    """The same edge, with a limit of a tenth of a second."""
    served.app.hot_routes.limit = TimeLimit(timedelta(seconds=0.1))
    return served


async def test_a_body_that_does_not_come_is_given_up(hurried: Served) -> None:
    """408, and the connection is closed: nobody holds one open with a few bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port)
    writer.write(b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:fsm-gateway:problem:too-slow" in answer


async def test_a_store_that_does_not_answer_in_time_is_503(hurried: Served) -> None:
    """The caller comes again, and if the event was stored after all it counts once."""

    class Silent:
        """An inbox whose store hangs."""

        async def accept(
            self, envelope: Envelope, *, remember_for: timedelta, urgent: bool = False
        ) -> Disposition:
            """Never return."""
            await asyncio.Event().wait()
            return Disposition.ACCEPTED

    hurried.edge.inbox = Silent()
    answer = await hurried.client.post("/webhooks/stripe", content=b"{}", headers=signed("stripe", b"{}"))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "urn:fsm-gateway:problem:took-too-long"


#: Each in its way to the same endpoints: through the doors, and through the framework.
@pytest.mark.parametrize("path", [f"/telegram/{BOT_ID}", "/webhooks/stripe", "/webhooks/stripe/part"])
async def test_a_fault_of_ours_is_answered_as_a_problem_and_logged(served: Served, path: str) -> None:
    """The caller comes again; what failed is for the operator."""

    class Faulty:
        """An inbox with a fault."""

        async def accept(
            self, envelope: Envelope, *, remember_for: timedelta, urgent: bool = False
        ) -> Disposition:
            """Fail."""
            raise LookupError("something secret")

    served.edge.inbox = Faulty()
    body = b'{"update_id":1}'
    with capture_logs() as lines:
        answer = await served.client.post(path, content=body, headers=TELEGRAM | signed("stripe", body))

    assert (answer.status_code, answer.json()["type"]) == (500, "urn:fsm-gateway:problem:internal")
    assert "secret" not in answer.text
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["a call failed"]


async def test_a_draining_process_sends_its_callers_elsewhere(served: Served) -> None:
    """503 and a closed connection, while it is still alive for whoever asks."""
    served.edge.draining = True

    refused = await served.client.post("/webhooks/stripe", content=b"{}", headers=signed("stripe", b"{}"))
    alive = await served.client.get("/livez")

    assert refused.status_code == 503
    assert refused.headers["connection"] == "close"
    assert refused.json()["type"] == "urn:fsm-gateway:problem:draining"
    assert alive.status_code == 200


async def test_a_process_that_leaves_takes_calls_on_connections_that_close(served: Served) -> None:
    """A load balancer learns from `/readyz` that it must send no more, and until then nobody is refused."""
    served.edge.leaving = True

    taken = await served.client.post("/webhooks/stripe", content=b"{}", headers=signed("stripe", b"{}"))
    ready = await served.client.get("/readyz")

    assert (taken.status_code, taken.headers["connection"]) == (200, "close")
    assert (ready.status_code, ready.json()["failing"]) == (503, ["draining"])
