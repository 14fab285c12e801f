"""What goes over the wire between a client and its Redis, counted to the byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(slots=True)
class Wire:
    """A real connection to Redis by way of a counter."""

    url: str = ""
    sent: int = 0
    received: int = 0

    def since(self, before: "tuple[int, int]") -> tuple[int, int]:
        """What was sent and received since *before*."""
        return self.sent - before[0], self.received - before[1]

    @property
    def now(self) -> tuple[int, int]:
        """What was sent and received so far."""
        return self.sent, self.received


@asynccontextmanager
async def metered(redis_url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """
    Count what clients of the yielded address exchange with the Redis at *redis_url*, a unix socket's.

    With *tls* they have to speak it.
    """
    wire, socket = Wire(), urlsplit(redis_url).path
    open_writers: set[asyncio.StreamWriter] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sending: bool) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                if sending:
                    wire.sent += len(piece)
                else:
                    wire.received += len(piece)
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_unix_connection(socket)
        open_writers.update((writer, to_redis))
        await asyncio.gather(pass_on(reader, to_redis, True), pass_on(from_redis, writer, False))

    server = await asyncio.start_server(connect, "127.0.0.1", 0, ssl=tls)
    wire.url = f"{'rediss' if tls else 'redis'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    try:
        yield wire
    finally:
        server.close()
        for writer in open_writers:
            writer.close()
        await server.wait_closed()
