"""G1 to G5: the protocol's own model beside the real scripts, over any order of any few steps."""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.redis.protocol import Protocol


def test_any_few_steps_of_workers_senders_and_writers_hold_the_guarantees(redis_url: str) -> None:
    """Long with GATEWAY_MODEL_EXAMPLES=2000, as `make chaos` runs it."""
    Protocol.url = redis_url
    examples = int(os.environ.get("GATEWAY_MODEL_EXAMPLES", "30"))
    run_state_machine_as_test(
        Protocol,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            # Shrinking takes minutes, and what was found is short enough to read.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=examples < 100,
        ),
    )
