"""Garbage is not lost by a crash."""

from pathlib import Path

from redis.asyncio import Redis

from gateway.demo.bot_api import BotApi, FaultKind
from state.backlog import Backlog
from tests.acceptance.gateway_process import GatewayProcess
from tests.waiting import wait_until


async def test_garbage_goes_though_the_process_is_killed_while_it_deletes(
    tmp_path: Path, api: BotApi, redis: Redis, redis_url: str, backlog: Backlog
) -> None:
    """It was tracked by the commit, and is owed until Telegram has answered."""
    del redis  # it empties the store first

    async def settled() -> bool:
        return not await backlog.owed()

    async with GatewayProcess(tmp_path, "tests.acceptance.littering_bot:gateway", api, redis_url) as gateway:
        await gateway.insist(gateway.telegram, api.updates.message(501, "/pay"))
        await wait_until(settled, description="all is shown")
        assert sorted(api.chats[501].texts()) == ["a notice", "an answer", "menu", "pay here"]
        api.faults.add(FaultKind.HANG, method="deleteMessages")
        await gateway.insist(gateway.telegram, api.updates.message(501, "/done"))
        await wait_until(lambda: not api.faults.pending(), description="a deletion is under way")
        await gateway.kill()

        await gateway.start()
        await wait_until(settled, description="nothing is owed", seconds=30)

    assert api.chats[501].texts() == ["thank you"]
