"""How deep a value may be nested."""

from typing import Any, Final

#: Deeper values are refused: nobody reads them, and parsers have limits.
DEEPEST: Final = 64


def is_shallow(value: Any, levels: int = DEEPEST) -> bool:
    """Tell whether *value* is nested no deeper than that."""
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(is_shallow(each, levels - 1) for each in inner)
