"""Asking a provider's API, against a real HTTP server that misbehaves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from routers.asker import MAX_ANSWER_BYTES, ApiUnavailable, Asker, open_asker
from routers.question import Question, basic
from tests.http.listening import listening


class Api:
    """A provider's API that answers as it is told, and counts."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.asked: list[Request] = []

    async def answer(self, request: Request) -> Response:
        """The next of the statuses, then 200."""
        self.asked.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        return Response(f"answer {len(self.asked)}", status)


async def _slow(_: Request) -> Response:
    await asyncio.Event().wait()
    return Response()


async def _elsewhere(_: Request) -> Response:
    return RedirectResponse("/fact")


async def _endless(_: Request) -> Response:
    return Response(b"x" * (MAX_ANSWER_BYTES + 1))


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """The API on a port of its own."""
    api = Api()
    app = Starlette(
        routes=[
            Route("/fact", api.answer),
            Route("/slow", _slow),
            Route("/elsewhere", _elsewhere),
            Route("/endless", _endless),
        ]
    )
    async with listening(uvicorn.Config(app, log_config=None, lifespan="off")) as port:
        api.url = f"http://127.0.0.1:{port}"
        yield api


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    """The real one, with a short patience."""
    async with open_asker(answer_within=timedelta(seconds=2)) as asker:
        yield asker


async def test_the_answer_comes_with_our_credentials(api: Api, asker: Asker) -> None:
    """Headers of the question are sent as they are."""
    assert await asker.ask(Question(f"{api.url}/fact", (basic("shop", "key"),))) == b"answer 1"
    assert api.asked[0].headers["authorization"] == "Basic c2hvcDprZXk="


async def test_what_the_api_does_not_know_is_no_fact(api: Api, asker: Asker) -> None:
    """404 is an answer: whoever told us of it has invented it."""
    api.statuses = [404]

    assert await asker.ask(Question(f"{api.url}/fact")) is None


async def test_a_busy_api_is_asked_again(api: Api, asker: Asker) -> None:
    """A 503 and a 429 pass within the time limit."""
    api.statuses = [503, 429]

    assert await asker.ask(Question(f"{api.url}/fact")) == b"answer 3"


@pytest.mark.parametrize("status", [401, 403, 500, 302])
async def test_what_is_no_answer_is_told_as_unavailable(api: Api, asker: Asker, status: int) -> None:
    """Wrong credentials and failures are ours to mend: the call must come again, not be refused."""
    api.statuses = [status] * 9

    with pytest.raises(ApiUnavailable):
        await asker.ask(Question(f"{api.url}/fact"))


@pytest.mark.parametrize("path", ["/slow", "/elsewhere", "/endless"])
async def test_time_bytes_and_redirects_are_bounded(api: Api, path: str) -> None:
    """An API that hangs, sends us elsewhere or never ends does not hold the caller."""
    async with open_asker(answer_within=timedelta(milliseconds=300)) as asker:
        with pytest.raises(ApiUnavailable):
            await asker.ask(Question(api.url + path))


async def test_a_closed_port_is_told_as_unavailable(asker: Asker) -> None:
    """No exception of the HTTP library comes through."""
    with pytest.raises(ApiUnavailable):
        await asker.ask(Question("http://127.0.0.1:9/fact"))


async def test_a_key_is_kept_and_not_asked_for_at_a_callers_pace(api: Api, asker: Asker) -> None:
    """Wrong signatures make us ask again at most once a minute."""
    question = Question(f"{api.url}/fact", keep_for=timedelta(days=1))

    answers = [await asker.ask(question, refresh=refresh) for refresh in (False, False, True, True)]

    assert answers == [b"answer 1"] * 4
    assert len(api.asked) == 1
