"""What must not change once the store is in use."""

from state.errors import PartitionsChanged
from state.grouping import GroupedCalls
from state.keys import Keys


async def check_layout(calls: GroupedCalls, keys: Keys) -> None:
    """
    Check the number of partitions of a store that nothing is to be written to.

    Raises:
        PartitionsChanged: the store was first used with another number; conversations would not be found.
        StoreUnavailable: Redis did not answer.
    """
    _compare(await calls.command("HGET", keys.meta, "partitions"), keys)


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
    _compare(written, keys)


def _compare(written: bytes | None, keys: Keys) -> None:
    if written is not None and int(written) != keys.partitions:
        raise PartitionsChanged(int(written), keys.partitions)
