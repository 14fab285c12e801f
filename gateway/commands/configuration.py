"""The settings that a command works with."""

import os
from pathlib import Path

from gateway.refusal import CommandRefused
from gateway.settings import Settings, SettingsError, load_settings
from routers.registry import providers


def configured(config: Path | None) -> Settings:
    """
    The settings of *config* and the environment.

    Raises:
        CommandRefused: with every problem.
    """
    try:
        options = {kind: provider.options for kind, provider in providers().items()}
        return load_settings(config, os.environ, source_kinds=tuple(options), source_options=options)
    except SettingsError as error:
        raise CommandRefused(error.problems) from error
