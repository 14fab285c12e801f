"""A configuration file of a test, and what reading it gives."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, load_settings

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
BOT = f"""
[telegram.bots.main]
token = "{TOKEN}"
secret_token = "a-secret_token"
"""
KINDS = ("stripe", "calcom")


def loaded(file: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of *file* with *text* in it."""
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ or {}, source_kinds=KINDS)


def problems_of(file: Path, text: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What is wrong with *file* with *text* in it."""
    with pytest.raises(SettingsError) as refusal:
        loaded(file, text, environ)
    return refusal.value.problems
