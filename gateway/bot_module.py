"""`mybot:gateway`: from the command line to the author's object, with an answer for each way to miss it."""

import importlib
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from gateway.redaction import Redaction
from gateway.refusal import CommandRefused
from gateway.settings.errors import nearest

if TYPE_CHECKING:
    from gateway.gateway import Gateway

_LIBRARIES: Final = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


def load_gateway(spec: str) -> "Gateway":
    """
    The `Gateway` that *spec*, `MODULE:ATTR`, names; modules are looked for in the current directory too.

    Raises:
        CommandRefused: there is no such thing, or the module itself fails; one line says where.
    """
    module_name, colon, attribute = spec.partition(":")
    if not (colon and module_name and attribute):
        raise CommandRefused([f"{spec}: is not MODULE:ATTR; give it as mybot:gateway"])
    found: Any = _imported(module_name)
    # Not before: that there is no such module is told without aiogram, which takes seconds.
    from gateway.gateway import Gateway

    for part in attribute.split("."):
        if not hasattr(found, part):
            raise CommandRefused([_no_attribute(spec, found, part, Gateway)])
        found = getattr(found, part)
    if not isinstance(found, Gateway):
        raise CommandRefused([f"{spec}: is a {type(found).__name__}, not a gateway.Gateway"])
    return found


def _imported(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise CommandRefused(
                [f"{name}: there is no module {error.name}; looked in {here} too"]
            ) from error
        raise CommandRefused([_told(name, error)]) from error
    except (Exception, SystemExit) as error:
        raise CommandRefused([_told(name, error)]) from error


def _no_attribute(spec: str, found: Any, part: str, wanted: type) -> str:
    gateways = [name for name, value in vars(found).items() if isinstance(value, wanted)]
    if gateways:
        return f"{spec}: has no {part}; {nearest(part, gateways)}"
    return f"{spec}: has no {part}, nor any other Gateway"


def _told(name: str, error: BaseException) -> str:
    """The exception's own last line, and the author's line that it came from."""
    last_line = traceback.format_exception_only(error)[-1].strip()
    return Redaction().text(f"{name}: cannot be imported: {last_line} ({_place(error)})")


def _place(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    # The last frame may lie deep in a library that the author called; the author's own is the one to look at.
    own = [f for f in frames if not f.filename.startswith((*_LIBRARIES, "<frozen"))] or frames
    return f"{own[-1].filename}:{own[-1].lineno}"
