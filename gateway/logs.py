"""The log: readable on a terminal, JSON lines otherwise, the libraries' lines in the same form, no secret."""

import inspect
import json
import logging
import sys
from collections.abc import Callable, Iterable, MutableMapping
from functools import partial
from typing import Any, TextIO

import structlog

from gateway.redaction import Redaction
from gateway.settings.log import LogForm, LogLevel

_TIME = "time"
#: What one looks for first stands first.
_FIRST = (_TIME, "level", "logger", "event")

#: Libraries whose information is about each single call.
_TALKATIVE = ("aiogram.event", "httpx", "httpcore", "uvicorn.error", "uvicorn.access", "asyncio")


def set_up_logs(
    level: LogLevel = LogLevel.INFO,
    form: LogForm = LogForm.AUTO,
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """
    Send structlog's and the standard library's records through one redacting chain to *stream* (stderr).

    Calling it again replaces the earlier set-up.
    """
    out = stream or sys.stderr
    console = form is LogForm.CONSOLE or (form is LogForm.AUTO and out.isatty())
    redaction = Redaction(secrets)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key=_TIME),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]

    def redacted(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        ordered = {key: event.pop(key) for key in _FIRST if key in event} | dict(event)
        # The time is our own stamp, and no line has the same.
        return {key: value if key == _TIME else redaction.value(value) for key, value in ordered.items()}

    renderer = structlog.dev.ConsoleRenderer(colors=out.isatty(), timestamp_key=_TIME) if console else _json
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            # What a library adds must not pass for our own stamp, which is not searched for secrets.
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redacted, renderer],
        )
    )

    def write(event: MutableMapping[str, Any]) -> None:
        line = renderer(None, "", redacted(None, "", event))
        handler.acquire()
        try:
            out.write(f"{line}\n")
            out.flush()
        finally:
            handler.release()

    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.value.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "aiogram"):
        # uvicorn brings handlers of its own, which would write each line a second time.
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.captureWarnings(capture=True)
    # A record of the standard library's costs as much as a whole event.
    structlog.configure(
        processors=[*shared, _as_it_is],
        logger_factory=partial(_OwnLogger, write),
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        cache_logger_on_first_use=False,
    )


class _OwnLogger:
    """
    Where the lines of one of our own loggers end. One that cannot be written stops nobody.

    Each call leaves an information, which goes straight to the stream. What is graver goes through the
    standard library, where others listen for it.
    """

    def __init__(self, write: Callable[[MutableMapping[str, Any]], None], name: str = "") -> None:
        self.name = name or _asking_module()
        self._write = write

    def info(self, event: MutableMapping[str, Any]) -> None:
        try:
            self._write(event)
        except Exception:
            # The standard library's handler tells of its own failures without raising them.
            logging.getLogger(__name__).exception("a line of %s could not be written", self.name)

    debug = info

    def warning(self, event: MutableMapping[str, Any]) -> None:
        self._graver(logging.WARNING, event)

    def error(self, event: MutableMapping[str, Any]) -> None:
        self._graver(logging.ERROR, event)

    def critical(self, event: MutableMapping[str, Any]) -> None:
        self._graver(logging.CRITICAL, event)

    def _graver(self, level: int, event: MutableMapping[str, Any]) -> None:
        # As structlog's own `wrap_for_formatter` does: its formatter knows the event by these two.
        extra = {"_logger": self, "_name": logging.getLevelName(level).lower()}
        logging.getLogger(self.name).log(level, event, extra=extra)


def _asking_module() -> str:
    """Name who has asked structlog for a logger without a name, as bots do."""
    frame = inspect.currentframe()
    while frame is not None:
        module: str = frame.f_globals.get("__name__", "")
        if module != __name__ and module.partition(".")[0] != "structlog":
            return module
        frame = frame.f_back
    return ""


def _as_it_is(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> tuple[tuple[MutableMapping[str, Any]], dict[str, Any]]:
    """structlog's form for: call the logger with the event."""
    return (event,), {}


def _json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    # The redaction has left only what JSON has; the standard library also takes integers of any size.
    return json.dumps(event)
