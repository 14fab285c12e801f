"""Health, problems and the description of the edge."""

import pytest
from openapi_spec_validator import validate

from routers.application import Application
from routers.mount import mount
from tests.http.conftest import Served


async def test_a_live_process_says_so(served: Served) -> None:
    """Whatever Redis does: a restart would not help it."""
    served.failing_checks.add("redis")

    assert (await served.client.get("/livez")).json() == {"status": "alive"}


async def test_a_ready_gateway_says_so(served: Served) -> None:
    """Every check works."""
    response = await served.client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ready"})


async def test_what_fails_is_named(served: Served) -> None:
    """So that an operator needs no log to know."""
    served.failing_checks.add("redis")
    response = await served.client.get("/readyz")

    assert (response.status_code, response.json()["failing"]) == (503, ["redis"])


async def test_a_draining_gateway_is_not_ready(served: Served) -> None:
    """No new traffic is sent to a process that is about to stop."""
    served.edge.draining = True
    response = await served.client.get("/readyz")

    assert (response.status_code, response.json()["failing"]) == (503, ["draining"])


async def test_before_the_edge_is_attached_everything_is_not_ready(served: Served) -> None:
    """A call that comes while the process starts is asked to come again."""
    del served.app.state.edge

    assert (await served.client.get("/readyz")).json()["failing"] == ["starting"]
    response = await served.client.post("/webhooks/stripe")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    "method, path, status, slug",
    [("GET", "/nowhere", 404, "not-found"), ("DELETE", "/webhooks/stripe", 405, "method-not-allowed")],
)
async def test_the_servers_own_refusals_are_problems_too(
    served: Served, method: str, path: str, status: int, slug: str
) -> None:
    """One form for every refusal."""
    response = await served.client.request(method, path)

    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["type"]) == (status, f"urn:fsm-gateway:problem:{slug}")


def test_the_document_shows_every_route_and_is_valid() -> None:
    """The hot routes are described by hand: none of the application's routes may be missing."""
    app = Application()
    mount(app)

    document = app.openapi()

    validate(document)
    own = {path for path in document["paths"] if not path.startswith("/v1/")}
    assert own == {
        "/telegram/{bot_id}",
        "/webhooks/{source}",
        "/webhooks/{source}/{secret}",
        "/livez",
        "/readyz",
    }
