"""What a user sees: blocks of text or media with a keyboard, and how they become effects."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiogram.types import InlineKeyboardMarkup, LinkPreviewOptions

from state.outbox import Effect, EffectKind
from state.screen import BlockName


@dataclass(frozen=True, slots=True)
class Block:
    """
    One message: its text and, under it, its buttons.

    With *photo* or *document* the text is the caption. Either is a file id of Telegram's, a URL that Telegram
    can fetch, or the `Path` of a file on the machines that deliver.

    Raises:
        ValueError: both a photo and a document.
    """

    text: str = ""
    keyboard: InlineKeyboardMarkup | None = None
    parse_mode: str | None = "HTML"
    link_preview: bool | LinkPreviewOptions = False
    photo: str | Path | None = None
    document: str | Path | None = None

    def __post_init__(self) -> None:
        if self.photo is not None and self.document is not None:
            raise ValueError("a block is a photo or a document, not both")

    def payload(self) -> dict[str, Any]:
        """Return the block as plain data."""
        payload: dict[str, Any] = {
            "text": self.text,
            "keyboard": self.keyboard.model_dump(exclude_none=True) if self.keyboard else None,
            "parse_mode": self.parse_mode,
            "link_preview": self.link_preview
            if isinstance(self.link_preview, bool)
            else self.link_preview.model_dump(exclude_none=True, exclude_defaults=True),
        }
        for kind, file in (("photo", self.photo), ("document", self.document)):
            if file is not None:
                payload["media"] = {"kind": kind, "file": str(file), "local": isinstance(file, Path)}
        return payload


@dataclass(frozen=True, slots=True)
class View:
    """
    What to show now. A block that is None stays as it is on the screen.

    The content block is what the event is about; the menu block stands above it and changes rarely.
    """

    content: Block | str | None = None
    menu: Block | str | None = None
    alert: str | None = None
    """A pop-up over the button that was pressed; shown in answer to a callback query only."""
    clean_history: bool = False
    """Send the blocks anew at the bottom of the chat, and delete their old messages."""

    def blocks(self) -> Iterator[tuple[BlockName, Block]]:
        """Yield the blocks to show, the upper one first."""
        for name, block in ((BlockName.MENU, self.menu), (BlockName.CONTENT, self.content)):
            if block is not None:
                yield name, block if isinstance(block, Block) else Block(block)

    def effects(self, thread_id: int | None = None) -> Iterator[Effect]:
        """Yield what Telegram is owed for this view; *thread_id* is the topic to send it to."""
        for name, block in self.blocks():
            payload = {"block": name.value, **block.payload()}
            if self.clean_history:
                payload["anew"] = True
            if thread_id is not None:
                payload["thread_id"] = thread_id
            yield Effect(EffectKind.SHOW, payload)
