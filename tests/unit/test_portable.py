"""A conversation as a line of JSON: it comes back as it was, or it is refused in one line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.changes import Tracked
from state.conversation import Conversation
from state.portable import LineUnreadable, Portable
from state.screen import ShownBlock

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.none() | st.text())
def test_a_line_comes_back_as_it_was(data: dict[str, Any], state: str | None) -> None:
    """Integers of any size, empty lists, unicode, nesting: the text is one line all the same."""
    portable = Portable(Conversation(42, -100, 7, 3, "b:c", "x y"), state, data, expires_in_ms=5)
    line = portable.line()

    assert line.count(b"\n") == 1
    assert Portable.read(line) == portable


def test_everything_that_a_conversation_holds_is_in_its_line() -> None:
    """The screen and the garbage too, so that a moved chat is kept clean."""
    portable = Portable(
        Conversation.private(42, 501),
        "Shop:paying",
        {"n": 2**80, "half": "\ud83d", "draft:shop": {"list": []}},
        {"menu": ShownBlock(501, 7, 1000, "photo:x", 3)},
        {"h": [["shop", None]]},
        (Tracked("501:9", "Shop:paying", 1000, "content"), Tracked("501:10", None, 5)),
    )

    assert Portable.read(portable.line()) == portable


@pytest.mark.parametrize(
    "line, named",
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "the line"),
        (b"{}", "conversation"),
        (b'{"conversation": 1}', "conversation"),
        (b'{"conversation": "1:2"}', "conversation"),
        (b'{"conversation": "1:2:3", "state": 5}', "state"),
        (b'{"conversation": "1:2:3", "data": []}', "data"),
        (b'{"conversation": "1:2:3", "dat": {}}', "dat"),
        (b'{"conversation": "1:2:3", "screen": {"top": {}}}', "screen.top"),
        (b'{"conversation": "1:2:3", "screen": {"menu": {"chat_id": 1}}}', "message_id"),
        (b'{"conversation": "1:2:3", "garbage": [{"place": "1:2"}]}', "garbage.0"),
        (b'{"conversation": "1:2:3", "expires_in_ms": 0}', "expires_in_ms"),
    ],
)
def test_anything_else_is_refused_in_one_line_that_names_it(line: bytes, named: str) -> None:
    """A file may come from anywhere."""
    with pytest.raises(LineUnreadable, match=named) as refused:
        Portable.read(line)

    assert "\n" not in str(refused.value)
