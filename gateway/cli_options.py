"""Options that many commands share."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

DEFAULT_CONFIG: Final = Path("gateway.toml")

Config: TypeAlias = Annotated[
    Path | None, typer.Option(help=f"The settings. [default: {DEFAULT_CONFIG} if it is there]")
]


def existing(config: Path | None) -> Path | None:
    """Without a file the environment alone configures; a file that was asked for must be there."""
    if config is None and DEFAULT_CONFIG.exists():
        return DEFAULT_CONFIG
    return config
