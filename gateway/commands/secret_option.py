"""A secret on the command line: as it is, or out of the environment, where no list of processes shows it."""

import os
from typing import Final

from gateway.refusal import CommandRefused

_INDIRECT: Final = "env:"


def secret_of(option: str) -> bytes:
    """
    The secret that *option* is, or that the variable in ``env:NAME`` holds.

    Raises:
        CommandRefused: it is empty, or the variable is not set.
    """
    if not option.startswith(_INDIRECT):
        if not option:
            raise CommandRefused(["--secret: is empty"])
        return option.encode()
    name = option.removeprefix(_INDIRECT)
    value = os.environ.get(name, "")
    if not value:
        raise CommandRefused([f"--secret: the environment variable {name} is not set; export {name}=..."])
    return value.encode()
