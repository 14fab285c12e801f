"""What a block can be: text, photo, document; and what it turns into in place."""

from pathlib import Path
from typing import Any

import pytest
from aiogram.types import LinkPreviewOptions

from gateway import Block, Feature, View
from gateway.answers import Outcome
from gateway.demo.bot_api import BotApi
from gateway.view_sender import ViewSender
from state.conversation import Conversation
from tests.redis.conftest import Run


@pytest.fixture
async def sender(run: Run) -> ViewSender:
    """The view sender of a running gateway."""
    return (await run(Feature("shop"))).container.view_sender


def _seen(api: BotApi) -> list[tuple[Any, ...]]:
    return [
        (message["media"], message["caption"] if message["media"] else message["text"])
        for message in api.chats[501].visible()
    ]


TEXT, PHOTO, OTHER_PHOTO, DOCUMENT = (
    Block("text"),
    Block("a photo", photo="photo-1"),
    Block("another", photo="photo-2"),
    Block("a document", document="document-1"),
)
CAPTIONED = Block("said differently", photo="photo-1")


@pytest.mark.parametrize(
    "before, after, call",
    [
        (PHOTO, CAPTIONED, "editMessageCaption"),
        (PHOTO, OTHER_PHOTO, "editMessageMedia"),
        (PHOTO, DOCUMENT, "editMessageMedia"),
        (DOCUMENT, PHOTO, "editMessageMedia"),
        (TEXT, PHOTO, "editMessageMedia"),
        (TEXT, DOCUMENT, "editMessageMedia"),
    ],
)
async def test_one_message_turns_into_what_is_shown_next(
    sender: ViewSender, conversation: Conversation, api: BotApi, before: Block, after: Block, call: str
) -> None:
    """In place, by the one call that can."""
    await sender.send(conversation, View(content=before))
    (message_id,) = api.chats[501].messages
    api.calls.clear()

    answer = await sender.send(conversation, View(content=after))

    assert answer.outcome is Outcome.DONE
    assert list(api.chats[501].messages) == [message_id]
    assert _seen(api) == [("photo" if after.photo else "document", after.text)]
    assert api.calls.counts() == {call: {"ok": 1}}


@pytest.mark.parametrize("before", [PHOTO, DOCUMENT])
async def test_media_is_replaced_by_a_text(
    sender: ViewSender, conversation: Conversation, api: BotApi, before: Block
) -> None:
    """Telegram turns no media into a text: the new message comes first, then the old one goes."""
    await sender.send(conversation, View(content=before))

    await sender.send(conversation, View(content=TEXT))
    await sender.send(conversation, View(content="again"))

    assert _seen(api) == [(None, "again")]
    sent = [call.method for call in api.calls]
    assert sent.count("deleteMessages") == 1
    assert sent[-1] == "editMessageText" or sent[-2] == "editMessageText"


async def test_a_file_is_uploaded_from_the_machine_that_delivers(
    sender: ViewSender, conversation: Conversation, api: BotApi, tmp_path: Path
) -> None:
    """Sent, and put in place of another."""
    first, second = tmp_path / "first.jpg", tmp_path / "price list.pdf"
    first.write_bytes(b"jpg")
    second.write_bytes(b"pdf")

    await sender.send(conversation, View(content=Block("photo", photo=first)))
    await sender.send(conversation, View(content=Block("document", document=second)))

    (message,) = api.chats[501].visible()
    assert (message["media"], message["file_name"], message["caption"]) == (
        "document",
        "price list.pdf",
        "document",
    )


async def test_parse_modes_and_link_previews_are_the_blocks_own(
    sender: ViewSender, conversation: Conversation, api: BotApi
) -> None:
    """HTML unless it says otherwise, plain text as it stands, and no preview of a link unless asked for."""
    options = LinkPreviewOptions(url="https://example.org", prefer_small_media=True)
    for block in (
        Block("<b>bold</b>"),
        Block("2 < 3", parse_mode=None),
        Block("*bold*", parse_mode="MarkdownV2", link_preview=True),
        Block("link", link_preview=options),
    ):
        assert (await sender.send(conversation, View(content=block))).outcome is Outcome.DONE

    said = [call.parameters for call in api.calls]
    assert [call.get("parse_mode") for call in said] == ["HTML", None, "MarkdownV2", "HTML"]
    assert [call["link_preview_options"] for call in said] == [
        {"is_disabled": True},
        {"is_disabled": True},
        {"is_disabled": False},
        {"url": "https://example.org", "prefer_small_media": True},
    ]


async def test_menu_and_content_are_two_messages_each_edited_in_place(
    sender: ViewSender, conversation: Conversation, api: BotApi
) -> None:
    """The menu stands above; a view that leaves a block out leaves it alone."""
    await sender.send(conversation, View(menu="menu", content="one"))
    await sender.send(conversation, View(content="two"))
    await sender.send(conversation, View(menu="new menu"))

    assert api.chats[501].texts() == ["new menu", "two"]


async def test_a_clean_history_sends_anew_and_takes_the_old_messages_away(
    sender: ViewSender, conversation: Conversation, api: BotApi
) -> None:
    """At the bottom of the chat, the menu above the content."""
    await sender.send(conversation, View(menu="menu", content="one"))
    api.updates.message(501, "chatter")

    await sender.send(conversation, View(menu="menu", content="two", clean_history=True))
    await sender.send(conversation, View(content="three"))

    assert [message["text"] for message in api.chats[501].visible()] == ["chatter", "menu", "three"]
