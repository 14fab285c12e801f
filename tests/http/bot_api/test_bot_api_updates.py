"""Updates are genuine, and what the bot answers is checked against them."""

from datetime import timedelta
from itertools import pairwise

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError, TelegramRetryAfter
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, LabeledPrice, ShippingOption, Update

from gateway.demo.bot_api import BotApi, QueryKind

CHAT = 7
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


async def invoice(bot: Bot, payload: str = "order-1") -> None:
    """Send the user an invoice over 50 Stars."""
    prices = [LabeledPrice(label="Room", amount=50)]
    await bot.send_invoice(CHAT, "Room", "A night", payload, "XTR", prices)


async def test_every_deed_makes_an_update_that_aiogram_reads(api: BotApi, bot: Bot) -> None:
    """All kinds validate as aiogram's Update, say what they are, and their ids grow."""
    markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="y")]])
    sent = await bot.send_message(CHAT, "Sure?", reply_markup=markup)
    await invoice(bot)
    made = [
        api.updates.message(CHAT, "hello"),
        api.updates.message(-1001, "hello", user_id=7, thread_id=3),
        api.updates.message(CHAT, "hello", business_connection_id="biz"),
        api.updates.press(CHAT, sent.message_id, "y"),
        api.updates.shipping(CHAT, "order-1"),
        api.updates.pre_checkout(CHAT, "order-1"),
        api.updates.paid(CHAT, "order-1"),
        api.updates.blocked(CHAT),
        api.updates.unblocked(CHAT),
    ]

    updates = [Update.model_validate(update) for update in made]

    assert [update.event_type for update in updates] == [
        "message",
        "message",
        "business_message",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "message",
        "my_chat_member",
        "my_chat_member",
    ]
    assert all(one.update_id < other.update_id for one, other in pairwise(updates))
    pressed = updates[3].callback_query
    assert pressed is not None
    assert pressed.message is not None
    assert (pressed.data, pressed.message.message_id) == ("y", sent.message_id)
    paid = updates[6].message
    assert paid is not None
    assert paid.successful_payment is not None
    assert (paid.successful_payment.total_amount, paid.successful_payment.currency) == (50, "XTR")


def test_commands_are_marked_in_utf16_code_units() -> None:
    """An emoji counts twice, a slash inside a word is no command."""
    api = BotApi()

    [entity] = api.updates.message(CHAT, "😀 /start now and/or")["message"]["entities"]

    assert entity == {"type": "bot_command", "offset": 3, "length": 6}


async def test_nobody_presses_a_button_that_is_not_there(api: BotApi, bot: Bot) -> None:
    """A button that an edit took away can't be pressed any more."""
    markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="y")]])
    sent = await bot.send_message(CHAT, "Sure?", reply_markup=markup)
    await bot.edit_message_text("Done", chat_id=CHAT, message_id=sent.message_id)

    with pytest.raises(LookupError):
        api.updates.press(CHAT, sent.message_id, "y")


async def test_a_pressed_button_is_answered_in_time_or_never(api: BotApi, bot: Bot) -> None:
    """The answer is kept with its query; unknown and old queries are refused."""
    markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="y")]])
    sent = await bot.send_message(CHAT, "Sure?", reply_markup=markup)
    query_id = api.updates.press(CHAT, sent.message_id, "y")["callback_query"]["id"]

    assert await bot.answer_callback_query(query_id, text="ok", show_alert=True)

    [query] = api.account.queries.of(QueryKind.CALLBACK)
    assert query.answers == [{"text": "ok", "show_alert": True, "url": ""}]
    with pytest.raises(TelegramBadRequest, match=TOO_OLD):
        await bot.answer_callback_query("12345")
    api.clock.advance(timedelta(minutes=3))
    with pytest.raises(TelegramBadRequest, match=TOO_OLD):
        await bot.answer_callback_query(query_id)


async def test_a_checkout_waits_ten_seconds(api: BotApi, bot: Bot) -> None:
    """A refusal needs its reason; an answer after ten seconds comes too late."""
    await invoice(bot)
    query_id = api.updates.pre_checkout(CHAT, "order-1")["pre_checkout_query"]["id"]

    with pytest.raises(TelegramBadRequest, match='parameter "error_message" is required'):
        await bot.answer_pre_checkout_query(query_id, ok=False)
    assert await bot.answer_pre_checkout_query(query_id, ok=True)
    api.clock.advance(timedelta(seconds=11))
    with pytest.raises(TelegramBadRequest, match=TOO_OLD):
        await bot.answer_pre_checkout_query(query_id, ok=True)

    [query] = api.account.queries.of(QueryKind.PRE_CHECKOUT)
    assert query.answers == [{"ok": True, "error_message": None}]


async def test_shipping_is_offered(api: BotApi, bot: Bot) -> None:
    """answerShippingQuery needs an option."""
    await invoice(bot)
    query_id = api.updates.shipping(CHAT, "order-1")["shipping_query"]["id"]
    option = ShippingOption(id="post", title="Post", prices=[LabeledPrice(label="Post", amount=1)])

    assert await bot.answer_shipping_query(query_id, ok=True, shipping_options=[option])
    with pytest.raises(TelegramBadRequest, match="there must be at least one shipping option"):
        await bot.answer_shipping_query(query_id, ok=True)


async def test_stars_are_given_back_once(api: BotApi, bot: Bot) -> None:
    """A second refund of a charge is refused."""
    prices = [LabeledPrice(label="Room", amount=50)]
    link = await bot.create_invoice_link("Room", "A night", "order-2", "XTR", prices)
    paid = api.updates.paid(CHAT, "order-2")["message"]["successful_payment"]

    assert link.startswith("https://t.me/$")
    assert await bot.refund_star_payment(CHAT, paid["telegram_payment_charge_id"])
    with pytest.raises(TelegramBadRequest, match="CHARGE_ALREADY_REFUNDED"):
        await bot.refund_star_payment(CHAT, paid["telegram_payment_charge_id"])


async def test_an_invoice_with_a_long_payload_or_without_a_provider_is_refused(bot: Bot) -> None:
    """128 bytes of payload; money other than Stars needs a provider."""
    prices = [LabeledPrice(label="Room", amount=50)]
    with pytest.raises(TelegramBadRequest, match="INVOICE_PAYLOAD_INVALID"):
        await bot.send_invoice(CHAT, "Room", "A night", "x" * 129, "XTR", prices)
    with pytest.raises(TelegramBadRequest, match="PAYMENT_PROVIDER_INVALID"):
        await bot.send_invoice(CHAT, "Room", "A night", "x", "EUR", prices)


async def test_a_webhook_is_set_once_a_second_and_noticed_if_it_is_the_same(api: BotApi, bot: Bot) -> None:
    """The second call within a second is told to wait; an identical one changes nothing."""
    api.clock.stop()
    assert await bot.set_webhook("https://example.org/t", secret_token="s-1_A", allowed_updates=["message"])
    with pytest.raises(TelegramRetryAfter) as early:
        await bot.set_webhook("https://example.org/t", secret_token="s-1_A")
    api.clock.advance(timedelta(seconds=1))
    before = api.account.webhook
    assert await bot.set_webhook("https://example.org/t", secret_token="s-1_A")

    assert early.value.retry_after == 1
    assert api.account.webhook is before
    info = await bot.get_webhook_info()
    assert (info.url, info.allowed_updates) == ("https://example.org/t", ["message"])
    assert [call.parameters["secret_token"] for call in api.calls.of("setWebhook")] == ["***"] * 3


@pytest.mark.parametrize(
    "url, secret, text",
    [
        ("https://example.org/t", "no spaces", "secret token contains unallowed characters"),
        ("https://example.org/t", "x" * 257, "secret token is too long"),
        ("example.org", "fine", "invalid webhook URL specified"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused(bot: Bot, url: str, secret: str, text: str) -> None:
    """The secret's characters and length, and the URL."""
    with pytest.raises(TelegramBadRequest, match=text):
        await bot.set_webhook(url, secret_token=secret)


async def test_updates_are_polled_unless_a_webhook_is_set(api: BotApi, bot: Bot) -> None:
    """An offset confirms what came before; with a webhook polling is a conflict."""
    first = api.updates.message(CHAT, "one")["update_id"]
    second = api.updates.message(CHAT, "two")["update_id"]

    assert [update.update_id for update in await bot.get_updates()] == [first, second]
    assert [update.update_id for update in await bot.get_updates(offset=second)] == [second]

    await bot.set_webhook("https://example.org/t")
    with pytest.raises(TelegramConflictError):
        await bot.get_updates()
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == []
