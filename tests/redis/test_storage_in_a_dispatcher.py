"""A bot of aiogram's own, with no gateway around it, on our storage and on aiogram's."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.scene import Scene, SceneRegistry, on
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import BaseStorage, DefaultKeyBuilder
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.fsm.strategy import FSMStrategy
from aiogram.types import Chat, Message, Update, User
from redis.asyncio import Redis

from gateway import Director, Feature, View, park
from routers.event import OtherEvent
from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from tests.redis.conftest import Outside, Run
from tests.waiting import wait_until

NUMBERS = count(1)
GROUP = -100


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    """A bot that calls nobody."""
    bot = Bot("42:token")
    yield bot
    await bot.session.close()


@pytest.fixture(params=["aiogram's memory", "aiogram's Redis", "ours"])
def storage(request: pytest.FixtureRequest, redis: Redis) -> BaseStorage:
    """Each storage that a dispatcher can have."""
    builder = DefaultKeyBuilder(with_bot_id=True, with_destiny=True, with_business_connection_id=True)
    storages: Mapping[str, BaseStorage] = {
        "aiogram's memory": MemoryStorage(),
        "aiogram's Redis": RedisStorage(redis, builder, state_ttl=60, data_ttl=60),
        "ours": ConversationStorage(redis),
    }
    return storages[request.param]


def update(
    text: str, *, chat: int = GROUP, user: int = 501, thread: int | None = None, business: str | None = None
) -> Update:
    """A message as Telegram tells of it."""
    message = Message(
        message_id=next(NUMBERS),
        date=datetime.now(UTC),
        chat=Chat(id=chat, type="private" if chat > 0 else "supergroup", is_forum=thread is not None or None),
        from_user=User(id=user, is_bot=False, first_name="Ada"),
        text=text,
        message_thread_id=thread,
        is_topic_message=thread is not None or None,
        business_connection_id=business,
    )
    if business:
        return Update(update_id=next(NUMBERS), business_message=message)
    return Update(update_id=next(NUMBERS), message=message)


#: Who shares the data of user 501 in topic 7 of the group, by strategy: the same user in topic 8, another
#: user in topic 7, and the same user in private.
SHARERS = {
    FSMStrategy.USER_IN_CHAT: (True, False, False),
    FSMStrategy.CHAT: (True, True, False),
    FSMStrategy.GLOBAL_USER: (True, False, True),
    FSMStrategy.USER_IN_TOPIC: (False, False, False),
    FSMStrategy.CHAT_TOPIC: (False, True, False),
}


@pytest.mark.parametrize("strategy", FSMStrategy)
async def test_each_strategy_shares_what_it_says(
    storage: BaseStorage, bot: Bot, strategy: FSMStrategy
) -> None:
    """The dispatcher makes the key; the storage must keep all of it, and a business chat apart."""
    dispatcher = Dispatcher(storage=storage, fsm_strategy=strategy)
    router = Router()
    seen: list[str | None] = []

    @router.message()
    @router.business_message()
    async def note(message: Message, state: FSMContext) -> None:
        seen.append(await state.get_value("text"))
        await state.update_data(text=seen[-1] or message.text)

    dispatcher.include_router(router)
    await dispatcher.feed_update(bot, update("first", thread=7))
    for other in (
        update("same user, same topic", thread=7),
        update("same user, other topic", thread=8),
        update("other user, same topic", thread=7, user=502),
        update("same user, private", chat=501),
        update("same user, business", chat=501, business="JTLB"),
    ):
        await dispatcher.feed_update(bot, other)

    assert [found == "first" for found in seen] == [False, True, *SHARERS[strategy], False]


class Question(Scene, state="question"):
    """A scene that keeps the answers."""

    @on.message.enter()
    async def entered(self, message: Message, state: FSMContext) -> None:
        """Count the visits."""
        await state.update_data(visits=await state.get_value("visits", 0) + 1)

    @on.message(Command("next"))
    async def go_on(self, message: Message) -> None:
        """Leave for the next scene."""
        await self.wizard.goto(Summary)

    @on.message()
    async def answered(self, message: Message, state: FSMContext) -> None:
        """Keep the answer."""
        await self.wizard.update_data(answer=message.text)


class Summary(Scene, state="summary"):
    """The scene after it."""

    @on.message(Command("back"))
    async def go_back(self, message: Message) -> None:
        """Return to the scene before, with the data that it had."""
        await self.wizard.back()

    @on.message(Command("leave"))
    async def leave(self, message: Message) -> None:
        """Leave all scenes."""
        await self.wizard.exit()

    @on.message()
    async def changed(self, message: Message, state: FSMContext) -> None:
        """Overwrite the answer."""
        await self.wizard.update_data(answer=message.text)


async def test_aiograms_scenes_go_on_and_back(storage: BaseStorage, bot: Bot) -> None:
    """Their history is kept under a destiny of its own, and going back restores the data of then."""
    dispatcher = Dispatcher(storage=storage)
    router = Router()
    router.message.register(Question.as_handler(), Command("start"))
    dispatcher.include_router(router)
    SceneRegistry(dispatcher).add(Question, Summary)
    state = FSMContext(storage, Conversation.private(42, 501).storage_key())

    async def say(*texts: str) -> tuple[str | None, dict[str, Any]]:
        for text in texts:
            await dispatcher.feed_update(bot, update(text, chat=501))
        return await state.get_state(), await state.get_data()

    assert await say("/start", "yes") == ("question", {"visits": 1, "answer": "yes"})
    assert await say("/next", "no") == ("summary", {"visits": 1, "answer": "no"})
    assert await say("/back") == ("question", {"visits": 2, "answer": "yes"})
    assert await say("/next", "/leave") == (None, {"visits": 2, "answer": "yes"})


class Shop(StatesGroup):
    """What both bots know."""

    choosing = State()
    paying = State()
    paid = State()


class ShopStateManager(BaseStateManager):
    """What both bots write."""

    feature_key = "shop"


async def test_a_polling_bot_without_a_gateway_shares_its_states_with_one(
    run: Run, outside: Outside, conversation: Conversation, redis_url: str
) -> None:
    """The chat is one process's, the payments another's; neither overwrites the other's fields."""
    shop = Feature("shop", states=Shop, garbage=[Shop.paying])

    @shop.on("payment", state=Shop.paying, otherwise=park(hours=1))
    async def paid(event: OtherEvent, director: Director) -> View:
        await ShopStateManager(director.state).update(paid=event.object_id)
        await director.state.set_state(Shop.paid)
        return View(content="Thank you!")

    polling = Router()

    @polling.message(Command("pay"))
    async def pay(message: Message, state: FSMContext) -> None:
        await ShopStateManager(state).update(tea=2)
        await state.set_state(Shop.paying)

    @polling.message(Shop.paid)
    async def after(message: Message, state: FSMContext) -> None:
        await state.update_data(seen=await ShopStateManager(state).get_payload())

    dispatcher = Dispatcher(storage=ConversationStorage.from_url(redis_url))
    dispatcher.include_router(polling)
    state = FSMContext(dispatcher.storage, conversation.storage_key())

    parked = outside.keys.parked(outside.keys.partition_of(conversation))

    async def is_parked() -> bool:
        return bool(await outside.calls.command("ZCARD", parked))

    async def has_paid() -> bool:
        return await state.get_state() == "Shop:paid"

    await run(shop)
    async with Bot(f"{conversation.bot_id}:token") as bot:
        # The payment comes first; the polling bot's own change of the state wakes the parked event.
        await outside.send("payment", to=conversation, object_id="42.00 EUR")
        await wait_until(is_parked, description="the payment waits for its state")
        await dispatcher.feed_update(bot, update("/pay", chat=501))
        await wait_until(has_paid, description="the gateway has handled the payment")
        await dispatcher.feed_update(bot, update("and now?", chat=501))

    assert await state.get_value("seen") == {"tea": 2, "paid": "42.00 EUR"}
    await dispatcher.storage.close()
