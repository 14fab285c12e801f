"""One word on its way to a subscriber, over HTTP."""

import ipaddress
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import aiohttp

from gateway.settings import SubscriberSettings
from routers.verification.standard_webhooks import StandardWebhooks

_SIGNATURE = StandardWebhooks()


class PrivateAddress(OSError):
    """The subscriber's name leads into a private network, which its settings do not allow."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of one attempt. *why* is empty if the subscriber has the word."""

    why: str = ""
    final: bool = False
    """It wants no more of it, however often it is sent."""
    retry_after_seconds: float = 0


class Post:
    """
    Posts to one subscriber.

    The address is looked at when the connection is made, so that a name cannot be pointed elsewhere after it
    was checked. Redirects are not followed.
    """

    def __init__(self, settings: SubscriberSettings) -> None:
        self._url = str(settings.url)
        self._secret = settings.secret.get_secret_value().encode()
        make_socket = None if settings.allow_private_network else _public_socket
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.concurrency, socket_factory=make_socket),
            timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def send(self, word_id: str, body: bytes) -> Posted:
        """Post *body* once, signed under *word_id*."""
        headers = {"Content-Type": "application/json", "User-Agent": "fsm-gateway"}
        headers.update(_SIGNATURE.sign(body, self._secret, datetime.now(UTC), event_id=word_id))
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return _posted(answer.status, answer.headers.get("Retry-After", ""))
        except TimeoutError:
            return Posted("no answer in time")
        except aiohttp.ClientConnectorError as error:
            private = isinstance(error.os_error, PrivateAddress)
            return Posted(
                "its address is in a private network" if private else "no connection", final=private
            )
        except aiohttp.ClientError as error:
            return Posted(type(error).__name__)


def _posted(status: int, retry_after: str) -> Posted:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Posted()
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
    final = status == HTTPStatus.GONE
    seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
    return Posted(f"answered {status}", final, min(seconds, 86_400.0))


def _public_socket(address: tuple[Any, Any, int, str, Any]) -> socket.socket:
    family, kind, protocol, _, peer = address
    if not ipaddress.ip_address(peer[0].partition("%")[0]).is_global:
        raise PrivateAddress("not a public address")
    return socket.socket(family, kind, protocol)
