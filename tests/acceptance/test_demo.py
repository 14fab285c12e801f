"""The two things that a newcomer does first."""

import asyncio
import json
import sys

from gateway.demo.scenario import Scenario, Step
from gateway.demo.stage import open_stage


async def test_the_demo_plays_one_booking_and_finds_everything_as_promised() -> None:
    """Any miss raises; what is told of each step is what is in Redis and in the chat."""
    steps: list[Step] = []

    async with open_stage() as stage:
        await Scenario(stage, steps.append).play()

    assert [step.state for step in steps] == [
        "Booking:choosing_hotel",
        "Booking:awaiting_payment",
        "Booking:confirmed",
        "Booking:confirmed",
        "Booking:cancelled",
        "Booking:cancelled",
    ]
    assert all(step.checked for step in steps)


async def test_the_demo_speaks_json_to_machines() -> None:
    """One object a line, nothing else on standard output, and exit code 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "demo", "--json", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0
    assert len(lines) == 6
    assert all(line.keys() == {"step", "state", "drafts", "chat"} for line in lines)
    assert lines[2]["drafts"]["booking"]["paid"] is True
