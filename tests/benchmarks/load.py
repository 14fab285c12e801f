"""A load that costs little: keep-alive connections, each sending its next request when it has its answer."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of requests came to."""

    seconds: float
    answered: int
    milliseconds: Sequence[float]
    """Each answer's time, sorted."""

    def percentile(self, share: float) -> float:
        """Return the time within which that share was answered, in milliseconds."""
        return self.milliseconds[min(len(self.milliseconds) - 1, int(len(self.milliseconds) * share))]


async def send(
    port: int,
    path: str,
    headers: Mapping[str, str],
    bodies: Sequence[bytes],
    at_once: int,
    *,
    method: str = "POST",
) -> Load:
    """
    Send all *bodies* over *at_once* connections.

    Raises:
        AssertionError: an answer was no success.
    """
    return await send_all(port, [post(path, headers, body, method=method) for body in bodies], at_once)


def post(path: str, headers: Mapping[str, str], body: bytes, *, method: str = "POST") -> bytes:
    """Return one request as it is sent."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    start = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{head}Content-Length: {len(body)}\r\n\r\n"
    return start.encode() + body


class Connection:
    """One keep-alive connection, on which one request is under way at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> None:
        """
        Send one request and wait for its answer.

        Raises:
            AssertionError: the answer was no success.
        """
        self._writer.write(request)
        await _answer(self._reader)

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def send_all(port: int, requests: Sequence[bytes], at_once: int) -> Load:
    """
    Send all *requests* over *at_once* connections.

    Raises:
        AssertionError: an answer was no success.
    """
    waiting = iter(requests)
    times: list[float] = []

    async def connection() -> None:
        link = await Connection.open(port)
        for request in waiting:
            began = time.perf_counter()
            await link.ask(request)
            times.append((time.perf_counter() - began) * 1000)
        link.close()

    began = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(at_once)))
    return Load(time.perf_counter() - began, len(times), sorted(times))


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 2"), head
    lowered = head.lower()
    if b"content-length: " in lowered:
        length = int(lowered.split(b"content-length: ")[1].split(b"\r\n")[0])
        if length:
            await reader.readexactly(length)
