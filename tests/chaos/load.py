"""
The load process: senders that repeat each event until it is acknowledged, as Telegram and providers do.

``python -m tests.chaos.load PLAN_FILE`` says "sending", and at its end what it has sent, as JSON.
"""

import asyncio
import itertools
import random
import sys
from collections.abc import Callable
from pathlib import Path

from tests.chaos.plan import SOURCES, Plan, Sent
from tests.chaos.senders import Deliver, Senders

#: What the stage waits for.
SENDING = b"sending\n"
#: Between the events of one source of one user.
PAUSE_SECONDS = 0.05
#: The same when there is more to break than to send.
LATER_PAUSE_SECONDS = 1.5
RETRY_SECONDS = 0.1
#: Nothing that is broken here lasts so long.
GIVE_UP_SECONDS = 300.0


class Load:
    """So many events of each source for each user, those of one source one after the other."""

    def __init__(self, plan: Plan, senders: Senders) -> None:
        self._plan = plan
        self._senders = senders
        self._chance = random.Random(20261124)
        self.sent = Sent()

    async def run(self, *, go_on: Callable[[], bool]) -> None:
        """Send what is planned, and more while *go_on* says so; return when all is acknowledged."""
        async with asyncio.TaskGroup() as group:
            for user in self._plan.tokens:
                self.sent.expected[user] = {}
                for source in SOURCES:
                    group.create_task(self._one_source(user, source, go_on))

    async def _one_source(self, user: int, source: str, go_on: Callable[[], bool]) -> None:
        names = self.sent.expected[user].setdefault(source, [])
        for number in itertools.count():
            enough = number >= self._plan.events
            if enough and not go_on():
                return
            name = f"{source}-{user}-{number}"
            names.append(name)
            await self._insist(self._senders.delivery(source, user, name), name)
            self.sent.acknowledged += 1
            if source == "telegram" and number % 4 == 0:
                await self._insist(self._senders.ignored(user), f"what is ignored after {name}")
                self.sent.ignored += 1
            pause = LATER_PAUSE_SECONDS if enough else PAUSE_SECONDS
            await asyncio.sleep(self._chance.uniform(0, 2 * pause))

    async def _insist(self, deliver: Deliver, name: str) -> None:
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + GIVE_UP_SECONDS
        while not await deliver():
            assert clock() < give_up_at, f"{name} was refused for {GIVE_UP_SECONDS:g} s"
            self.sent.refused += 1
            await asyncio.sleep(RETRY_SECONDS)


async def main(plan: Plan) -> None:
    """Send until the plan is done and standard input is closed; print what was sent."""
    until_closed = asyncio.create_task(asyncio.to_thread(sys.stdin.buffer.read), name="until closed")
    async with Senders(plan) as senders:
        load = Load(plan, senders)
        sys.stdout.buffer.write(SENDING)
        sys.stdout.buffer.flush()
        await load.run(go_on=lambda: not until_closed.done())
    sys.stdout.buffer.write(load.sent.encode())


if __name__ == "__main__":
    asyncio.run(main(Plan.decode(Path(sys.argv[1]).read_bytes())))
