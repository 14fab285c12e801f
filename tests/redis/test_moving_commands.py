"""`gateway import-state` and `gateway export-state`, as they are typed."""

import io
import logging
import os
import pty
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisStorage
from redis.asyncio import Redis

from gateway.cli import main
from state.connection import open_client
from state.conversation import Conversation
from state.portable import Portable

USERS = 300
Gateway = Callable[..., tuple[int, bytes, str]]


@pytest.fixture
def config(tmp_path: Path, redis: Redis, redis_url: str) -> Path:
    """The settings of a gateway on the shared Redis."""
    file = tmp_path / "gateway.toml"
    file.write_text(
        f'[telegram.bots.main]\ntoken = "42:a"\nsecret_token = "s"\n[redis]\nurl = "{redis_url}"\n'
    )
    return file


@pytest.fixture
async def source(redis: Redis, redis_url: str) -> str:
    """Where aiogram's storage has kept some users' conversations."""
    url = redis_url.replace("db=0", "db=1")
    client = open_client(url)
    theirs = RedisStorage(client, DefaultKeyBuilder(prefix="bot", with_bot_id=True))
    for user in range(1001, 1001 + USERS):
        key = Conversation.private(42, user).storage_key()
        await theirs.set_state(key, "Shop:paying")
        await theirs.set_data(key, {"n": 2**53 + user})
    await client.aclose()
    return url


@pytest.fixture
def gateway(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], config: Path
) -> Iterator[Gateway]:
    """Run a command in this process; the result is its exit code, its output and what it says on stderr."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "argv", ["gateway", *arguments, "--config", str(config)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        output, said = capfdbinary.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, output, said.decode()

    yield run
    root.handlers[:], level = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def counted(table: bytes) -> dict[str, int]:
    """The rows of the table that an import ends with."""
    rows = [line.strip("│ ").split("│") for line in table.decode().splitlines() if line.startswith("│")]
    return {what.strip(): int(count) for what, count in rows if int(count)}


def test_a_bot_moves_in_and_out_and_in_again(
    gateway: Gateway, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From aiogram's Redis, to a file, and from that into a store of another name."""
    flags = ("--from", source, "--prefix", "bot", "--with-bot-id")
    lines = tmp_path / "state.jsonl"

    code, told, _ = gateway("import-state", *flags, "--dry-run")
    assert (code, counted(told)) == (0, {"imported": USERS})
    code, told, _ = gateway("import-state", *flags)
    assert (code, counted(told)) == (0, {"imported": USERS})
    code, told, _ = gateway("import-state", *flags)
    assert (code, counted(told)) == (0, {"there already, the same": USERS})

    code, told, said = gateway("export-state", "--to", str(lines))
    assert (code, told, said) == (0, b"", f"{USERS} conversations exported\n")
    assert [path.name for path in tmp_path.glob("state*")] == ["state.jsonl"]

    monkeypatch.setenv("GATEWAY_REDIS__PREFIX", "other")
    code, told, _ = gateway("import-state", "--from", "-", stdin=lines.read_bytes())
    assert (code, counted(told)) == (0, {"imported": USERS})
    code, told, _ = gateway("import-state", "--from", str(lines))
    assert (code, counted(told)) == (0, {"there already, the same": USERS})
    code, again, _ = gateway("export-state")
    assert code == 0
    moved = [Portable.read(line) for line in again.splitlines()]
    assert {each.conversation.user_id: each.data["n"] for each in moved} == {
        user: 2**53 + user for user in range(1001, 1001 + USERS)
    }


@pytest.mark.parametrize(
    "arguments, expected, named",
    [
        (("--from", "no-such-file.jsonl"), 2, "no-such-file.jsonl"),
        (("--from", "-"), 2, "-: line 2: state"),
        (("--from", "redis://u:hidden@host:port/0"), 2, "--from"),
        (("--from", "unix:///nowhere", "--separator", "0"), 2, "--separator"),
        ((), 2, "--from"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    gateway: Gateway, arguments: tuple[str, ...], expected: int, named: str
) -> None:
    """No traceback and no password."""
    lines = b'{"conversation": "42:1:1", "state": "A"}\n{"conversation": "42:2:2", "state": 1}\n'

    code, _, said = gateway("import-state", *arguments, stdin=lines)

    assert (code, len(said.splitlines())) == (expected, 1)
    assert said.startswith("gateway: ")
    assert named in said
    assert "hidden" not in said


def test_keys_that_cannot_be_read_are_named_and_the_command_fails(gateway: Gateway, source: str) -> None:
    """The bot's id taken for a chat: nothing is taken in, and the first ten say why."""
    code, told, said = gateway("import-state", "--from", source, "--prefix", "bot")

    assert (code, counted(told)) == (1, {"unreadable": 2 * USERS})
    assert len(said.splitlines()) == 11
    assert "begins with the bot's id" in said


def test_a_file_that_cannot_be_written_leaves_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """Not even the beginning of one."""
    code, _, said = gateway("export-state", "--to", str(tmp_path / "missing" / "state.jsonl"))

    assert (code, len(said.splitlines())) == (2, 1)
    assert "No such file" in said


def test_a_cluster_is_not_exported_in_part(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """SCAN tells of one node's keys only."""
    monkeypatch.setenv("GATEWAY_REDIS__URL", "redis+cluster://localhost:1")

    assert gateway("export-state") == (2, b"", "gateway: redis.url: a Cluster cannot be exported\n")


def test_a_terminal_sees_how_far_it_is(
    gateway: Gateway, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error, which is where a terminal is even if the output goes to a file."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb") as screen:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")

        assert gateway("import-state", "--from", source, "--prefix", "bot", "--with-bot-id")[0] == 0
        assert b"importing" in screen.read1(65_536)
