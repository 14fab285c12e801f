"""Formatted text: what remains for the reader, and what the Bot API refuses."""

from html import unescape
from html.parser import HTMLParser

from gateway.demo.bot_api.refusals import Refusal, bad_request

MAX_TEXT = 4096
MAX_CAPTION = 1024
"""Characters after parsing: https://core.telegram.org/bots/api#sendmessage"""

# https://core.telegram.org/bots/api#html-style
_TAGS = frozenset(
    {
        *("b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "a"),
        *("tg-spoiler", "tg-emoji", "tg-time", "code", "pre", "blockquote"),
    }
)

_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


class _Reader(HTMLParser):
    """Collects the text; stricter than HTML is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._parts: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - HTMLParser calls it so
        """Take the tag, or refuse it."""
        if tag not in _TAGS:
            raise self._refusal(f'unsupported start tag "{tag}"')
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last, or refuse."""
        if not self._open:
            raise self._refusal("unexpected end tag")
        expected = self._open.pop()
        if tag != expected:
            raise self._refusal(f'unmatched end tag, expected "</{expected}>", found "</{tag}>"')

    def handle_data(self, data: str) -> None:
        """Take the text; a bare `<` is what a bot forgot to escape."""
        if "<" in data:
            raise self._refusal('unsupported start tag ""')
        self._parts.append(data)

    def handle_entityref(self, name: str) -> None:
        """Take one of the four named characters; others stay as they are."""
        self._parts.append(_CHARACTERS.get(name, f"&{name};"))

    def handle_charref(self, name: str) -> None:
        """Take a character by its number."""
        self._parts.append(unescape(f"&#{name};"))

    def text(self) -> str:
        """All that was read, with nothing left open."""
        self.close()
        if self._open:
            raise self._refusal(f'can\'t find end tag corresponding to start tag "{self._open[-1]}"')
        return "".join(self._parts)

    def _refusal(self, reason: str) -> Refusal:
        """Telegram adds the byte offset, and so nobody should compare the whole text."""
        line, column = self.getpos()
        return bad_request(f"can't parse entities: {reason} at line {line}, column {column}")


def plain(text: str, parse_mode: str) -> str:
    """
    *text* without its formatting. HTML is parsed; Markdown is left as it is.

    Raises:
        Refusal: the HTML is not what the Bot API takes.
    """
    if parse_mode.lower() != "html":
        return text.strip()
    reader = _Reader()
    reader.feed(text)
    return reader.text().strip()
