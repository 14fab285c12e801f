"""What a subscriber may ask for, and what is refused with its remedy."""

import pytest

from gateway.subscribers.rules import RuleRefused, read_rule
from state.watch import Watch, WatchRule

STATES = frozenset({"Booking:choosing", "Booking:confirmed", "Shop:paying", "Shop:confirmed"})
FEATURES = {"booking": {"Booking:choosing", "Booking:confirmed"}, "shop": {"Shop:paying", "Shop:confirmed"}}


def _rule(text: str) -> WatchRule:
    return read_rule(text, "crm", states=STATES, features=FEATURES)


@pytest.mark.parametrize(
    "text, before, after",
    [
        ("* -> Booking:confirmed", None, {"Booking:confirmed"}),
        ("booking: * -> confirmed", None, {"Booking:confirmed"}),
        ("Booking: choosing -> confirmed", {"Booking:choosing"}, {"Booking:confirmed"}),
        ("Shop:*->none", {"Shop:paying", "Shop:confirmed"}, {""}),
        ("none -> *", {""}, None),
        ("* -> *", None, None),
    ],
)
def test_a_rule_is_read(text: str, before: set[str] | None, after: set[str] | None) -> None:
    """A star is any state or none; a scope lets states go by their bare names."""
    rule = _rule(text)

    assert (rule.before, rule.after) == (before, after)


@pytest.mark.parametrize(
    "text, remedy",
    [
        ("Booking:confirmed", "write it as"),
        ("-> Booking:confirmed", "write it as"),
        ("* -> Booking:confirmd", "did you mean Booking:confirmed?"),
        ("boking: * -> confirmed", "did you mean booking?"),
        ("booking: * -> paid", "there are"),
        ("* -> confirmed", "a state of no feature"),
    ],
)
def test_a_rule_that_can_never_fit_is_refused(text: str, remedy: str) -> None:
    """It would be silent for ever; the refusal says what to write."""
    with pytest.raises(RuleRefused) as refused:
        _rule(text)

    assert remedy in str(refused.value)


def test_several_rules_of_one_subscriber_tell_it_once() -> None:
    """What one of them wants before is wanted; any of them that wants all wins."""
    some = WatchRule("crm", frozenset({"a"}), frozenset({"x"}))
    more = WatchRule("crm", frozenset({"b"}), None)
    all_ = WatchRule("crm", None, frozenset({"y"}))
    watch = Watch(rules=(some, more, all_))

    assert watch.concerned("x") == {"crm": frozenset({"a", "b"})}
    assert watch.concerned("y") == {"crm": None}
    assert watch.concerned(False) == {"crm": frozenset({"b"})}


def test_nobody_to_tell_costs_nothing() -> None:
    """Without a feed and without a subscriber the commit is told of neither."""
    watch = Watch()

    assert watch.members(watch.concerned("x")) == ()
