"""A permission that Redis takes away while the gateway runs is an outage with a name, not a defect."""

import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from state import connection
from state.connection import connect
from state.conversation import Conversation
from state.envelope import Envelope
from state.errors import StoreUnavailable
from state.grouping import GroupedCalls
from state.inbox import Disposition, Inbox
from state.keys import Keys
from state.scripts import Scripts

USER = "limited"


@pytest.fixture
async def inbox(redis: Redis, redis_url: str) -> AsyncIterator[Inbox]:
    """The inbox, as a user of Redis who may do all so far."""
    await redis.acl_setuser(
        USER, enabled=True, passwords=["+secret"], keys=["*"], channels=["*"], categories=["+@all"]
    )
    client = await connect(redis_url.replace("unix://", f"unix://{USER}:secret@"))
    try:
        yield Inbox(Scripts(GroupedCalls(client), Keys()))
    finally:
        await client.aclose()
        await redis.acl_deluser(USER)


@pytest.mark.parametrize("command", ["evalsha", "xadd"])
async def test_what_redis_forbids_is_answered_503_and_logged_by_name(
    inbox: Inbox,
    redis: Redis,
    command: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The call itself, or what its script does; nothing is stored, and once it is allowed it is taken."""
    monkeypatch.setattr(connection, "_complaint", connection._Complaint())
    envelope = Envelope("stripe", "payment.succeeded", "1", 0, b"{}", b"{}", Conversation.private(42, 501))
    await redis.acl_setuser(USER, commands=[f"-{command}"])

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            with pytest.raises(StoreUnavailable) as away:
                await inbox.accept(envelope, remember_for=timedelta(minutes=1))
    assert away.value.retry_after_seconds == 5
    [record] = caplog.records
    assert "redis forbids what the gateway needs" in record.getMessage()
    # A Redis of 7.0 does not say what the script wanted to run.
    assert re.search(f"'{command}' command|the script can't run", record.getMessage())

    await redis.acl_setuser(USER, commands=[f"+{command}"])
    assert await inbox.accept(envelope, remember_for=timedelta(minutes=1)) is Disposition.ACCEPTED
