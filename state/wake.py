"""Word of new work from other processes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from state.keys import Keys

_TAG = re.compile(rb"\{([0-9a-f]{2})\}")
#: The subscription is only a short cut: the inbox is looked at without it too, so a lost one does no harm.
_RECONNECT_SECONDS = 0.5
_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Word:
    """What another process says: it has left work in *partition*; None: there are leases to take or give."""

    partition: int | None
    urgent: bool = False
    """Somebody waits for the answer."""

    @classmethod
    def parse(cls, data: bytes) -> "Word":
        """Read a message, which is the name of the key that the work lies in."""
        tag = _TAG.search(data)
        return cls(int(tag[1], 16), data.endswith(b":urgent")) if tag else cls(None)


async def wake_ups(redis: Redis, keys: Keys, worker: str) -> AsyncIterator[Word]:
    """Yield what other processes tell *worker*."""
    while True:
        with suppress(RedisError, OSError):
            async with redis.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(keys.wake_channel(worker))
                while True:
                    message = await subscription.get_message(timeout=_POLL_SECONDS)
                    if message is not None:
                        yield Word.parse(message["data"])
        await asyncio.sleep(_RECONNECT_SECONDS)
