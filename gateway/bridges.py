"""The bridges that the settings ask for, running."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from redis.asyncio import Redis

from gateway.bridge import Bridge
from gateway.settings import Settings
from gateway.settings.streams import StreamStart
from state.connection import open_client
from state.ending import ended
from state.inbox import Inbox
from state.service_stream import ServiceStream


@asynccontextmanager
async def bridging(
    settings: Settings, redis: Redis, inbox: Inbox, reader: str, *, reads: bool
) -> AsyncIterator[Mapping[str, ServiceStream]]:
    """
    Open all configured streams, by name.

    With *reads*, bring their entries into *inbox*, under the name *reader*.
    """
    async with AsyncExitStack() as stack:
        streams = {}
        for name, section in settings.streams.items():
            client = redis
            if section.url is not None:
                client = open_client(section.url.get_secret_value())
                stack.push_async_callback(client.aclose)
            streams[name] = stream = _stream(name, settings, client, reader)
            stack.push_async_callback(stream.aclose)
            if reads:
                bridge = _bridge(name, settings, stream, inbox)
                task = asyncio.create_task(bridge.run(), name=bridge.source)
                stack.push_async_callback(ended, task)
        yield streams


def _stream(name: str, settings: Settings, client: Redis, reader: str) -> ServiceStream:
    stream = settings.streams[name]
    return ServiceStream(
        client,
        key=stream.key or name,
        group=stream.group,
        reader=reader,
        lease=settings.worker.lease,
        start="0" if stream.start is StreamStart.OLDEST else "$",
        prefix=settings.redis.prefix,
    )


def _bridge(name: str, settings: Settings, stream: ServiceStream, inbox: Inbox) -> Bridge:
    section = settings.streams[name]
    return Bridge(
        name,
        stream,
        inbox,
        bots=settings.telegram.ids,
        default_bot=section.bot,
        id_field=section.id_field,
        remember_for=section.remember_for,
        pause=settings.worker.lease / 3,
    )
