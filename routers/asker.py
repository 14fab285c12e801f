"""The one place that talks to providers' APIs: bounded in time, bytes and rate, tried again with patience."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Final

import httpx
import structlog
from aiolimiter import AsyncLimiter
from httpx_retries import Retry, RetryTransport

from routers.question import Question

log: Final = structlog.get_logger("routers.asker")

#: The provider waits for our answer meanwhile: T-Bank for 10 s, Mollie for 15 s.
ANSWER_WITHIN: Final = timedelta(seconds=6)
MAX_ANSWER_BYTES: Final = 1024 * 1024
#: Per host. Calls that nobody has verified yet can lead here, and must not use up our welcome there.
REQUESTS_PER_SECOND: Final = 10
#: A kept key that does not fit is asked for again, but not at the pace of whoever sends us wrong signatures.
REFRESH_AFTER: Final = timedelta(minutes=1)
MAX_KEPT: Final = 64
MAX_HOSTS: Final = 64

_UNKNOWN: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY}
)


class ApiUnavailable(Exception):
    """The provider's API gave no usable answer; *host* and *why* may be logged. Nothing was stored."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(host, why)
        self.host = host
        self.why = why


class CredentialsRefused(ApiUnavailable):
    """The API does not take the key that it was asked with."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: bytes
    asked_at: float
    until: float


class Asker:
    """Asks `Question`s. Redirects are not followed: an API that moves is configured anew."""

    def __init__(self, client: httpx.AsyncClient, *, answer_within: timedelta = ANSWER_WITHIN) -> None:
        self._client = client
        self._answer_within = answer_within
        self._limiters: dict[str, AsyncLimiter] = {}
        self._kept: dict[str, _Kept] = {}

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """
        Return what the API answers, or None if it does not know what it is asked about.

        *refresh*: a kept answer did not do; it is asked for again unless that has just been done.

        Raises:
            ApiUnavailable: no answer in time, none of the expected kind, or our credentials are refused.
        """
        kept = self._kept.get(question.url)
        now = monotonic()
        if kept is not None and now < kept.until:
            recent = now - kept.asked_at < REFRESH_AFTER.total_seconds()
            if not refresh or recent:
                return kept.answer
        answer = await self._asked(question)
        if answer is not None and question.keep_for is not None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[question.url] = _Kept(answer, now, now + question.keep_for.total_seconds())
        return answer

    async def _asked(self, question: Question) -> bytes | None:
        host = httpx.URL(question.url).host
        try:
            async with asyncio.timeout(self._answer_within.total_seconds()):
                async with self._limiter(host):
                    return await self._answer(question, host)
        except TimeoutError as error:
            raise ApiUnavailable(host, "no answer in time") from error
        except httpx.HTTPError as error:
            raise ApiUnavailable(host, type(error).__name__) from error

    async def _answer(self, question: Question, host: str) -> bytes | None:
        request = self._client.stream(
            question.method, question.url, headers=dict(question.headers), content=question.body or None
        )
        async with request as response:
            if response.status_code in _UNKNOWN:
                return None
            if not response.is_success:
                if response.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                    log.error("credentials_refused", host=host, status=response.status_code)
                    raise CredentialsRefused(host, f"status {response.status_code}")
                raise ApiUnavailable(host, f"status {response.status_code}")
            answer = bytearray()
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise ApiUnavailable(host, "the answer is too large")
            return bytes(answer)

    def _limiter(self, host: str) -> AsyncLimiter:
        if host not in self._limiters and len(self._limiters) >= MAX_HOSTS:
            self._limiters.clear()
        return self._limiters.setdefault(host, AsyncLimiter(REQUESTS_PER_SECOND, 1))


@asynccontextmanager
async def open_asker(*, answer_within: timedelta = ANSWER_WITHIN) -> AsyncIterator[Asker]:
    """
    Yield an asker of its own connections.

    A connection that fails, 429 and 5xx are tried three times within the time limit; `Retry-After` is
    honoured.
    """
    retry = Retry(total=3, backoff_factor=0.2, allowed_methods=("GET", "HEAD", "POST"))
    transport = RetryTransport(httpx.AsyncHTTPTransport(), retry=retry)
    timeout = httpx.Timeout(answer_within.total_seconds(), connect=3)
    async with httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False) as client:
        yield Asker(client, answer_within=answer_within)
