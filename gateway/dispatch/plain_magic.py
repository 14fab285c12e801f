"""Which magic filters are quick for certain, so that no thread is needed to ask them."""

import operator
import re
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from aiogram.utils.magic_filter import AsFilterResultOperation, MagicFilter
from magic_filter import MagicFilter as OriginalMagicFilter
from magic_filter import operations as op
from magic_filter import util

_FUNCTIONS: Final[frozenset[Callable[..., Any]]] = frozenset(
    {
        *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
        *(operator.and_, operator.or_, operator.xor, operator.not_, operator.is_, operator.is_not),
        *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod),
        *(operator.pos, operator.neg, operator.lshift, operator.rshift),
        *(util.and_op, util.or_op, util.in_op, util.not_in_op, util.contains_op, util.not_contains_op),
        *(len, str, int, float, bool, str.lower, str.upper, str.casefold, str.strip, str.isdigit),
    }
)
#: What an event leads to that may be of a class of the author's own.
_ITS_AUTHORS: Final = frozenset({"bot", "exception"})
_VALUES: Final = (str, int, float, bytes, bool, type(None), slice, type(...))
_CONTAINERS: Final = (list, tuple, set, frozenset, dict, range)


def is_plain(magic: OriginalMagicFilter) -> bool:
    """
    Tell whether *magic* runs no code but aiogram's and Python's own: no function, no object of its author's.

    Then it ends at once, and what aiogram's thread would say of it is what it says here.
    """
    return type(magic) in (MagicFilter, OriginalMagicFilter) and all(
        _is_plain_operation(operation)
        for operation in magic._operations  # noqa: SLF001 - a magic filter says nowhere else what it does
    )


def resolver_of(magic: OriginalMagicFilter) -> Callable[[Any], Any]:
    """Return what *magic*, a plain one, says of an event: quicker for ``F.text == "Menu"`` and its like."""
    match magic._operations:  # noqa: SLF001 - as above
        case (
            op.GetAttributeOperation(name=name),
            op.ComparatorOperation(right=str(text), comparator=operator.eq),
        ):
            return lambda event: getattr(event, name, None) == text
    return magic.resolve


def _is_plain_operation(operation: op.BaseOperation) -> bool:  # noqa: PLR0911 - a line for each operation
    match operation:
        case op.GetAttributeOperation(name=name):
            return name not in _ITS_AUTHORS
        case AsFilterResultOperation():
            return True
        case op.GetItemOperation(key=value):
            return _is_plain_value(value)
        case (
            op.ComparatorOperation(right=value, comparator=function)
            | op.CombinationOperation(right=value, combinator=function)
            | op.RCombinationOperation(left=value, combinator=function)
        ):
            return _is_plain_function(function) and _is_plain_value(value)
        case op.FunctionOperation(function=function, args=args, kwargs=named):
            return _is_plain_function(function) and all(map(_is_plain_value, (*args, *named.values())))
        case op.CastOperation(func=function):
            return _is_plain_function(function)
        case op.CallOperation(args=args, kwargs=named):
            # What is called was found in the event: a method of aiogram's types, or of Python's.
            return all(map(_is_plain_value, (*args, *named.values())))
        case op.SelectorOperation(inner=magic) | op.ExtractOperation(extractor=magic):
            return is_plain(magic)
    return False


def _is_plain_function(function: Any) -> bool:
    try:
        return function in _FUNCTIONS or isinstance(getattr(function, "__self__", None), re.Pattern)
    except TypeError:  # it has no hash
        return False


def _is_plain_value(value: Any) -> bool:
    if isinstance(value, OriginalMagicFilter):
        return is_plain(value)
    if type(value) in _CONTAINERS:
        return all(map(_is_plain_value, value))
    return type(value) in _VALUES or isinstance(value, Enum)
