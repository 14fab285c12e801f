"""`gateway dead-letters`, `parked`, `unresolved`: what is kept is seen and decided on by hand."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import orjson
import pytest

from gateway.cli import main
from state.connection import connect
from state.conversation import Conversation
from state.envelope import Envelope
from state.expectations import mint
from state.grouping import GroupedCalls
from state.inbox import Inbox
from state.keys import Keys
from state.outcomes import Settled
from state.scripts import Scripts

T = TypeVar("T")
CONVERSATION = Conversation.private(42, 501)
BODY = '{"paid": "Té"}'


class Shell:
    """The command line, on a store of its own."""

    def __init__(
        self,
        directory: Path,
        redis_url: str,
        monkeypatch: pytest.MonkeyPatch,
        streams: pytest.CaptureFixture[str],
    ) -> None:
        self._config = directory / "gateway.toml"
        self._prefix = directory.name[-32:]
        self._redis_url = redis_url
        self._config.write_text(
            '[telegram.bots.main]\ntoken = "42:AAbb"\nsecret_token = "s"\n'
            f'[redis]\nurl = "{redis_url}"\nprefix = "{self._prefix}"\n'
        )
        self._monkeypatch, self._streams = monkeypatch, streams

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run one command; return its exit code and all that it said."""
        monkeypatch, config = self._monkeypatch, str(self._config)
        monkeypatch.setattr(sys, "argv", ["gateway", *arguments, "--config", config])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._streams.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    def ids(self, *arguments: str) -> list[str]:
        """Return the ids that a list shows."""
        code, said = self.run(*arguments, "--json")
        assert code == 0
        return [orjson.loads(line)["id"] for line in said.splitlines()]

    def in_store(self, work: Callable[[Scripts], Awaitable[T]]) -> T:
        """Do something that the gateway would."""

        async def run() -> T:
            redis = await connect(self._redis_url)
            try:
                return await work(Scripts(GroupedCalls(redis), Keys(self._prefix)))
            finally:
                await redis.aclose()

        return asyncio.run(run())


@pytest.fixture
def shell(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """The command line."""
    return Shell(tmp_path, redis_url, monkeypatch, capsys)


def envelope(number: int, *, conversation: Conversation | None = None) -> Envelope:
    """One payment that came in."""
    token = mint(3) if conversation is None else None
    key = str(number)
    return Envelope("stripe", "payment.succeeded", key, 0, BODY.encode(), b"{}", conversation, token)


async def keep_two(scripts: Scripts) -> None:
    """Two payments come whose conversation is not known."""
    for number in range(2):
        await Inbox(scripts).accept(envelope(number), remember_for=timedelta(minutes=1))


async def park_one(scripts: Scripts) -> None:
    """One payment comes too early."""
    inbox, partition = Inbox(scripts), scripts.keys.partition_of(CONVERSATION)
    await inbox.accept(envelope(7, conversation=CONVERSATION), remember_for=timedelta(minutes=1))
    [entry] = await inbox.read(partition, after="0", count=10)
    lease = await scripts.claim(partition, "worker", 60_000)
    assert lease is not None
    assert await scripts.settle(lease, CONVERSATION, entry.id, "park", 10**13) is Settled.SETTLED


def test_an_unresolved_event_is_given_up_and_deleted_by_hand(shell: Shell) -> None:
    """It is listed, shown with its raw body, made a dead letter, and in the end deleted."""
    shell.in_store(keep_two)
    newest, oldest = shell.ids("unresolved", "list")
    shown = orjson.loads(shell.run("unresolved", "show", newest)[1])
    assert (shown["id"], shown["source"], shown["body"]) == (newest, "stripe", BODY)
    assert shell.ids("unresolved", "list", "--after", newest) == [oldest]
    assert shell.run("unresolved", "discard", newest) == (0, f"{newest} is a dead letter now\n")

    assert shell.ids("unresolved", "list") == [oldest]
    [letter] = shell.ids("dead-letters", "list", "--source", "stripe", "--newer-than", "1h")
    assert shell.ids("dead-letters", "list", "--older-than", "1h") == []
    assert orjson.loads(shell.run("dead-letters", "show", letter)[1])["reason"] == "discarded"
    assert "discarded" in shell.run("dead-letters", "list")[1]
    assert shell.run("dead-letters", "replay", "--all", "--dry-run") == (0, "1 would be replayed\n")
    assert shell.run("dead-letters", "replay", letter)[0] == 1
    assert "its conversation is not known" in shell.run("dead-letters", "replay", letter)[1]
    assert shell.run("dead-letters", "replay", "--reason", "disc")[1].splitlines() == [
        "0 replayed",
        "1 stay: nobody knows their conversation",
    ]
    assert shell.run("dead-letters", "discard", letter) == (0, f"{letter} is deleted\n")
    assert shell.run("dead-letters", "discard", letter) == (1, f"gateway: there is no dead letter {letter}\n")


def test_a_parked_event_is_looked_at_given_up_and_replayed_by_hand(shell: Shell) -> None:
    """And each of it once."""
    shell.in_store(park_one)
    [parked] = shell.ids("parked", "list", "--type", "payment.succeeded")
    assert orjson.loads(shell.run("parked", "show", parked)[1])["conversation"] == CONVERSATION.encode()
    assert shell.run("parked", "discard", parked) == (0, f"{parked} is a dead letter now\n")
    assert shell.run("parked", "replay", parked) == (1, f"gateway: there is no parked event {parked}\n")
    [letter] = shell.ids("dead-letters", "list")
    assert shell.run("dead-letters", "replay", letter) == (0, f"{letter} is in the inbox again\n")

    assert shell.ids("dead-letters", "list") == []
    partition = Keys().partition_of(CONVERSATION)
    [entry] = shell.in_store(lambda scripts: Inbox(scripts).read(partition, after="0", count=10))
    assert entry.envelope == envelope(7, conversation=CONVERSATION)


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (("dead-letters", "show", "nonsense"), "'nonsense' is no id; they look like 2a:1795504126573-0"),
        (("dead-letters", "replay"), "say which: an ID,"),
        (("dead-letters", "replay", "00:1-0", "--all"), "give an ID, or conditions, or --all"),
        (("dead-letters", "list", "--older-than", "soon"), "--older-than: soon is no period"),
        (("unresolved", "list", "--after", "ff:1-0"), "'ff:1-0' names no partition of this store"),
    ],
)
def test_a_mistake_is_told_in_one_line(shell: Shell, arguments: tuple[str, ...], problem: str) -> None:
    """What was meant is asked for, and nothing is done."""
    code, said = shell.run(*arguments)

    assert code == 2
    assert said.startswith(f"gateway: {problem}")
    assert said.count("\n") == 1
