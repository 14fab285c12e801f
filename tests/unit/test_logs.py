"""The log: one form for all, and no secret in it, whichever way it tries to get there."""

import io
import json
import logging

import pytest
import structlog

from gateway.logs import set_up_logs
from gateway.redaction import REDACTED, Redaction
from gateway.settings.log import LogForm, LogLevel

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"


def test_a_line_is_one_json_object_when_nobody_watches(lines: io.StringIO) -> None:
    """A collector reads time, level, logger, event and the facts by name."""
    set_up_logs(stream=lines)

    structlog.get_logger("gateway.test").info("something happened", count=3, source="stripe")

    entry = json.loads(lines.getvalue())
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "event": "something happened",
        "level": "info",
        "logger": "gateway.test",
        "count": 3,
        "source": "stripe",
    }


def test_libraries_log_in_the_same_form(lines: io.StringIO) -> None:
    """uvicorn's and aiogram's records are JSON lines too, once each."""
    set_up_logs(stream=lines)

    logging.getLogger("uvicorn.error").warning("Slow on %s", "127.0.0.1")
    logging.getLogger("aiogram").warning("Slow")

    first, second = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (first["event"], first["logger"]) == ("Slow on 127.0.0.1", "uvicorn.error")
    assert (second["event"], second["level"]) == ("Slow", "warning")


def test_a_person_reads_a_line_and_not_json(lines: io.StringIO) -> None:
    """The console form, also on demand."""
    set_up_logs(form=LogForm.CONSOLE, stream=lines)

    structlog.get_logger("gateway.test").info("something happened", count=3)

    assert "something happened" in lines.getvalue()
    assert "count=3" in lines.getvalue()
    assert not lines.getvalue().startswith("{")


def test_a_logger_without_a_name_has_its_modules(lines: io.StringIO) -> None:
    """So bots ask for theirs."""
    set_up_logs(stream=lines)

    structlog.get_logger().info("something happened")

    assert json.loads(lines.getvalue())["logger"] == __name__


def test_others_who_listen_to_the_standard_library_hear_of_trouble(lines: io.StringIO) -> None:
    """A bot's error tracker does; the line is written once all the same."""
    heard: list[logging.LogRecord] = []

    class Tracker(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    set_up_logs(stream=lines)
    logging.getLogger().addHandler(Tracker())

    structlog.get_logger("gateway.test").warning("something failed", source="stripe")

    assert [(record.name, record.levelname) for record in heard] == [("gateway.test", "WARNING")]
    [line] = lines.getvalue().splitlines()
    assert json.loads(line)["source"] == "stripe"
    assert json.loads(line)["level"] == "warning"


def test_a_line_that_cannot_be_written_stops_nobody(
    lines: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it tells of has happened, and goes on; a full disk must not make a stored event fail."""

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError("no space left")

    set_up_logs(stream=Full())

    structlog.get_logger("gateway.test").info("something happened")

    assert "no space left" in capsys.readouterr().err


def test_the_level_holds_for_all(lines: io.StringIO) -> None:
    """Neither ours nor a library's information is written at level warning."""
    set_up_logs(LogLevel.WARNING, stream=lines)

    structlog.get_logger("gateway.test").info("ours")
    logging.getLogger("uvicorn.error").info("theirs")

    assert lines.getvalue() == ""


@pytest.mark.parametrize("form", [LogForm.JSON, LogForm.CONSOLE])
def test_no_secret_is_logged_whichever_way_it_comes(lines: io.StringIO, form: LogForm) -> None:
    """In the event, a fact, a nested value, a key, bytes, an argument, an exception, an object."""
    set_up_logs(form=form, secrets=["geheimnis"], stream=lines)
    ours = structlog.get_logger("gateway.test")

    class Holder:
        def __repr__(self) -> str:
            return "<Holder geheimnis>"

    ours.info(
        "geheimnis", fact="geheimnis", nested={"geheimnis": ["geheimnis", b"geheimnis"]}, thing=Holder()
    )
    ours.info("with %s", "geheimnis")
    logging.getLogger("aiogram").error(
        "url %s", f"https://host/bot{TOKEN}/getMe", extra={"more": "geheimnis", "time": "geheimnis"}
    )
    try:
        raise LookupError("geheimnis")
    except LookupError:
        ours.exception("failed")
        logging.getLogger("uvicorn.error").exception("failed")

    assert lines.getvalue().count(REDACTED) >= 8
    assert "geheimnis" not in lines.getvalue()
    assert TOKEN not in lines.getvalue()
    assert "LookupError" in lines.getvalue()


@pytest.mark.parametrize(
    "text, redacted",
    [
        (f"POST https://host/bot{TOKEN}/sendMessage", f"POST https://host/bot{REDACTED}/sendMessage"),
        ("whsec_c2VjcmV0LXNlY3JldA==", REDACTED),
        ("key sk_live_51HabcDEFghi, then", f"key {REDACTED}, then"),
        ("redis://user:pass@host:6379/0", f"redis://{REDACTED}@host:6379/0"),
        ("redis://:pass@host/0", f"redis://{REDACTED}@host/0"),
        ("at 12:30 o'clock, http://127.0.0.1:8080/x", "at 12:30 o'clock, http://127.0.0.1:8080/x"),
    ],
)
def test_what_looks_like_a_secret_is_redacted_though_nobody_named_it(text: str, redacted: str) -> None:
    """And what only resembles one stays readable."""
    assert Redaction().text(text) == redacted


def test_the_longer_of_two_secrets_goes_whole() -> None:
    """No rest of one is left when another is its beginning."""
    assert Redaction(["secret", "secret-and-more"]).text("a secret-and-more b") == f"a {REDACTED} b"


def test_a_very_short_secret_does_not_make_the_log_unreadable() -> None:
    """A one-letter secret is legal, and found in every word."""
    assert Redaction(["e"]).text("the event") == "the event"
