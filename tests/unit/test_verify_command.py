"""`gateway verify`: why a delivery was refused, in lines, and never the secret."""

import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli import main
from routers.payments import square, stripe
from tests.unit.calls import SECRET

BODY = b'{"id":"evt_1","type":"payment_intent.succeeded"}'
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OLD = "whsec_the_one_before"
NEW = SECRET.decode()

Streams = pytest.CaptureFixture[str]


class Command:
    """`gateway verify`, run in this process as the command line runs it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: Streams) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, body: bytes = BODY) -> tuple[int, str]:
        """Return the exit code and all that was said."""
        self._monkeypatch.setattr(sys, "argv", ["gateway", "verify", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        text = said.out + said.err
        assert NEW not in text
        assert OLD not in text
        assert "Traceback" not in text
        assert isinstance(ended.value.code, int)
        return ended.value.code, text


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Streams) -> Command:
    """The command, where no configuration is found by chance."""
    monkeypatch.chdir(tmp_path)
    return Command(monkeypatch, capsys)


def signed(*, at: datetime = AT, secret: str = NEW, body: bytes = BODY) -> str:
    """Stripe's header, as it stands in a log."""
    return next(
        f"{name}: {value}"
        for name, value in stripe.sign(body, secret.encode(), at)
        if name == "Stripe-Signature"
    )


def test_a_genuine_delivery_is_told_with_the_secret_that_fits(verify: Command) -> None:
    """By its number: while a secret is rolled, it matters which."""
    code, said = verify(
        "stripe", "--secret", OLD, "--secret", NEW, "--header", signed(), "--at", "2026-11-24T12:00:00"
    )

    assert (code, said) == (0, "genuine: secret 2 of 2 fits\n")


def test_a_wrong_secret_is_told_as_such(verify: Command) -> None:
    """Well-formed, and made with another one or over another body."""
    code, said = verify("stripe", "--secret", OLD, "--header", signed(), "--at", "2026-11-24T12:00:00")

    assert code == 1
    assert said.startswith("gateway: refused, signature_wrong: no secret fits these bytes")


@pytest.mark.parametrize(
    "late, told",
    [
        (
            timedelta(seconds=460),
            "refused, too_old: the signature fits; the call is too old, or our clock is fast (460 s old",
        ),
        (
            timedelta(seconds=-460),
            "refused, in_future: the signature fits; the call is from the future: our clock is slow (460 s",
        ),
    ],
)
def test_a_wrong_time_is_told_in_seconds(verify: Command, late: timedelta, told: str) -> None:
    """With the secret that it was signed with."""
    code, said = verify(
        *("stripe", "--secret", OLD, "--secret", NEW, "--header", signed(at=AT - late)),
        *("--at", "2026-11-24T12:00:00"),
    )

    assert code == 1
    assert said.startswith(f"gateway: {told}")
    assert "gateway: it is signed with secret 2 of 2\n" in said


def test_a_line_end_too_many_is_found(verify: Command) -> None:
    """The usual harm of saving a body from a log."""
    code, said = verify(
        "stripe", "--secret", NEW, "--header", signed(), "--at", "2026-11-24T12:00:00", body=BODY + b"\n"
    )

    assert code == 1
    assert "it fits without the line end" in said


def test_an_address_without_its_slash_is_found(verify: Command) -> None:
    """Square signs it to the letter."""
    sent = square.PROVIDER.signed(BODY, SECRET, AT, url="https://bot.example/webhooks/square/")
    header = ": ".join(sent.headers[-1])
    code, said = verify(
        "square", "--secret", NEW, "--header", header, "--url", "https://bot.example/webhooks/square"
    )

    assert code == 1
    assert "it fits for the address with a / at its end" in said


@pytest.mark.parametrize(
    "headers, told",
    [
        ([], "refused, header_missing: a header is missing"),
        (["Stripe-Signature: garbage"], "refused, header_malformed: a header is not in the provider's form"),
        ([signed(), signed()], "refused, header_repeated: a header came more than once"),
    ],
    ids=["missing", "malformed", "repeated"],
)
def test_each_check_has_its_words(verify: Command, headers: list[str], told: str) -> None:
    """The provider is told nothing; the operator what to look at."""
    options = [part for header in headers for part in ("--header", header)]
    code, said = verify("stripe", "--secret", NEW, *options, "--at", "2026-11-24T12:00:00")

    assert code == 1
    assert said.startswith(f"gateway: {told}")


def test_the_configured_secrets_are_used(
    verify: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them, by its place in the list."""
    monkeypatch.setenv("NEW_SECRET", NEW)
    (tmp_path / "gateway.toml").write_text(
        '[telegram.bots.main]\ntoken = "1:a"\nsecret_token = "s"\n'
        f'[sources.shop]\nkind = "stripe"\nsecrets = ["{OLD}", "env:NEW_SECRET"]\n'
    )
    code, said = verify("shop", "--header", signed(), "--at", "2026-11-24T12:00:00")

    assert (code, said) == (0, "genuine: secret 2 of 2 fits\n")


def test_a_secret_can_come_from_the_environment(verify: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no list of processes shows it."""
    monkeypatch.setenv("THE_SECRET", NEW)
    code, _ = verify(
        "stripe", "--secret", "env:THE_SECRET", "--header", signed(), "--at", "2026-11-24T12:00:00"
    )

    assert code == 0


@pytest.mark.parametrize(
    "arguments, told",
    [
        (("strpe", "--secret", NEW), "gateway: strpe: is no kind; did you mean stripe?"),
        (("stripe",), "gateway: telegram: no bot is configured"),
        (
            ("stripe", "--secret", "env:NOT_SET"),
            "gateway: --secret: the environment variable NOT_SET is not set",
        ),
        (("stripe", "--secret", NEW, "--header", "no colon"), "gateway: --header: has no colon"),
        (("stripe", "--secret", NEW, "--at", "yesterday"), "gateway: Invalid value for '--at'"),
        (("stripe", "--secret", ""), "gateway: --secret: is empty"),
        ((), "gateway: Missing argument 'SOURCE'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    verify: Command, arguments: tuple[str, ...], told: str
) -> None:
    """Nothing of it is shown back where it may be secret."""
    code, said = verify(*arguments)

    assert (code, len(said.splitlines())) == (2, 1)
    assert said.startswith(told)
