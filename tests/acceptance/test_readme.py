"""What the README shows runs."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.demo.bot_api import BotApi
from state import ConversationStorage
from state.backlog import Backlog
from state.conversation import Conversation
from tests.acceptance.gateway_process import GatewayProcess, payment
from tests.waiting import wait_until

README = Path(__file__).parents[2] / "README.md"


def fenced(language: str) -> list[str]:
    """The README's blocks of *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)


async def test_the_bot_of_the_readme_takes_a_payment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    api: BotApi,
    redis: Redis,
    redis_url: str,
    backlog: Backlog,
    storage: ConversationStorage,
) -> None:
    """Copied as it stands: the payment is noted, the link deleted, the message edited."""
    del redis  # it empties the store first
    (tmp_path / "mybot.py").write_text(fenced("python")[0])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def settled() -> bool:
        return not await backlog.owed()

    async with GatewayProcess(tmp_path, "mybot:gateway", api, redis_url) as gateway:
        await gateway.telegram(api.updates.message(501, "/start"))
        await wait_until(settled, description="the bot has answered")
        link, offer = api.chats[501].texts()
        assert offer == "Tea, 42.00 EUR."

        await gateway.stripe(payment(link.partition("client_reference_id=")[2], 1))
        await wait_until(settled, description="the payment has been handled")

    assert api.chats[501].texts() == ["Thank you! Your tea is on its way."]
    key = Conversation.private(api.account.id, 501).storage_key()
    assert await storage.get_state(key) == "Shop:paid"
    assert await storage.get_data(key) == {"draft:shop": {"paid_minor": 4200}}


async def test_the_calls_of_the_readme_are_answered_as_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: BotApi, redis: Redis, redis_url: str
) -> None:
    """Each command is run as it stands, in one shell; three dots stand for what differs each time."""
    del redis  # it empties the store first
    (tmp_path / "mybot.py").write_text(fenced("python")[0])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    steps = [_step(text) for text in re.split(r"^\$ ", fenced("console")[0], flags=re.MULTILINE)[1:]]

    async with GatewayProcess(tmp_path, "mybot:gateway", api, redis_url) as gateway:
        script = [f'gateway() {{ "{sys.executable}" -m gateway "$@" --config "{gateway.config}"; }}']
        for command, _ in steps:
            script += [
                command.replace("http://127.0.0.1:8080", str(gateway.http.base_url)),
                f"echo; echo {MARK}",
            ]
        shell = await asyncio.create_subprocess_exec(
            "bash", "-euc", "\n".join(script), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await shell.communicate()

    answers = said.decode().split(MARK)
    assert len(answers) == len(steps) + 1
    for (command, shown), answer in zip(steps, answers, strict=False):
        assert re.fullmatch(shown, answer.strip()), (command, answer)


MARK = "---- next ----"


def _step(text: str) -> tuple[str, str]:
    """A command, and the pattern of what it prints."""
    lines = text.splitlines()
    last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
    shown = "\n".join(lines[last + 1 :])
    return "\n".join(lines[: last + 1]), re.escape(shown).replace(re.escape("..."), ".*")


def test_every_test_that_the_readme_names_is_there() -> None:
    """A guarantee is a sentence and a test with its name."""
    tests = "".join(path.read_text("utf-8") for path in README.parent.glob("tests/**/*.py"))
    named = re.findall(r"`(test_\w+|keys_that_never_expire)`", README.read_text("utf-8"))

    assert len(named) > 10
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_the_configuration_of_the_readme_is_valid(tmp_path: Path) -> None:
    """Copied as it stands, with the secrets in the environment."""
    from gateway.settings import load_settings

    file = tmp_path / "gateway.toml"
    file.write_text(fenced("toml")[0])
    environ = {"BOT_TOKEN": "42:demo", "BOT_SECRET": "secret", "STRIPE_SECRET": "whsec_1"}

    settings = load_settings(file, environ, source_kinds=("stripe",))

    assert settings.telegram.bots["main"].bot_id == 42
