"""The log: readable on a terminal, JSON lines otherwise, the libraries' lines in the same form, no secret."""

import json
import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog

from gateway.redaction import Redaction
from gateway.settings.log import LogForm, LogLevel

#: What one looks for first stands first.
_FIRST = ("time", "level", "logger", "event")

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
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]

    def redacted(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        ordered = {key: event.pop(key) for key in _FIRST if key in event} | dict(event)
        return {key: redaction.value(value) for key, value in ordered.items()}

    renderer = structlog.dev.ConsoleRenderer(colors=out.isatty(), timestamp_key="time") if console else _json
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redacted, renderer],
        )
    )
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
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    # The redaction has left only what JSON has; the standard library also takes integers of any size.
    return json.dumps(event)
