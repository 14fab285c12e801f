"""A partition has one worker; one that only thinks it still has it changes nothing."""

from datetime import timedelta

from aiogram.fsm.context import FSMContext
from redis.asyncio import Redis

from state import ConversationStorage
from state.conversation import Conversation
from state.grouping import GroupedCalls
from state.keys import Keys
from state.lease import Leases
from state.scripts import Change, Committed, Scripts, Settled
from tests.redis.conftest import Outside

CONVERSATION = Conversation.private(42, 501)


def leases(redis: Redis, worker: str) -> Leases:
    """The leases of *worker*."""
    return Leases(Scripts(GroupedCalls(redis), Keys(), worker=worker), timedelta(seconds=10))


async def test_a_partition_has_one_holder_at_a_time(redis: Redis) -> None:
    """Until it is given back."""
    ours, theirs = leases(redis, "ours"), leases(redis, "theirs")

    lease = await ours.claim(0)
    assert lease is not None
    assert await theirs.claim(0) is None
    await ours.release(lease)
    assert await theirs.claim(0) is not None


async def test_a_stale_holder_is_refused_by_every_transition(redis: Redis, outside: Outside) -> None:
    """Its lease has run out while it slept, and somebody else has the partition."""
    partition = outside.keys.partition_of(CONVERSATION)
    ours, theirs = leases(redis, "ours"), leases(redis, "theirs")
    await outside.send("shop.step", to=CONVERSATION)
    [entry] = await outside.inbox.read(partition, after="0", count=10)
    stale = await ours.claim(partition)
    assert stale is not None
    await redis.delete(outside.keys.lease(partition))
    fresh = await theirs.claim(partition)
    assert fresh is not None

    change = Change(
        conversation=CONVERSATION, ttl_ms=60_000, lease=stale.value, entry_id=entry.id, state="stolen"
    )
    committed = await outside.scripts.commit(change)
    settled = await outside.scripts.settle(stale.value, CONVERSATION, entry.id, "ignore")
    loaded = await outside.scripts.load(stale.value, entry.id, CONVERSATION, object_key=None)
    renewed = await ours.renew(stale)

    assert (committed.outcome, settled, loaded, renewed) == (
        Committed.FENCED,
        Settled.FENCED,
        Committed.FENCED,
        False,
    )
    storage = ConversationStorage(redis)
    assert await FSMContext(storage, CONVERSATION.storage_key()).get_state() is None
    assert len(await outside.inbox.read(partition, after="0", count=10)) == 1


async def test_the_fencing_token_only_grows(redis: Redis) -> None:
    """Across holders, and across leases that nobody gave back."""
    ours = leases(redis, "ours")
    tokens = []
    for _ in range(3):
        lease = await ours.claim(0)
        assert lease is not None
        tokens.append(int(lease.value.rpartition("/")[2]))
        await redis.delete(Keys().lease(0))

    assert tokens == [1, 2, 3]
