"""`mybot:gateway`: each way to miss it has its own answer; the author's mistake shows the author's line."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import Gateway
from gateway.bot_module import load_gateway
from gateway.refusal import MISTAKEN, CommandRefused

BOT = "from gateway import Gateway\n\ngateway = Gateway()\nother = 5\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The author's directory; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def _refusal(spec: str) -> str:
    with pytest.raises(CommandRefused) as refusal:
        load_gateway(spec)
    assert refusal.value.exit_code == MISTAKEN
    (problem,) = refusal.value.problems
    assert "\n" not in problem
    return problem


def test_a_gateway_in_the_current_directory_is_found(here: Path) -> None:
    """Also in a package, and below an object."""
    (here / "shop").mkdir()
    (here / "shop/bot.py").write_text(BOT + "class Bots:\n    main = gateway\n")

    assert isinstance(load_gateway("shop.bot:gateway"), Gateway)
    assert isinstance(load_gateway("shop.bot:Bots.main"), Gateway)


@pytest.mark.parametrize("spec", ["mybot", "mybot:", ":gateway", ""])
def test_what_is_not_module_and_attribute_is_told(spec: str) -> None:
    """With an example."""
    assert _refusal(spec) == f"{spec}: is not MODULE:ATTR; give it as mybot:gateway"


def test_a_module_that_is_not_there_is_told_with_where_it_was_looked_for(here: Path) -> None:
    """Usually the command was given in another directory."""
    assert _refusal("mybot:gateway") == f"mybot: there is no module mybot; looked in {here} too"


def test_an_attribute_that_is_not_there_is_told_with_the_nearest(here: Path) -> None:
    """Of those that are a Gateway."""
    (here / "mybot.py").write_text(BOT)

    assert _refusal("mybot:gatewy") == "mybot:gatewy: has no gatewy; did you mean gateway?"


def test_something_else_than_a_gateway_is_told(here: Path) -> None:
    """By what it is instead."""
    (here / "mybot.py").write_text(BOT)

    assert _refusal("mybot:other") == "mybot:other: is a int, not a gateway.Gateway"


@pytest.mark.parametrize(
    "text, said, line",
    [
        ("\nraise RuntimeError('no luck')\n", "RuntimeError: no luck", 2),
        ("import sys\n\nsys.exit('gone')\n", "SystemExit: gone", 3),
        ("x = 1\nimport not_installed\n", "ModuleNotFoundError: No module named 'not_installed'", 2),
        ("x = (\n", "SyntaxError: '(' was never closed", 1),
        ("import json\njson.loads('{')\n", "JSONDecodeError: ", 2),
    ],
)
def test_the_authors_own_mistake_shows_its_last_line_and_the_authors_place(
    here: Path, text: str, said: str, line: int
) -> None:
    """Not the frames of ours or of a library, in which it may have been raised."""
    (here / "mybot.py").write_text(text)

    problem = _refusal("mybot:gateway")

    assert problem.startswith("mybot: cannot be imported: ")
    assert said in problem
    assert problem.endswith(f"({here}/mybot.py:{line})")


def test_a_secret_in_the_authors_exception_is_not_repeated(here: Path) -> None:
    """Whatever looks like one is taken out, as it is in the log."""
    token = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
    (here / "mybot.py").write_text(f"raise ValueError('bad token {token}')\n")

    assert token not in _refusal("mybot:gateway")
