"""What is to be done after a run's commit."""

from gateway.processed import Fate, Processed
from state.outcomes import CommitAnswer, Committed


def test_a_commit_whose_answer_was_lost_has_its_traces_looked_for() -> None:
    """Timers, views and words that it left are not found out from the answer that says it was made before."""
    processed = Processed.by_commit(CommitAnswer(Committed.GONE))

    assert processed.fate is Fate.ENDED
    assert (processed.wrote, processed.timers, processed.told) == (True, True, True)


def test_a_commit_that_left_nothing_wakes_nobody() -> None:
    """Each look costs a round trip."""
    processed = Processed.by_commit(CommitAnswer(Committed.COMMITTED, revision=3))

    assert processed == Processed(Fate.ENDED, ended="applied")


def test_a_commit_under_a_lost_lease_loses_the_partition() -> None:
    """Another worker has it."""
    assert Processed.by_commit(CommitAnswer(Committed.FENCED)).fate is Fate.LOST
