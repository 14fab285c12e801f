"""`gateway trigger` as a process, beside a running gateway."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gateway.commands.trigger import Order, trigger
from gateway.refusal import CommandRefused
from tests.acceptance.served import CONFIG, ROOT, bot_in, serving
from tests.waiting import wait_until

TOKEN = "0a" + "k7" * 12
SECRET = "whsec_of_the_commands_test"
SOURCES = f"""
public_url = "https://bot.example"

[sources.stripe-eu]
kind = "stripe"
secrets = ["{SECRET}"]

[sources.square]
kind = "square"
secrets = ["{SECRET}"]

[sources.shop]
kind = "hmac"
secrets = ["{SECRET}"]
[sources.shop.options]
signature = {{header = "X-Sig"}}
read = {{type = "kind", token = "order.note", amount = "order.sum", currency = "'EUR'"}}
events = {{paid = "payment.succeeded"}}
"""


async def run(directory: Path, *arguments: str) -> tuple[int | None, list[str], list[str]]:
    """Run the command; return its exit code and the lines of both streams."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *arguments),
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert SECRET not in (out + err).decode()
    return process.returncode, out.decode().splitlines(), err.decode().splitlines()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A bot with three sources."""
    bot_in(tmp_path)
    (tmp_path / "gateway.toml").write_text(CONFIG + SOURCES, encoding="utf-8")
    return tmp_path


async def test_a_triggered_event_is_taken_like_a_providers_own(directory: Path) -> None:
    """Signed with the configured secret, over the public address where that is signed; else it is refused."""
    async with serving(cwd=directory) as served:
        stripe = f"{served.url}/webhooks/stripe-eu"
        taken = await run(
            directory,
            *("trigger", "stripe", "checkout.session.completed", "--token", TOKEN, "--amount", "100"),
            *("--url", stripe),
        )
        forged = Order("stripe", "charge.refunded", TOKEN, 100, "EUR", "", None)
        with pytest.raises(CommandRefused) as refused:
            await asyncio.to_thread(
                trigger, directory / "gateway.toml", forged, url=stripe, secret=b"another"
            )
        for source, own_type in (("square", "payment.updated"), ("shop", "paid")):
            order = Order(source, own_type, TOKEN, 100, "EUR", "", None)
            url = f"{served.url}/webhooks/{source}"
            assert (
                await asyncio.to_thread(trigger, directory / "gateway.toml", order, url=url, secret=None) == 0
            )
        # The answer may be here before the log is.
        await wait_until(
            lambda: len(served.logged("received")) >= 3, description="all are logged", seconds=30
        )
        kept = [(entry["source"], entry["type"]) for entry in served.logged("received")]

    assert taken == (0, ['200 {"received":true}'], [])
    assert refused.value.exit_code == 1
    assert refused.value.problems[0].startswith("answered 401: ")
    assert kept == [(name, "payment.succeeded") for name in ("stripe-eu", "square", "shop")]
