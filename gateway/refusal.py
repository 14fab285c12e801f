"""How a command says no: a line for each problem, and an exit code."""

from collections.abc import Sequence

#: Wrong usage or configuration; the same code as for a misspelt option.
MISTAKEN = 2
#: Used rightly, and it did not work out.
FAILED = 1


class CommandRefused(Exception):
    """The command ends with *exit_code*, and *problems* on stderr."""

    def __init__(self, problems: Sequence[str], exit_code: int = MISTAKEN) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
        self.exit_code = exit_code
