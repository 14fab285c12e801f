"""A quick part of `make chaos`: each event takes effect once, in order and on the screen, whatever dies."""

from pathlib import Path

import pytest

from tests.chaos.scenes.steps import about_to_die, die_at
from tests.chaos.stage import Size, play


@pytest.mark.timeout(600)
async def test_a_process_that_dies_between_two_steps_loses_nothing_and_does_nothing_twice(
    tmp_path: Path,
) -> None:
    """After its change was committed, and after Telegram has answered; another process goes on."""
    points = ("commit.after", "deliver.after")
    async with about_to_die(tmp_path, points[0]) as stage:
        row = await play(stage, Size(users=4, events=6), lambda stage: die_at(stage, points))

    assert row["disturbed"] == 2
    assert row["once"] == row["acknowledged"] == row["sent"] >= 4 * 5 * 6
    assert (row["twice"], row["lost"], row["out_of_order"], row["wrong_screens"]) == (0, 0, 0, 0)
