"""Bad input on the command line: a line for each problem, exit code 2, before anything listens."""

import asyncio
import sys
from pathlib import Path

import pytest

GOOD = """
[telegram.bots.main]
token = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
secret_token = "a-secret_token"
"""


async def run(*arguments: str) -> tuple[int | None, str]:
    """Run the command; return its exit code and what it says on stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", *arguments, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.parametrize(
    "config, bot, named",
    [
        ('[telegram.bots.main]\ntoken = "no"\nsecret_token = "s"', "x:y", "telegram.bots.main.token"),
        ('[telegram.bots.main]\ntoken = "env:NOT_SET"\nsecret_token = "s"', "x:y", "NOT_SET"),
        (GOOD + '[sources.x]\nkind = "strpe"\nsecrets = ["s"]', "x:y", "sources.x.kind"),
        (GOOD + "[redis]\nurll = 'redis://h'", "x:y", "redis.urll"),
        (GOOD, "no_such_module:gateway", "no_such_module"),
        (GOOD, "tests.acceptance.counting_bot:nothing", "nothing"),
        (GOOD, "without-a-colon", "without-a-colon"),
    ],
)
async def test_a_mistake_is_told_in_one_line_that_names_it(
    tmp_path: Path, config: str, bot: str, named: str
) -> None:
    """No traceback, no half-started process."""
    file = tmp_path / "gateway.toml"
    file.write_text(config)

    code, said = await run("serve", bot, "--config", str(file))

    assert code == 2
    assert named in said
    assert "Traceback" not in said
    assert all(line.startswith("gateway: ") for line in said.splitlines())
    assert "AAbbCCdd" not in said


async def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Whoever mends a configuration need not run it once for each mistake."""
    file = tmp_path / "gateway.toml"
    file.write_text('[telegram.bots.main]\ntoken = "no"\nsecret_token = "not allowed!"\n[web]\nport = 70000')

    code, said = await run("serve", "x:y", "--config", str(file))

    assert (code, len(said.splitlines())) == (2, 3)
