"""Wrong usage: one line on stderr and exit code 2, before anything is read or started."""

import sys
from pathlib import Path

import pytest

from gateway.cli import main

Streams = pytest.CaptureFixture[str]


def _exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gateway", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the checkout is found by chance."""
    monkeypatch.chdir(tmp_path)


def test_the_version_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Streams) -> None:
    """One line, for a bug report."""
    code = _exit_code(monkeypatch, "--version")

    assert code == 0
    assert capsys.readouterr().out.startswith("gateway 0.")


@pytest.mark.parametrize(
    "arguments, told",
    [
        (("serve",), "gateway: Missing argument 'MODULE:ATTR'"),
        (("serve", "bot:gateway", "--prot", "1"), "gateway: No such option: --prot"),
        (("serve", "bot:gateway", "--port", "x"), "gateway: Invalid value for '--port'"),
        (("serve", "bot:gateway", "--workers", "0"), "gateway: Invalid value for '--workers'"),
        (("serve", "bot:gateway", "--role", "boss"), "gateway: Invalid value for '--role'"),
        (("sevre",), "gateway: No such command 'sevre'"),
        (("serve", "bot:gateway", "--config", "absent.toml"), "gateway: absent.toml: there is no such file"),
        (("serve", "bot:gateway"), "gateway: telegram: no bot is configured; add [telegram.bots.main]"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams, arguments: tuple[str, ...], told: str
) -> None:
    """No usage screen and no traceback: what is wrong."""
    code = _exit_code(monkeypatch, *arguments)

    said = capsys.readouterr().err
    assert (code, len(said.splitlines())) == (2, 1)
    assert said.startswith(told)


def test_a_role_of_its_own_needs_a_redis_that_both_reach(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams, tmp_path: Path
) -> None:
    """An embedded Redis would be another one for each role, and events would wait for ever."""
    (tmp_path / "gateway.toml").write_text('[telegram.bots.main]\ntoken = "1:abc"\nsecret_token = "s"\n')

    code = _exit_code(monkeypatch, "serve", "bot:gateway", "--role", "web")

    assert code == 2
    assert capsys.readouterr().err.startswith("gateway: redis.url: is missing; --role web and --role worker")


def test_openapi_writes_what_it_then_finds_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams, tmp_path: Path
) -> None:
    """The same code writes the same text; another text is told, with exit code 1."""
    assert _exit_code(monkeypatch, "openapi", "--output", "api/openapi.json") == 0
    assert _exit_code(monkeypatch, "openapi", "--check", "api/openapi.json") == 0
    assert capsys.readouterr().err == ""

    (tmp_path / "api/openapi.json").write_text("{}")

    assert _exit_code(monkeypatch, "openapi", "--check", "api/openapi.json") == 1
    assert capsys.readouterr().err == (
        "gateway: api/openapi.json: is not what the code says; run `make openapi`\n"
    )
