"""`gateway sources`, and bad input of `gateway trigger`, as the command line runs them."""

import sys
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr

from gateway.cli import main
from gateway.commands.sources import address_to_paste, events_to_tick, found_wrong
from gateway.settings import BotSettings, Settings, TelegramSettings, WebSettings
from routers.dependencies import WebhookEndpoint
from routers.registry import providers
from tests.unit.calls import NOW, known

TOKEN = "0a" + "k7" * 12
SECRET = "whsec_of_the_commands_test"
BOT = """
[telegram.bots.main]
token = "1:a"
secret_token = "the-secret-token"
"""
SOURCES = f"""
[web]
port = 0
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

Streams = pytest.CaptureFixture[str]


class Command:
    """`gateway`, run in this process."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: Streams) -> None:
        self.config = directory / "gateway.toml"
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, list[str], list[str]]:
        """Return the exit code and the lines of both streams."""
        self._monkeypatch.setattr(sys, "argv", ["gateway", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        assert SECRET not in said.out + said.err
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out.splitlines(), said.err.splitlines()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Streams) -> Command:
    """The command, where three sources are configured."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gateway.toml").write_text(BOT + SOURCES, encoding="utf-8")
    return Command(tmp_path, monkeypatch, capsys)


def test_sources_are_listed_and_checked(run: Command) -> None:
    """What to paste, what to tick, and that it is in order."""
    code, listed, _ = run("sources", "list")
    assert code == 0
    assert [line.split() for line in listed[1:]] == [
        ["stripe-eu", "stripe", "1", "https://bot.example/webhooks/stripe-eu"],
        ["square", "square", "1", "https://bot.example/webhooks/square"],
        ["shop", "hmac", "1", "https://bot.example/webhooks/shop"],
    ]

    code, checked, err = run("sources", "check")
    assert (code, err) == (0, [])
    assert "  address to paste: https://bot.example/webhooks/square" in checked
    assert "  events to tick:   payment.created, payment.updated, booking.created, booking.updated" in checked
    assert checked.count("  in order") == 3


def test_what_keeps_a_source_from_working_is_told(run: Command) -> None:
    """One line each, exit code 1: no address, a secret that has ended, one that cannot be used."""
    run.config.write_text(
        BOT
        + """
[sources.stripe]
kind = "stripe"
secrets = [{value = "x", not_after = 2020-01-01T00:00:00Z}]
[sources.standard]
kind = "standardwebhooks"
secrets = ["not base64!"]
""",
        encoding="utf-8",
    )
    code, _, err = run("sources", "check")

    missing = "web.public_url: is missing; set it to the address under which the world reaches the gateway"
    assert code == 1
    assert err == [
        f"gateway: sources.stripe: {missing}",
        "gateway: sources.stripe: secrets: none is valid now; every call would be refused",
        f"gateway: sources.standard: {missing}",
        (
            "gateway: sources.standard: secrets[0]: cannot be used; "
            "none has the form whsec_<base64> or whpk_<base64>"
        ),
    ]


@pytest.mark.parametrize(
    "arguments, told",
    [
        (
            ("trigger", "stripe", "charge.refnded", "--token", TOKEN, "--url", "http://127.0.0.1:9"),
            "charge.refnded: stripe has no example of it; did you mean charge.refunded?",
        ),
        (("trigger", "stripe", "charge.refunded", "--token", "nobody"), "--token: is not a token"),
        (
            ("trigger", "strpe", "x", "--token", TOKEN),
            "strpe: is no source and no kind; did you mean stripe?",
        ),
        (
            ("trigger", "paddle", "x", "--token", TOKEN),
            "paddle: no source is of this kind; add [sources.paddle]",
        ),
        (
            ("trigger", "stripe", "charge.refunded", "--token", TOKEN),
            "web.port: is 0, so any; say with --url",
        ),
        (
            ("sources", "check", "nobody"),
            "nobody: is not a configured source; there are stripe-eu, square, shop",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run: Command, arguments: tuple[str, ...], told: str) -> None:
    """Before anything is sent."""
    code, out, err = run(*arguments)

    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith(f"gateway: {told}")


@pytest.mark.parametrize("kind", providers())
def test_every_kind_is_checked_with_the_examples_of_its_own(kind: str) -> None:
    """A secret in its form, and an address: nothing is wrong, and all that a provider needs is said."""
    provider = providers()[kind].configured(providers()[kind].example_options)
    endpoint = WebhookEndpoint(kind, provider, [known(provider)], f"https://bot.example/webhooks/{kind}")
    bot = BotSettings(token=SecretStr("1:a"), secret_token=SecretStr("s"))
    settings = Settings(
        telegram=TelegramSettings(bots={"main": bot}),
        web=WebSettings(public_url=HttpUrl("https://bot.example")),
    )

    assert [line for line in found_wrong(endpoint, settings, NOW) if not line.startswith("note: ")] == []
    assert address_to_paste(endpoint).startswith(f"https://bot.example/webhooks/{kind}")
    assert events_to_tick(provider)


@pytest.mark.parametrize(
    "kind, address",
    [
        ("stripe", "https://bot.example/hook"),
        ("yclients", "https://bot.example/hook/<the secret>"),
        ("cloudpayments", "https://bot.example/hook?type=<event>"),
    ],
)
def test_the_address_to_paste_is_whole(kind: str, address: str) -> None:
    """With the secret part of it that is not shown, and with what it must say of the event."""
    provider = providers()[kind]

    assert (
        address_to_paste(WebhookEndpoint(kind, provider, [known(provider)], "https://bot.example/hook"))
        == address
    )
