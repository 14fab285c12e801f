"""Word of new work from other processes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from state.keys import Keys

_TAG = re.compile(rb"\{([0-9a-f]{2})\}")
#: The subscription is only a short cut: the inbox is looked at without it too, so a lost one does no harm.
_RECONNECT_SECONDS = 0.5
_POLL_SECONDS = 2.0


async def wake_ups(redis: Redis, keys: Keys, worker: str) -> AsyncIterator[int | None]:
    """Yield the partitions in which another process has left work for *worker*; None: leases are free."""
    while True:
        with suppress(RedisError, OSError):
            async with redis.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(keys.wake_channel(worker))
                while True:
                    message = await subscription.get_message(timeout=_POLL_SECONDS)
                    if message is not None:
                        tag = _TAG.search(message["data"])
                        yield int(tag[1], 16) if tag else None
        await asyncio.sleep(_RECONNECT_SECONDS)
