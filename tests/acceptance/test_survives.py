"""G1 and G10: what was acknowledged is durable, and trouble passes without a hand."""

from pathlib import Path

from gateway.demo.bot_api import BotApi
from gateway.embedded import EmbeddedRedis
from state import ConversationStorage
from state.conversation import Conversation
from tests.acceptance.conftest import BOT
from tests.acceptance.counting_bot import counts
from tests.acceptance.gateway_process import GatewayProcess
from tests.waiting import wait_until


async def test_without_redis_callers_are_asked_to_come_again_and_it_comes_back_by_itself(
    tmp_path: Path, redis_binary: Path | None, api: BotApi
) -> None:
    """503 with Retry-After while Redis is away, nothing acknowledged is lost, and no restart is needed."""
    server = EmbeddedRedis(tmp_path / "redis", binary=redis_binary, supervised=False)
    async with server, GatewayProcess(tmp_path, BOT, api, server.url) as gateway:
        assert (await gateway.telegram(api.updates.message(501, "before"))).is_success
        later = api.updates.message(501, "later")

        await server.kill()
        refused = await gateway.telegram(later)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.headers["Content-Type"] == "application/problem+json"

        await server.restart()
        await gateway.insist(gateway.telegram, later)
        storage = ConversationStorage.from_url(server.url)
        key = Conversation.private(api.account.id, 501).storage_key()

        async def both_counted() -> bool:
            return counts(await storage.get_data(key)) == {"before": 1, "later": 1}

        await wait_until(both_counted, description="both messages are counted", seconds=30)
        await storage.close()


async def test_sigterm_ends_in_good_order(gateway: GatewayProcess) -> None:
    """The process drains and exits with 0."""
    assert await gateway.stop() == 0
