"""Where a screen stands: private chats, groups, topics, businesses, channels."""

from aiogram.filters import Command
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.strategy import FSMStrategy
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from gateway import Block, Director, Feature, Gateway, View
from gateway.demo.bot_api import BotApi, ChatType
from tests.redis.conftest import Outside, Run

GROUP, CHANNEL = -1005, -1007


class _Shop(StatesGroup):
    paying = State()
    done = State()


def _shop() -> Feature:
    feature = Feature("shop", states=_Shop, garbage=[_Shop.paying])
    button = InlineKeyboardButton(text="Pay", callback_data="pay")

    @feature.chat.message(Command("shop"))
    @feature.chat.business_message(Command("shop"))
    async def shop(message: Message, director: Director) -> View:
        await director.state.set_state(_Shop.paying)
        director.notice("a notice")
        return View(content=Block("shop", InlineKeyboardMarkup(inline_keyboard=[[button]])))

    @feature.chat.message(Command("done"))
    @feature.chat.business_message(Command("done"))
    async def done(message: Message, director: Director) -> View:
        await director.state.set_state(_Shop.done)
        return View(content="done")

    @feature.chat.callback_query()
    async def pay(query: CallbackQuery) -> View:
        return View(content="paid", alert="Thank you!")

    return feature


async def test_d21_each_member_of_a_group_has_a_screen_of_their_own(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """codex-bot shares one key among all users of a group's topic."""
    await run(_shop())
    for user in (1, 2):
        await outside.update(api.updates.message(GROUP, "/shop", user_id=user, thread_id=None))
    await outside.update(api.updates.message(GROUP, "/done", user_id=1))

    # Whose states differ: one is done and clean, one still pays.
    assert sorted(api.chats[GROUP].texts()) == ["a notice", "done", "shop"]


async def test_a_screen_in_a_topic_stays_there(run: Run, outside: Outside, api: BotApi) -> None:
    """Sent to it, edited in it, and its garbage taken from it."""
    await run(Gateway(_shop(), strategy=FSMStrategy.USER_IN_TOPIC))
    for text in ("/shop", "/done"):
        update = api.updates.message(GROUP, text, user_id=1, thread_id=7)
        update["message"]["is_topic_message"] = True
        await outside.update(update)

    ours = [message for message in api.chats[GROUP].visible() if message["from_bot"]]
    assert [(message["text"], message["thread_id"]) for message in ours] == [("done", 7)]


async def test_a_business_chat_is_written_to_and_cleaned_for_the_business(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """Each call carries the connection; deletions have a method of their own."""
    await run(_shop())
    for text in ("/shop", "/done"):
        await outside.update(api.updates.message(501, text, business_connection_id="biz"))

    assert api.chats[501].texts() == ["done"]
    assert {call.parameters["business_connection_id"] for call in api.calls} == {"biz"}
    assert "deleteMessages" not in api.calls.counts()
    assert api.calls.counts()["deleteBusinessMessages"]["ok"] >= 1


async def test_a_channel_has_a_screen_too(run: Run, outside: Outside, api: BotApi) -> None:
    """From outside: the channel stands for the user."""
    api.chats.open(CHANNEL, ChatType.CHANNEL)
    container = (await run(_shop())).container
    for text in ("news", "corrected news"):
        async with container.conversation(container.bot, CHANNEL, chat_id=CHANNEL) as director:
            director.show(View(content=text))
        await outside.settled()

    assert api.chats[CHANNEL].texts() == ["corrected news"]


async def test_d20_a_press_edits_the_message_with_the_button(run: Run, outside: Outside, api: BotApi) -> None:
    """codex-bot deletes it first and sends a new one. The alert comes as the answer to the press."""
    await run(_shop())
    await outside.update(api.updates.message(501, "/shop"))
    (message_id,) = [number for number, message in api.chats[501].messages.items() if message.keyboard]
    api.calls.clear()

    await outside.update(api.updates.press(501, message_id, "pay"))

    assert api.chats[501].messages[message_id].content.text == "paid"
    assert set(api.calls.counts()) == {"editMessageText", "answerCallbackQuery"}
    (query,) = api.account.queries.all()
    assert query.answers == [{"text": "Thank you!", "show_alert": True, "url": ""}]


async def test_d22_a_directors_chat_is_known_for_every_kind_of_update(
    run: Run, outside: Outside, api: BotApi
) -> None:
    """codex-bot's middleware sees only the outer Update, knows no chat in it, and sends nothing."""
    feature, chats = Feature("shop"), []

    @feature.chat.message()
    @feature.chat.edited_message()
    @feature.chat.my_chat_member()
    async def seen(_: object, director: Director) -> View:
        chats.append((director.conversation.chat_id, director.conversation.user_id))
        return View(content=f"seen {len(chats)}")

    await run(feature)
    message = api.updates.message(501, "hello")
    await outside.update(message)
    edited = {"update_id": message["update_id"] + 1000, "edited_message": message["message"]}
    edited["edited_message"] = {**message["message"], "edit_date": message["message"]["date"]}
    await outside.update(edited)
    await outside.update(api.updates.unblocked(501))

    assert chats == [(501, 501)] * 3
    assert api.chats[501].texts() == ["seen 3"]
