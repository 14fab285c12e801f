"""`/metrics` over HTTP: for whom it is there."""

import pytest

from routers.dependencies import MetricsPage
from tests.http.conftest import Served


async def text() -> bytes:
    """Some metrics."""
    return b"gateway_dead_letters 0.0\n"


async def test_without_a_word_in_the_settings_there_is_no_such_page(served: Served) -> None:
    """No token, no endpoint."""
    assert (await served.client.get("/metrics")).status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer", "the-token", "Basic the-token"])
async def test_a_wrong_token_is_refused(served: Served, given: str) -> None:
    """One answer for all of it."""
    served.edge.metrics = MetricsPage(text, b"the-token")
    answer = await served.client.get("/metrics", headers={"Authorization": given})

    assert answer.status_code == 401
    assert "gateway_dead_letters" not in answer.text


async def test_the_token_opens_it(served: Served) -> None:
    """In the text format that Prometheus reads, while the process drains too."""
    served.edge.metrics = MetricsPage(text, b"the-token")
    served.edge.draining = True
    answer = await served.client.get("/metrics", headers={"Authorization": "Bearer the-token"})

    assert (answer.status_code, answer.content) == (200, await text())
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_an_open_one_needs_none(served: Served) -> None:
    """Where the operator says that only Prometheus reaches the port."""
    served.edge.metrics = MetricsPage(text)

    assert (await served.client.get("/metrics")).status_code == 200
