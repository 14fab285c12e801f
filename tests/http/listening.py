"""An ASGI application on a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn


@asynccontextmanager
async def listening(config: uvicorn.Config) -> AsyncIterator[int]:
    """Serve on a free port of this machine, which is yielded, until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]), name="uvicorn")
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
        listener.close()
