"""How long an event waits for its next run, and which rule is its own."""

from datetime import timedelta

import pytest

from gateway.retries import RetryPolicy
from gateway.settings import ChatRetries, RetriesSettings
from state.envelope import Envelope

POLICY = RetryPolicy(10, timedelta(seconds=1), timedelta(seconds=60))


@pytest.mark.parametrize("attempts, seconds", [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)])
def test_the_wait_doubles_up_to_its_limit(attempts: int, seconds: int) -> None:
    """Spread by a quarter to both sides, so that many that failed together do not come back together."""
    waits = [POLICY.delay(attempts).total_seconds() for _ in range(200)]

    assert all(seconds * 0.75 <= wait <= seconds * 1.25 for wait in waits)
    assert max(waits) - min(waits) > seconds * 0.25


@pytest.mark.parametrize(
    "source, event_type, attempts",
    [
        ("telegram:42", "telegram.message", 4),
        ("stripe", "payment.succeeded", 25),
        ("lemonsqueezy", "subscription.renewed", 25),
        ("calcom", "booking.created", 16),
        ("service", "payments-report.made", 16),
    ],
)
def test_each_class_of_events_has_its_own_rule(source: str, event_type: str, attempts: int) -> None:
    """A chat is given up soon, money is tried for about a day."""
    envelope = Envelope(source, event_type, "1", 0, b"{}")

    assert RetriesSettings().policies.of(envelope).attempts == attempts


@pytest.mark.parametrize(
    "settings, low, high",
    [("chat", 3, 5), ("payments", 22 * 3600, 26 * 3600), ("other", 2 * 3600, 3 * 3600)],
)
def test_the_waits_add_up_to_what_the_documentation_says(settings: str, low: int, high: int) -> None:
    """About 4 s, a day, two hours and a half."""
    policy: RetryPolicy = getattr(RetriesSettings(), settings).policy
    doubled = (policy.first_delay * 2 ** min(run, 30) for run in range(policy.attempts - 1))
    waits = [min(wait, policy.longest_delay) for wait in doubled]

    assert low <= sum(waits, timedelta()).total_seconds() <= high


def test_a_rule_whose_first_wait_is_the_longest_is_refused() -> None:
    """It would say one thing and do another."""
    with pytest.raises(ValueError, match="first_seconds must be at most longest_seconds"):
        ChatRetries(first_seconds=11)
