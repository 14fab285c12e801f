"""Formatted text: what remains for the reader, and what the Bot API refuses."""

from html.parser import HTMLParser

from gateway.demo.bot_api.refusals import bad_request

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


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - HTMLParser calls it so
        if tag not in _TAGS:
            raise bad_request(
                f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset {self._offset()}'
            )
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open:
            raise bad_request(f"can't parse entities: Unexpected end tag at byte offset {self._offset()}")
        expected = self._open.pop()
        if tag != expected:
            raise bad_request(
                f"can't parse entities: Unmatched end tag at byte offset {self._offset()}, "
                f'expected "</{expected}>", found "</{tag}>"'
            )

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def finish(self) -> str:
        self.close()
        if self._open:
            tag = self._open[-1]
            raise bad_request(
                f"can't parse entities: Can't find end tag corresponding to start tag \"{tag}\""
            )
        return "".join(self.parts)

    def _offset(self) -> int:
        line, column = self.getpos()
        lines = self.rawdata.split("\n")
        return len("\n".join([*lines[: line - 1], lines[line - 1][:column]]).encode())


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
    return reader.finish().strip()
