"""G11: Bot API calls that a handler made itself are not made again by its next run."""

import asyncio

from aiogram import F
from aiogram.types import BufferedInputFile, Message
from redis.asyncio import Redis

from gateway import Director, Feature
from gateway.demo.bot_api import BotApi
from gateway.demo.bot_api.faults import FaultKind
from gateway.gateway import Gateway
from gateway.runtime import running
from gateway.settings import Settings, WorkerSettings
from routers.event import OtherEvent
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.redis.test_worker import Broken


async def test_a_handler_that_runs_again_sends_nothing_twice(run: Run, outside: Outside, api: BotApi) -> None:
    """It fails after two `message.answer`; its next run is given the same two messages, and goes on."""
    feature, runs = Feature("shop"), []

    @feature.chat.message(F.text == "buy")
    async def buy(message: Message) -> None:
        first = await message.answer("one moment")
        second = await message.answer("one moment")
        runs.append((first.message_id, second.message_id, type(first)))
        if len(runs) < 3:
            raise Broken
        await second.edit_text("done")

    await run(feature)
    await outside.update(api.updates.message(501, "buy"))

    assert runs == [runs[0]] * 3
    assert runs[0][0] != runs[0][1]
    assert runs[0][2] is Message
    assert api.chats[501].texts() == ["one moment", "done"]
    assert api.calls.counts() == {"sendMessage": {"ok": 2}, "editMessageText": {"ok": 1}}


async def test_each_kind_of_result_comes_back_as_it_was(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi
) -> None:
    """A photo, an edited message, a truth value; and a question that changes nothing is asked anew."""
    feature = Feature("shop")
    runs: list[tuple[Message, Message | bool, bool, int]] = []

    @feature.on("shop.order")
    async def order(_: OtherEvent, director: Director) -> None:
        bot, chat_id = director.bot, conversation.chat_id
        assert bot is not None
        photo = await bot.send_photo(chat_id, BufferedInputFile(b"a picture", "tea.png"), caption="Tea")
        edited = await bot.edit_message_caption(
            chat_id=chat_id, message_id=photo.message_id, caption="Tea, sold"
        )
        deleted = await bot.delete_message(chat_id, photo.message_id)
        me = await bot.get_me(request_timeout=10)
        runs.append((photo, edited, deleted, me.id))
        if len(runs) == 1:
            raise Broken

    await run(feature)
    await outside.send("shop.order", to=conversation)
    await outside.settled()

    assert runs[1] == runs[0]
    photo, edited, deleted, _ = runs[1]
    assert photo.photo
    assert isinstance(edited, Message)
    assert edited.caption == "Tea, sold"
    assert deleted is True
    counts = api.calls.counts()
    assert counts["sendPhoto"] == counts["deleteMessage"] == {"ok": 1}
    assert counts["getMe"] == {"ok": 2}


async def test_a_call_that_outlives_its_handler_is_not_made_again(
    settings: Settings,
    redis: Redis,
    redis_url: str,
    outside: Outside,
    conversation: Conversation,
    api: BotApi,
) -> None:
    """Telegram sends the message and answers late; the handler's time is over; its next run knows of it."""
    feature, runs = Feature("shop"), []

    @feature.on("shop.order")
    async def order(event: OtherEvent, director: Director) -> None:
        runs.append(event.object_id)
        assert director.bot is not None
        await director.bot.send_message(conversation.chat_id, "one moment")

    api.faults.add(FaultKind.LATE_ANSWER, method="sendMessage", seconds=0.6)
    short = settings.model_copy(update={"worker": WorkerSettings(lease_seconds=1, handler_seconds=0.3)})
    async with running(Gateway(feature), short, redis_url):
        await outside.send("shop.order", to=conversation)
        await outside.settled()

    assert len(runs) == 2
    assert api.chats[501].texts() == ["one moment"]


async def test_a_changed_basis_sends_nothing_twice_either(
    run: Run, outside: Outside, conversation: Conversation, api: BotApi, redis: Redis
) -> None:
    """What the handler read has changed by the time of its commit, so it runs again at once."""
    feature, runs = Feature("shop"), []
    runtime = await run(feature)

    @feature.on("shop.order")
    async def order(_: OtherEvent, director: Director) -> None:
        runs.append(await director.state.get_value("stock", 0))
        assert director.bot is not None
        await director.bot.send_message(conversation.chat_id, "one moment")
        if len(runs) == 1:
            key = outside.keys.conversation(conversation)
            await redis.hset(key, mapping={"d:stock": "10", "r": "5"})
            await redis.expire(key, 60)
        await director.state.update_data(stock=runs[-1] + 1)

    await outside.send("shop.order", to=conversation)
    await outside.settled()

    assert runs == [0, 10]
    assert (await runtime.container.storage.get_data(conversation.storage_key()))["stock"] == 11
    assert api.chats[501].texts() == ["one moment"]


async def test_the_journal_goes_with_its_event(
    run: Run, outside: Outside, conversation: Conversation, redis: Redis
) -> None:
    """It is there while the event waits for its next run, and gone with the commit."""
    feature, proceed, found = Feature("shop"), asyncio.Event(), []

    @feature.on("shop.order")
    async def order(_: OtherEvent, director: Director) -> None:
        assert director.bot is not None
        await director.bot.send_message(conversation.chat_id, "one moment")
        await director.bot.send_message(conversation.chat_id, "and another")
        [key] = [key async for key in redis.scan_iter("gw:*:journal:*")]
        found.append((await redis.hlen(key), await redis.ttl(key) > 0))
        if not proceed.is_set():
            proceed.set()
            raise Broken

    await run(feature)
    await outside.send("shop.order", to=conversation)
    await outside.settled()

    assert found == [(2, True), (2, True)]
    assert [key async for key in redis.scan_iter("gw:*:journal:*")] == []
