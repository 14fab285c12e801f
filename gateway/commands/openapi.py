"""`gateway openapi`: the description of the HTTP interface, generated, and checked for drift."""

import json
from pathlib import Path

from pydantic import SecretStr

from gateway.app import create_app
from gateway.commands.compatibility import breaks
from gateway.gateway import Gateway
from gateway.refusal import FAILED, CommandRefused
from gateway.settings import BotSettings, Settings, TelegramSettings


def openapi(*, output: Path | None, check: Path | None, released: Path | None = None) -> int:
    """
    Write the description to *output*, or to standard output; with *check* or *released*, compare instead.

    Raises:
        CommandRefused: the file at *check* is not what the code says, a caller of the one at *released* would
            be broken, or *output* cannot be written.
    """
    text = description()
    if check is not None:
        there = check.read_text(encoding="utf-8") if check.exists() else ""
        if there != text:
            raise CommandRefused([f"{check}: is not what the code says; run `make openapi`"], FAILED)
    if released is not None:
        broken = breaks(json.loads(released.read_text(encoding="utf-8")), json.loads(text))
        if broken:
            raise CommandRefused([f"{released}: {line}" for line in broken], FAILED)
    if check is not None or released is not None:
        return 0
    if output is not None:
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandRefused([f"{output}: cannot be written ({error.strerror})"]) from error
    else:
        print(text, end="")  # noqa: T201 - this is the command's output
    return 0


def description() -> str:
    """The same text for the same code: it depends on no configuration."""
    nobody = BotSettings(token=SecretStr("1:none"), secret_token=SecretStr("none"))
    app = create_app(
        Gateway(), Settings(telegram=TelegramSettings(bots={"main": nobody})), redis_url="unix:///nowhere"
    )
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
