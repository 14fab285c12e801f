"""What is signed, as a template out of ``{body}``, ``{timestamp}``, ``{id}`` and ``{url}``."""

from string import Formatter
from typing import Final

NAMES: Final = frozenset({"body", "timestamp", "id", "url"})


class Template:
    """
    A parsed template.

    Raises:
        ValueError: it names something else.
    """

    __slots__ = ("_parts",)

    def __init__(self, text: str) -> None:
        self._parts = tuple((literal.encode(), name) for literal, name, _, _ in Formatter().parse(text))
        unknown = {name for _, name in self._parts if name} - NAMES
        if unknown:
            raise ValueError(f"unknown in the signed template: {', '.join(sorted(unknown))}")

    def filled(self, body: bytes, timestamp: str, event_id: str, url: str) -> bytes:
        """Return the bytes that are signed."""
        pieces: list[bytes] = []
        for text, name in self._parts:
            pieces.append(text)
            match name:
                case "body":
                    pieces.append(body)
                case "timestamp":
                    pieces.append(timestamp.encode())
                case "id":
                    pieces.append(event_id.encode())
                case "url":
                    pieces.append(url.encode())
        return b"".join(pieces)
