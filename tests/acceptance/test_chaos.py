"""A quick part of `make chaos`: each event takes effect once, in order and on the screen, whatever dies."""

from pathlib import Path

import pytest

from tests.chaos.scenarios import die_at, several_processes
from tests.chaos.stage import Size, play


@pytest.mark.timeout(300)
async def test_a_process_that_dies_between_two_steps_loses_nothing_and_does_nothing_twice(
    tmp_path: Path,
) -> None:
    """After the event was stored, after its change was committed, after Telegram has answered."""
    points = ("accept.after", "commit.after", "deliver.after")
    async with several_processes(tmp_path) as stage:
        row = await play(stage, Size(users=4, events=6), lambda stage: die_at(stage, points))

    assert row["disturbed"] == 3
    assert row["once"] == row["acknowledged"] == row["sent"] >= 72
    assert (row["twice"], row["lost"], row["out_of_order"], row["wrong_screens"]) == (0, 0, 0, 0)
