"""G2: one idempotency key changes state once, whatever is repeated, retried or killed."""

import asyncio
import random
from itertools import count

from gateway.demo.bot_api import BotApi
from state import ConversationStorage
from state.backlog import Backlog
from state.conversation import Conversation
from tests.acceptance.counting_bot import counts
from tests.acceptance.gateway_process import GatewayProcess, payment
from tests.waiting import wait_until

USERS = range(501, 511)


async def nothing_owed(backlog: Backlog) -> None:
    """Return when every event has ended and every effect has gone out."""

    async def empty() -> bool:
        return not await backlog.owed()

    await wait_until(empty, description="nothing is owed", seconds=60)


async def token_of(gateway: GatewayProcess, api: BotApi, backlog: Backlog, user: int) -> str:
    """Have the bot show the user a token, and return it."""
    assert (await gateway.telegram(api.updates.message(user, "/token"))).is_success
    await nothing_owed(backlog)
    return api.chats[user].texts()[0]


async def test_fifty_deliveries_of_one_event_at_once_have_one_effect(
    gateway: GatewayProcess, api: BotApi, backlog: Backlog, storage: ConversationStorage
) -> None:
    """All fifty are answered alike, the state changes once and one message is sent."""
    body = payment(await token_of(gateway, api, backlog, 501), 1)

    answers = await asyncio.gather(*(gateway.stripe(body) for _ in range(50)))
    await nothing_owed(backlog)

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b'{"received":true}')}
    conversation = Conversation.private(api.account.id, 501)
    assert counts(await storage.get_data(conversation.storage_key())) == {"pi_1": 1}
    assert api.chats[501].texts()[1:] == ["1 counted"]


async def test_kill_9_at_any_moment_applies_every_event_exactly_once(
    gateway: GatewayProcess, api: BotApi, backlog: Backlog, storage: ConversationStorage
) -> None:
    """200 events are sent as Telegram and Stripe send them, while the process is killed again and again."""
    chance = random.Random(20261124)
    tokens = {user: await token_of(gateway, api, backlog, user) for user in USERS}
    numbers = count(1)
    expected: dict[int, dict[str, int]] = {user: {} for user in USERS}
    senders = []
    for user in USERS:
        for message in range(10):
            expected[user][f"message {message}"] = 1
            update = api.updates.message(user, f"message {message}")
            senders.append(gateway.insist(gateway.telegram, update))
            number = next(numbers)
            expected[user][f"pi_{number}"] = 1
            senders.append(gateway.insist(gateway.stripe, payment(tokens[user], number)))
    chance.shuffle(senders)
    assert len(senders) == 200

    async def trickle() -> None:
        async with asyncio.TaskGroup() as group:
            for sender in senders:
                group.create_task(sender)
                await asyncio.sleep(chance.uniform(0, 0.02))

    async def kill_now_and_then() -> None:
        for _ in range(3):
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            await gateway.kill()
            await gateway.start()

    await asyncio.gather(trickle(), kill_now_and_then())
    await nothing_owed(backlog)

    for user in USERS:
        key = Conversation.private(api.account.id, user).storage_key()
        assert counts(await storage.get_data(key)) == expected[user]
        # A kill between Telegram's answer and our record of it may leave one message behind: not promised.
        assert api.chats[user].texts()[-1] == "20 counted"
