"""What a user sees: blocks of text with a keyboard, and how they become effects."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiogram.types import InlineKeyboardMarkup

from state.outbox import Effect, EffectKind
from state.screen import BlockName


@dataclass(frozen=True, slots=True)
class Block:
    """One message: its text and, under it, its buttons."""

    text: str
    keyboard: InlineKeyboardMarkup | None = None
    parse_mode: str | None = "HTML"
    link_preview: bool = False

    def payload(self) -> dict[str, Any]:
        """Return the block as plain data."""
        return {
            "text": self.text,
            "keyboard": self.keyboard.model_dump(exclude_none=True) if self.keyboard else None,
            "parse_mode": self.parse_mode,
            "link_preview": self.link_preview,
        }


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

    def blocks(self) -> Iterator[tuple[BlockName, Block]]:
        """Yield the blocks to show, the upper one first."""
        for name, block in ((BlockName.MENU, self.menu), (BlockName.CONTENT, self.content)):
            if block is not None:
                yield name, block if isinstance(block, Block) else Block(block)

    def effects(self) -> Iterator[Effect]:
        """Yield what Telegram is owed for this view."""
        for name, block in self.blocks():
            yield Effect(EffectKind.SHOW, {"block": name.value, **block.payload()})
