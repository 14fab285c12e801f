"""
Whose an update is: from the raw JSON to the conversation, without building aiogram's models.

The answer is the one that aiogram's `UserContextMiddleware` and `FSMContextMiddleware` give for the same
update and strategy; a test holds the two together for every type of update.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from aiogram.fsm.strategy import FSMStrategy, apply_strategy

from state.conversation import Conversation

_TYPE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
UNKNOWN_TYPE: Final = "unknown"
#: To be answered within 10 s: https://core.telegram.org/bots/api#answerprecheckoutquery
_URGENT: Final = frozenset({"telegram.pre_checkout_query", "telegram.shipping_query"})

Raw = Mapping[str, Any]


class Ids(NamedTuple):
    """The ids in an update that say whose it is."""

    chat_id: int | None = None
    user_id: int | None = None
    thread_id: int | None = None
    business_connection_id: str | None = None


class Address(NamedTuple):
    """
    Where an update goes.

    *has_state* is False where aiogram gives handlers no FSM context (a poll, a channel post under a strategy
    by user): *conversation* is then only the queue that the update waits in, its chat's or else its bot's.
    """

    type: str
    idempotency_key: str
    conversation: Conversation
    has_state: bool

    @property
    def urgent(self) -> bool:
        """The user's payment waits for the answer: it does not queue behind other updates."""
        return self.type in _URGENT


class NotAnUpdate(Exception):
    """The body is no Telegram update: no JSON object, or without an `update_id`."""


def address(update: object, bot_id: int, strategy: FSMStrategy = FSMStrategy.USER_IN_CHAT) -> Address:
    """
    Find the conversation of one raw update.

    Raises:
        NotAnUpdate: *update* is no object with an integer `update_id`.
    """
    update_id = _integer(update, "update_id")
    if not isinstance(update, dict) or update_id is None:
        raise NotAnUpdate
    kind, ids = _ids(update)
    conversation = _stateful(ids, bot_id, strategy)
    return Address(
        type=f"telegram.{kind}",
        # https://core.telegram.org/bots/api#update: not a high-water mark, the numbers may jump back.
        idempotency_key=str(update_id),
        conversation=conversation or _queue(ids, bot_id),
        has_state=conversation is not None,
    )


def _ids(update: Raw) -> tuple[str, Ids]:
    for kind, read in _READERS.items():
        content = update.get(kind)
        if isinstance(content, dict):
            return kind, read(content)
    for kind, content in update.items():
        if isinstance(content, dict) and _TYPE_NAME.fullmatch(kind):
            return kind, Ids()
    return UNKNOWN_TYPE, Ids()


def _stateful(ids: Ids, bot_id: int, strategy: FSMStrategy) -> Conversation | None:
    chat_id, user_id = ids.chat_id, ids.user_id
    if chat_id is None:
        chat_id = user_id
    elif user_id is None and strategy in (FSMStrategy.CHAT, FSMStrategy.CHAT_TOPIC):
        user_id = chat_id
    if chat_id is None or user_id is None:
        return None
    chat_id, user_id, thread_id = apply_strategy(strategy, chat_id, user_id, ids.thread_id)
    return Conversation(
        bot_id=bot_id,
        chat_id=chat_id,
        user_id=user_id,
        thread_id=thread_id,
        business_connection_id=ids.business_connection_id,
    )


def _queue(ids: Ids, bot_id: int) -> Conversation:
    place = bot_id if ids.chat_id is None else ids.chat_id
    return Conversation(bot_id=bot_id, chat_id=place, user_id=place)


def _integer(value: object, *path: str) -> int | None:
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Raw, name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) else None


def _thread(message: Raw) -> int | None:
    return _integer(message, "message_thread_id") if message.get("is_topic_message") is True else None


def _of_message(message: Raw) -> Ids:
    return Ids(_integer(message, "chat", "id"), _integer(message, "from", "id"), _thread(message))


def _of_business_message(message: Raw) -> Ids:
    return Ids(
        _integer(message, "chat", "id"),
        _integer(message, "from", "id"),
        _thread(message),
        _text(message, "business_connection_id"),
    )


def _of_callback_query(query: Raw) -> Ids:
    user_id = _integer(query, "from", "id")
    message = query.get("message")
    if not isinstance(message, dict):
        return Ids(user_id=user_id)
    # https://core.telegram.org/bots/api#inaccessiblemessage: a message too old to be shown has the date 0.
    if message.get("date") == 0:
        return Ids(_integer(message, "chat", "id"), user_id)
    return Ids(
        _integer(message, "chat", "id"),
        user_id,
        _thread(message),
        _text(message, "business_connection_id"),
    )


def _of_chat_boost(updated: Raw) -> Ids:
    boost = updated.get("boost")
    source = boost.get("source") if isinstance(boost, dict) else None
    # Only a premium boost names its sender; the user of the other sources is a recipient.
    premium = isinstance(source, dict) and source.get("source") == "premium"
    return Ids(_integer(updated, "chat", "id"), _integer(source, "user", "id") if premium else None)


def _of_chat(content: Raw) -> Ids:
    return Ids(_integer(content, "chat", "id"))


def _of_sender(content: Raw) -> Ids:
    return Ids(user_id=_integer(content, "from", "id"))


def _of_user(content: Raw) -> Ids:
    return Ids(user_id=_integer(content, "user", "id"))


def _of_chat_and_sender(content: Raw) -> Ids:
    return Ids(_integer(content, "chat", "id"), _integer(content, "from", "id"))


# In aiogram's order; https://core.telegram.org/bots/api#update promises that at most one of them is there.
_READERS: Final[dict[str, Callable[[Raw], Ids]]] = {
    "message": _of_message,
    "edited_message": _of_message,
    "channel_post": _of_chat,
    "edited_channel_post": _of_chat,
    "inline_query": _of_sender,
    "chosen_inline_result": _of_sender,
    "callback_query": _of_callback_query,
    "shipping_query": _of_sender,
    "pre_checkout_query": _of_sender,
    "poll": lambda _: Ids(),
    "poll_answer": lambda content: Ids(
        _integer(content, "voter_chat", "id"), _integer(content, "user", "id")
    ),
    "my_chat_member": _of_chat_and_sender,
    "chat_member": _of_chat_and_sender,
    "chat_join_request": _of_chat_and_sender,
    "message_reaction": lambda content: Ids(_integer(content, "chat", "id"), _integer(content, "user", "id")),
    "message_reaction_count": _of_chat,
    "chat_boost": _of_chat_boost,
    "removed_chat_boost": _of_chat,
    "deleted_business_messages": lambda content: Ids(
        _integer(content, "chat", "id"),
        business_connection_id=_text(content, "business_connection_id"),
    ),
    "business_connection": lambda content: Ids(
        user_id=_integer(content, "user", "id"), business_connection_id=_text(content, "id")
    ),
    "business_message": _of_business_message,
    "edited_business_message": _of_business_message,
    "purchased_paid_media": _of_sender,
    "managed_bot": _of_user,
    "guest_message": _of_message,
    "subscription": _of_user,
    "stopped_message_generation": lambda content: Ids(
        _integer(content, "chat", "id"), thread_id=_integer(content, "message_thread_id")
    ),
}
