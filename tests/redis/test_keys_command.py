"""`gateway keys`: made, listed, taken back."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from gateway.cli import main
from state.api_keys import ApiKey, ApiKeys
from state.connection import connect
from state.grouping import GroupedCalls
from state.keys import Keys

Streams = pytest.CaptureFixture[str]


@pytest.fixture
def config(tmp_path: Path, redis_url: str) -> Path:
    """A configuration with one bot, on the tests' Redis under a prefix of its own."""
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[telegram.bots.main]\ntoken = "42:AAbb"\nsecret_token = "s"\n'
        f'[redis]\nurl = "{redis_url}"\nprefix = "{tmp_path.name[-32:]}"\n'
    )
    return file


def _gateway(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gateway", "keys", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def _found(redis_url: str, config: Path, text: str) -> ApiKey | None:
    async def find() -> ApiKey | None:
        redis = await connect(redis_url)
        try:
            keys = Keys(config.parent.name[-32:])
            found = await ApiKeys(GroupedCalls(redis), keys).find(text)
            if text == "":
                await redis.delete(keys.api_keys, keys.meta)
            return found
        finally:
            await redis.aclose()

    return asyncio.run(find())


def test_a_key_is_made_listed_and_taken_back(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams, config: Path, redis_url: str
) -> None:
    """Its text is shown once; the list has everything else of it."""
    options = (
        "--scopes",
        "events:write, state:read",
        "--name",
        "office",
        "--bot",
        "main",
        "--expires",
        "90d",
    )
    assert _gateway(monkeypatch, "create", *options, "--config", str(config)) == 0
    text = capsys.readouterr().out.strip()
    key = _found(redis_url, config, text)
    assert key is not None
    assert {scope.value for scope in key.scopes} == {"events:write", "state:read"}
    assert (key.name, key.bots) == ("office", frozenset({42}))
    assert key.expires_at_ms is not None
    assert round((key.expires_at_ms / 1000 - time.time()) / 86_400) == 90

    monkeypatch.setenv("COLUMNS", "200")
    assert _gateway(monkeypatch, "list", "--config", str(config)) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in (key.id, "office", "main", "events:write state:read", "valid"))
    assert text.split("_", 2)[2] not in shown

    assert _gateway(monkeypatch, "revoke", key.id, "--config", str(config)) == 0
    revoked = _found(redis_url, config, text)
    assert revoked is not None
    assert not revoked.usable(time.time_ns() // 1_000_000)
    _found(redis_url, config, "")


@pytest.mark.parametrize(
    "arguments, code, told",
    [
        (("create", "--scopes", "state:reed"), 2, "--scopes: state:reed is no scope; there are state:read"),
        (("create", "--scopes", ""), 2, "--scopes: no scope is named"),
        (("create", "--scopes", "state:read", "--bot", "x"), 2, "--bot: no bot x; there are main"),
        (("create", "--scopes", "state:read", "--expires", "soon"), 2, "--expires: soon is no period"),
        (("create", "--scopes", "state:read", "--name", "A B"), 2, "--name: is not a name"),
        (("revoke", "nobody"), 1, "nobody: there is no such key"),
    ],
)
def test_a_mistake_with_keys_is_one_line_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
    capsys: Streams,
    config: Path,
    redis_url: str,
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    """Nothing is made then."""
    assert _gateway(monkeypatch, *arguments, "--config", str(config)) == code
    assert told in capsys.readouterr().err
    _found(redis_url, config, "")
