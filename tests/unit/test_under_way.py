"""The tasks of a worker: what becomes of each is told, and none is another's."""

import asyncio
from contextvars import ContextVar

from gateway.partition import PartitionLog
from gateway.under_way import UnderWay
from state.lease import Lease

_caller: ContextVar[str] = ContextVar("caller", default="nobody")


async def test_a_handler_does_not_run_in_the_context_of_a_call() -> None:
    """A trace or a request id that is kept in a context variable may be that of another user's call."""
    under_way, held = UnderWay(), PartitionLog(Lease(3, "worker/1"))
    seen: list[str] = []

    async def handler() -> None:
        seen.append(_caller.get())
        _caller.set("a handler")

    async def call() -> None:
        _caller.set("a call")
        for name in ("its own", "another one"):
            under_way.begin(handler(), name, held, lambda: None)
            await held.quiet.wait()

    await asyncio.create_task(call())

    assert seen == ["nobody", "nobody"]


async def test_the_end_of_a_task_that_was_cancelled_before_it_began_is_told() -> None:
    """Its slot and its conversation's mark would be kept for ever; the partition could not be handed over."""
    under_way, held = UnderWay(), PartitionLog(Lease(3, "worker/1"))
    begun, ended = [], []

    async def handler() -> None:
        begun.append("handler")

    under_way.begin(handler(), "handler", held, lambda: ended.append("handler"))
    held.lose()
    await asyncio.wait_for(held.quiet.wait(), 5)
    await asyncio.sleep(0)

    assert (begun, ended) == ([], ["handler"])
