"""What a handler sends itself keeps to the same limits as what is delivered."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramForbiddenError
from aiogram.types import Message

from gateway import Feature, View
from gateway.demo.bot_api import BotApi, FaultKind, Standing
from gateway.settings import Settings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Leases that outlast a busy machine: whoever takes over sends what was not recorded yet again."""
    return settings.model_copy(update={"worker": WorkerSettings(lease_seconds=10)})


def _shop(seen: list[str]) -> Feature:
    feature = Feature("shop")

    @feature.on("shop.tell")
    async def tell(event: OtherEvent, bot: Bot) -> None:
        seen.append("tell")
        try:
            await bot.send_message(int(event.object_id), "told")
        except TelegramForbiddenError as error:
            seen.append(error.message)

    @feature.on("shop.show")
    async def show(event: OtherEvent) -> View:
        return View(content="shown")

    @feature.chat.message()
    async def answer(message: Message) -> None:
        await message.answer("answered")

    return feature


async def test_what_handlers_send_and_what_is_delivered_share_one_budget(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """Thirty of each, in two processes: not sixty in the first second."""
    await run(_shop([]))
    await run(_shop([]))
    for user in range(1000, 1060):
        api.chats.open(user)
        event = "shop.tell" if user % 2 else "shop.show"
        await outside.send(event, to=Conversation.private(42, user), object_id=str(user))
    await outside.settled()

    times = [call.at for call in api.calls.of("sendMessage")]
    assert len(times) == 60
    assert max(times) - min(times) > 1


async def test_a_short_429_is_waited_for_inside_the_handler(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """It does not fail for it, and every process knows of the pause."""
    seen: list[str] = []
    await run(_shop(seen))
    api.faults.add(FaultKind.TOO_MANY_REQUESTS, method="sendMessage", seconds=1)

    await outside.send("shop.tell", to=conversation, object_id="501")
    await outside.settled()

    refused, sent = api.calls.of("sendMessage")
    assert (seen, api.chats[501].texts()) == (["tell"], ["told"])
    assert (refused.error_code, sent.at - refused.at > 0.9) == (429, True)


async def test_a_chat_that_takes_nothing_costs_a_handlers_call_only_once(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """The exception is the same, without asking Telegram; views are dropped too."""
    seen: list[str] = []
    await run(_shop(seen))
    api.chats[501].standing = Standing.BLOCKED

    for number in range(2):
        await outside.send("shop.tell", to=conversation, object_id="501", source=f"service-{number}")
        await outside.settled()
    await outside.send("shop.show", to=conversation)
    await outside.settled()

    assert len(api.calls) == 1
    assert seen[1] == "Forbidden: bot was blocked by the user"
    assert seen[3] == "Forbidden: not tried, the chat takes nothing (blocked)"


async def test_whoever_writes_is_answered_by_a_handlers_own_call_too(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """Whatever was noted of the chat before."""
    await run(_shop([]))
    await outside.update(api.updates.blocked(501))
    api.chats[501].standing = Standing.OPEN

    await outside.update(api.updates.message(501, "hello"))

    assert api.chats[501].texts() == ["answered"]


async def test_code_outside_of_any_handler_keeps_to_the_limits_too(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """A background job with `container.bot` meets the note that an event has left."""
    bot = (await run(_shop([]))).container.bot
    await bot.send_message(501, "news")
    await outside.update(api.updates.blocked(501))

    with pytest.raises(TelegramForbiddenError, match="not tried"):
        await bot.send_message(501, "more news")

    assert (api.chats[501].texts(), len(api.calls)) == (["news"], 1)
    assert await outside.calls.command("LLEN", outside.keys.bot_budget(42)) > 0
