"""What `gateway` and `state` offer is imported when it is asked for, so that commands start at once."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest
from aiogram.fsm.storage.base import DEFAULT_DESTINY as AIOGRAMS_DESTINY

import gateway
import state
from state.conversation import DEFAULT_DESTINY

#: What commands begin with that handle no update, or have not come to that yet.
WITHOUT_AIOGRAM = (
    "gateway.cli",
    "gateway.commands.configuration",
    "gateway.commands.explain",
    "gateway.commands.keys",
    "gateway.commands.kept",
    "gateway.commands.serve",
    "gateway.demo.bot_api.__main__",
)


@pytest.mark.parametrize("package", [gateway, state])
def test_every_public_name_is_what_the_type_checker_takes_it_for(package: ModuleType) -> None:
    """Found where the import that only the checker reads says; another name is said not to be there."""
    read_by_checker = {
        alias.name: statement.module
        for statement in ast.walk(ast.parse(inspect.getsource(package)))
        if isinstance(statement, ast.ImportFrom) and statement.module and "." in statement.module
        for alias in statement.names
    }

    assert read_by_checker == package._HOMES
    assert sorted(read_by_checker) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is getattr(import_module(package._HOMES[name]), name)
    with pytest.raises(AttributeError, match="has no attribute 'Veiw'"):
        package.Veiw  # noqa: B018 - asking for it is the test


def test_a_command_that_handles_no_update_does_not_wait_for_aiogram() -> None:
    """To import it takes seconds of a core: an operator would wait for them to read a version, or a typo."""
    imports = "".join(f"import {module}\n" for module in WITHOUT_AIOGRAM)
    code = f"{imports}import sys\nsys.exit('aiogram' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_usual_destiny_is_aiograms() -> None:
    """It is written down without importing aiogram."""
    assert DEFAULT_DESTINY == AIOGRAMS_DESTINY
