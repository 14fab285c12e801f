"""What a subscriber asks for: ``from -> to``."""

import difflib
from collections.abc import Collection, Mapping

from state.watch import WatchRule

NO_STATE = "none"
_ARROW = "->"


class RuleRefused(Exception):
    """A rule that can never fit; the message says why and what to write."""


def read_rule(
    text: str, subscriber: str, *, states: Collection[str], features: Mapping[str, Collection[str]]
) -> WatchRule:
    """
    Return the rule that *text* is.

    Each side is ``*`` (any state, or none), ``none``, a state, or ``Group:*``. With ``feature:`` or
    ``Group:`` and a blank before, a side may be a state's bare name: ``booking: * -> confirmed``. *features*
    are the states of each.

    Raises:
        RuleRefused: it is no rule, or names a state that no feature has.
    """
    scope, sides = _scope(text)
    before, arrow, after = sides.partition(_ARROW)
    if not arrow or not before.strip() or not after.strip():
        raise RuleRefused('is not a rule; write it as "* -> Booking:confirmed"')
    within = _within(scope, states, features)
    return WatchRule(subscriber, _side(before.strip(), within, states), _side(after.strip(), within, states))


def _scope(text: str) -> tuple[str | None, str]:
    scope, colon, sides = text.partition(": ")
    return (scope.strip(), sides) if colon and _ARROW not in scope else (None, text)


def _within(
    scope: str | None, states: Collection[str], features: Mapping[str, Collection[str]]
) -> Collection[str]:
    if scope is None:
        return ()
    within = features.get(scope) or [state for state in states if state.startswith(f"{scope}:")]
    if not within:
        raise RuleRefused(f"names {scope}, which is no feature and no group; {_nearest(scope, features)}")
    return within


def _side(side: str, within: Collection[str], states: Collection[str]) -> frozenset[str] | None:
    if side == "*":
        return None
    if side == NO_STATE:
        return frozenset([""])
    if side in states:
        return frozenset([side])
    if side.endswith(":*"):
        found = frozenset(state for state in states if state.startswith(side[:-1]))
    else:
        found = frozenset(state for state in within if state.rpartition(":")[2] == side)
    if not found:
        raise RuleRefused(f"names {side}, which is a state of no feature; {_nearest(side, states)}")
    return found


def _nearest(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known)) or 'none'}"
