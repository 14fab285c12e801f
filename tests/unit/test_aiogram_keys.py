"""Keys of aiogram's storage, read back: every option of its key builder."""

from itertools import product

import pytest
from aiogram.fsm.storage.base import DefaultKeyBuilder

from state.aiogram_keys import AiogramKeys, KeyOptionsUnusable, KeyUnreadable
from state.conversation import Conversation

BOT = 42
BUSINESS = "JTLBWWLPUUkWBgAAj5mSYk4R2PM"
CONVERSATIONS = [
    Conversation.private(BOT, 501),
    Conversation(BOT, -1001234567890, 501),
    Conversation(BOT, -1001234567890, 501, thread_id=7),
    Conversation(BOT, -1001234567890, -1001234567890),
    Conversation(BOT, 501, 501, business_connection_id=BUSINESS),
    Conversation(BOT, -100500, 501, 7, BUSINESS, "wizard"),
    Conversation(BOT, 501, 501, destiny="a:b|c-d"),
]
OPTIONS = [
    {"with_bot_id": bot, "with_business_connection_id": business, "with_destiny": destiny}
    for bot, business, destiny in product((False, True), repeat=3)
]


def keeps(conversation: Conversation, options: dict[str, bool]) -> bool:
    """Whether keys of these options say all of the conversation."""
    return (options["with_business_connection_id"] or conversation.business_connection_id is None) and (
        options["with_destiny"] or conversation.destiny == "default"
    )


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("separator", [":", "-", "|", "::", "."])
@pytest.mark.parametrize("prefix", ["fsm", "my:bot*[1]", ""])
def test_every_option_of_the_key_builder_is_read_back(
    options: dict[str, bool], separator: str, prefix: str
) -> None:
    """Groups have negative numbers, and the separator may be their minus."""
    builder = DefaultKeyBuilder(prefix=prefix, separator=separator, **options)
    keys = AiogramKeys(builder, [BOT])
    kept = [conversation for conversation in CONVERSATIONS if keeps(conversation, options)]

    for conversation in kept:
        key = builder.build(conversation.storage_key(), "data")
        assert keys.conversation(key) == conversation
        halves = keys.halves(key)
        assert halves is not None
        assert (halves.state, halves.found_data) == (builder.build(conversation.storage_key(), "state"), True)
    assert len(kept) >= 4


def test_a_lock_is_no_conversation() -> None:
    """aiogram's event isolation leaves such keys beside the others."""
    assert AiogramKeys(DefaultKeyBuilder(), [BOT]).halves("fsm:501:501:lock") is None


@pytest.mark.parametrize(
    "builder, key, why",
    [
        (DefaultKeyBuilder(), "fsm:42:501:501:state", "begins with the bot's id"),
        (DefaultKeyBuilder(with_bot_id=True), "fsm:43:501:501:state", "bot 43"),
        (DefaultKeyBuilder(with_bot_id=True), "fsm:501:501:state", "no key that these options make"),
        (DefaultKeyBuilder(with_destiny=True), "fsm:501:501:state", "no key that these options make"),
        (DefaultKeyBuilder(), "fsm:501:501:default:state", "no key that these options make"),
        (DefaultKeyBuilder(), f"fsm:{BUSINESS}:501:501:state", "no key that these options make"),
        (DefaultKeyBuilder(), "fsm:throttle:501:data", "no key that these options make"),
    ],
)
def test_keys_of_other_options_are_refused_instead_of_mistaken(
    builder: DefaultKeyBuilder, key: str, why: str
) -> None:
    """A bot's id taken for a chat would put each user's state where nobody finds it."""
    keys = AiogramKeys(builder, [BOT])

    with pytest.raises(KeyUnreadable, match=why):
        keys.conversation(key)


@pytest.mark.parametrize(
    "builder, bots",
    [
        (DefaultKeyBuilder(), [42, 43]),
        (DefaultKeyBuilder(with_bot_id=True), []),
        (DefaultKeyBuilder(separator=""), [42]),
        (DefaultKeyBuilder(separator="0"), [42]),
    ],
)
def test_options_that_cannot_be_read_back_are_refused(builder: DefaultKeyBuilder, bots: list[int]) -> None:
    """Before the first key is looked at."""
    with pytest.raises(KeyOptionsUnusable):
        AiogramKeys(builder, bots)
