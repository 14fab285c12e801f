"""What must not change once the store is in use."""

from state.errors import PartitionsChanged
from state.grouping import GroupedCalls
from state.keys import Keys


async def fix_layout(calls: GroupedCalls, keys: Keys) -> None:
    """
    Write down the number of partitions at the first start, and check it at every later one.

    Raises:
        PartitionsChanged: the store was first used with another number; conversations would not be found.
        StoreUnavailable: Redis did not answer.
    """
    written = await calls.command("HGET", keys.meta, "partitions")
    if written is None:
        # Not every time: a start must succeed while memory is full too.
        await calls.command("HSETNX", keys.meta, "partitions", keys.partitions)
        written = await calls.command("HGET", keys.meta, "partitions")
    stored = int(written)
    if stored != keys.partitions:
        raise PartitionsChanged(stored, keys.partitions)
