"""An update's conversation is the one that aiogram itself would use, for every type of update."""

from typing import Any, Final

import pytest
from aiogram import Bot
from aiogram.dispatcher.middlewares.user_context import EVENT_CONTEXT_KEY, UserContextMiddleware
from aiogram.fsm.middleware import FSMContextMiddleware
from aiogram.fsm.storage.base import StorageKey
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.fsm.strategy import FSMStrategy
from aiogram.types import Update
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.telegram.addressing import NotAnUpdate, address
from state.conversation import Conversation

BOT_ID: Final = 42
USER: Final = {"id": 77, "is_bot": False, "first_name": "Ada"}
PRIVATE: Final = {"id": 77, "type": "private", "first_name": "Ada"}
GROUP: Final = {"id": -100500, "type": "supergroup", "title": "Guests"}
CHANNEL: Final = {"id": -100900, "type": "channel", "title": "News"}
MESSAGE: Final[dict[str, Any]] = {
    "message_id": 5,
    "date": 1795521600,
    "chat": PRIVATE,
    "from": USER,
    "text": "hi",
}
IN_TOPIC: Final = {**MESSAGE, "chat": GROUP, "message_thread_id": 9, "is_topic_message": True}
IN_REPLY_THREAD: Final = {**MESSAGE, "chat": GROUP, "message_thread_id": 9}
POST: Final = {"message_id": 6, "date": 1795521600, "chat": CHANNEL, "text": "news"}
OF_BUSINESS: Final = {**MESSAGE, "business_connection_id": "bc:1"}
MEMBER: Final = {"status": "member", "user": USER}
LEFT: Final = {"status": "left", "user": USER}
MEMBER_CHANGE: Final = {
    "chat": GROUP,
    "from": USER,
    "date": 1795521600,
    "old_chat_member": LEFT,
    "new_chat_member": MEMBER,
}
QUERY: Final[dict[str, Any]] = {"id": "1", "from": USER, "chat_instance": "ci", "data": "pay"}
REACTION: Final[dict[str, Any]] = {
    "chat": GROUP,
    "message_id": 5,
    "date": 1795521600,
    "old_reaction": [],
    "new_reaction": [{"type": "emoji", "emoji": "👍"}],
}


def _boost(source: dict[str, Any]) -> dict[str, Any]:
    boost = {"boost_id": "b", "add_date": 1795521600, "expiration_date": 1798521600, "source": source}
    return {"chat": CHANNEL, "boost": boost}


UPDATES: Final[list[tuple[str, dict[str, Any]]]] = [
    ("message", MESSAGE),
    ("message", IN_TOPIC),
    ("message", IN_REPLY_THREAD),
    ("message", {**POST, "chat": GROUP}),
    ("edited_message", {**IN_TOPIC, "edit_date": 1795521601}),
    ("channel_post", POST),
    ("channel_post", {**POST, "from": USER}),
    ("edited_channel_post", POST),
    ("inline_query", {"id": "1", "from": USER, "query": "q", "offset": ""}),
    ("chosen_inline_result", {"result_id": "1", "from": USER, "query": "q"}),
    ("callback_query", {**QUERY, "message": MESSAGE}),
    ("callback_query", {**QUERY, "message": IN_TOPIC}),
    ("callback_query", {**QUERY, "message": IN_REPLY_THREAD}),
    ("callback_query", {**QUERY, "message": OF_BUSINESS}),
    ("callback_query", {**QUERY, "message": {"chat": GROUP, "message_id": 5, "date": 0}}),
    ("callback_query", {**QUERY, "inline_message_id": "im"}),
    (
        "shipping_query",
        {
            "id": "1",
            "from": USER,
            "invoice_payload": "t",
            "shipping_address": {
                "country_code": "DE",
                "state": "",
                "city": "B",
                "street_line1": "",
                "street_line2": "",
                "post_code": "1",
            },
        },
    ),
    (
        "pre_checkout_query",
        {"id": "1", "from": USER, "currency": "XTR", "total_amount": 5, "invoice_payload": "t"},
    ),
    (
        "poll",
        {
            "id": "1",
            "question": "?",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        },
    ),
    ("poll_answer", {"poll_id": "1", "option_ids": [0], "option_persistent_ids": [], "user": USER}),
    ("poll_answer", {"poll_id": "1", "option_ids": [0], "option_persistent_ids": [], "voter_chat": CHANNEL}),
    ("my_chat_member", {**MEMBER_CHANGE, "chat": PRIVATE}),
    ("chat_member", MEMBER_CHANGE),
    ("chat_join_request", {"chat": GROUP, "from": USER, "user_chat_id": 77, "date": 1795521600}),
    ("message_reaction", {**REACTION, "user": USER}),
    ("message_reaction", {**REACTION, "actor_chat": CHANNEL}),
    ("message_reaction_count", {"chat": CHANNEL, "message_id": 5, "date": 1795521600, "reactions": []}),
    ("chat_boost", _boost({"source": "premium", "user": USER})),
    ("chat_boost", _boost({"source": "gift_code", "user": USER})),
    (
        "removed_chat_boost",
        {
            "chat": CHANNEL,
            "boost_id": "b",
            "remove_date": 1795521600,
            "source": {"source": "premium", "user": USER},
        },
    ),
    ("deleted_business_messages", {"business_connection_id": "bc:1", "chat": PRIVATE, "message_ids": [5]}),
    (
        "business_connection",
        {"id": "bc:1", "user": USER, "user_chat_id": 77, "date": 1795521600, "is_enabled": True},
    ),
    ("business_message", OF_BUSINESS),
    ("business_message", {**IN_TOPIC, "business_connection_id": "bc:1"}),
    ("edited_business_message", OF_BUSINESS),
    ("purchased_paid_media", {"from": USER, "paid_media_payload": "p"}),
    ("managed_bot", {"user": USER, "bot": {"id": 9, "is_bot": True, "first_name": "B"}}),
    ("guest_message", IN_TOPIC),
    ("subscription", {"user": USER, "invoice_payload": "t", "state": "active"}),
    ("stopped_message_generation", {"chat": GROUP, "message_thread_id": 9, "draft_id": 3}),
    ("stopped_message_generation", {"chat": PRIVATE, "draft_id": 3}),
]


def _of_aiogram(update: dict[str, Any], strategy: FSMStrategy) -> StorageKey | None:
    context = UserContextMiddleware.resolve_event_context(Update.model_validate(update))
    middleware = FSMContextMiddleware(MemoryStorage(), SimpleEventIsolation(), strategy)
    state = middleware.resolve_event_context(Bot(f"{BOT_ID}:TOKEN"), {EVENT_CONTEXT_KEY: context})
    return None if state is None else state.key


@pytest.mark.parametrize("strategy", FSMStrategy)
@pytest.mark.parametrize(
    "kind, content", UPDATES, ids=[f"{kind}-{place}" for place, (kind, _) in enumerate(UPDATES)]
)
def test_the_conversation_is_aiograms(kind: str, content: dict[str, Any], strategy: FSMStrategy) -> None:
    """Under every strategy; where aiogram has no FSM context, the update still has a queue."""
    update = {"update_id": 1000, kind: content}

    addressed = address(update, BOT_ID, strategy)

    expected = _of_aiogram(update, strategy)
    assert addressed.has_state is (expected is not None)
    if expected is not None:
        assert addressed.conversation == Conversation.from_storage_key(expected)
    assert (addressed.type, addressed.idempotency_key) == (f"telegram.{kind}", "1000")


def test_no_type_that_aiogram_knows_is_left_out() -> None:
    """A new aiogram with a new type fails here, before an update goes to the wrong queue."""
    assert {kind for kind, _ in UPDATES} == set(Update.model_fields) - {"update_id"}


def test_an_update_without_state_waits_in_its_chats_queue() -> None:
    """A channel's posts are handled in their order; what has no chat waits in the bot's queue."""
    post = address({"update_id": 1, "channel_post": POST}, BOT_ID)
    poll = address({"update_id": 2, "poll": {"id": "1"}}, BOT_ID)

    assert post.conversation == Conversation(BOT_ID, -100900, -100900)
    assert poll.conversation == Conversation(BOT_ID, BOT_ID, BOT_ID)


def test_a_type_of_tomorrow_is_kept_under_its_name() -> None:
    """Telegram adds types; none of them is refused."""
    assert address({"update_id": 1, "teleported": {"chat": PRIVATE}}, BOT_ID).type == "telegram.teleported"
    assert address({"update_id": 1}, BOT_ID).type == "telegram.unknown"
    assert address({"update_id": 1, "Not A Name": {}}, BOT_ID).type == "telegram.unknown"


@pytest.mark.parametrize(
    "body", [None, [], "x", 1, {}, {"update_id": "1"}, {"update_id": True}, {"message": {}}]
)
def test_what_is_no_update_is_said_so(body: object) -> None:
    """No object, or no integer update_id."""
    with pytest.raises(NotAnUpdate):
        address(body, BOT_ID)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["chat", "from", "user", "id", "message", "date", "boost", "source", "is_topic_message"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted({kind for kind, _ in UPDATES})), json_values, st.sampled_from(FSMStrategy))
@settings(max_examples=500, deadline=None)
def test_no_update_breaks_the_addressing(kind: str, content: object, strategy: FSMStrategy) -> None:
    """Whatever stands where an id should be, the update has a queue of this bot."""
    addressed = address({"update_id": 1, kind: content}, BOT_ID, strategy)

    assert addressed.conversation.bot_id == BOT_ID
