"""An ASGI application on a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn


@asynccontextmanager
async def listening(config: uvicorn.Config) -> AsyncIterator[int]:
    """Serve on a free port of this machine, which is yielded, until the end of the block."""
    listener = listening_socket()
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]), name="uvicorn")
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
        listener.close()


def listening_socket() -> socket.socket:
    """
    Return one on a free port of this machine, whose connections send what they have at once.

    asyncio asks for that only where the protocol is named; without it an answer in two parts takes 40 ms.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    return listener
