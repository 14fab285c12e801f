"""One answer, given to many calls."""

from typing import Any

from starlette.types import Message

from routers.standing_answer import StandingAnswer


async def test_what_is_added_to_one_answer_is_not_in_the_next() -> None:
    """A middleware adds headers to the list that it is given."""
    answer = StandingAnswer(b"{}", media_type="application/json")
    lengths: list[int] = []
    bodies: list[Any] = []

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((b"x-added", b"1"))
            lengths.append(len(message["headers"]))
        else:
            bodies.append(message["body"])

    for _ in range(2):
        await answer({"type": "http"}, receive, send)

    assert lengths == [3, 3]
    assert bodies == [b"{}", b"{}"]
