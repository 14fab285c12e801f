"""Whole processes on a Redis that survives them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.demo.bot_api import BotApi
from state import ConversationStorage
from state.backlog import Backlog
from state.grouping import GroupedCalls
from state.keys import Keys
from tests.acceptance.gateway_process import GatewayProcess

BOT = "tests.acceptance.counting_bot:gateway"


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    """Telegram's stand-in."""
    async with BotApi() as api:
        yield api


@pytest.fixture
def storage(redis: Redis) -> ConversationStorage:
    """The conversations, seen from outside of the gateway."""
    return ConversationStorage(redis)


@pytest.fixture
def backlog(redis: Redis) -> Backlog:
    """What the gateway still owes."""
    return Backlog(GroupedCalls(redis), Keys())


@pytest.fixture
async def gateway(tmp_path: Path, api: BotApi, redis: Redis, redis_url: str) -> AsyncIterator[GatewayProcess]:
    """The counting bot, served."""
    del redis  # it empties the store first
    async with GatewayProcess(tmp_path, BOT, api, redis_url) as gateway:
        yield gateway
