"""`gateway demo`: one booking through a real gateway, with no account and no Redis."""

import uvloop

from gateway.demo.report import JsonReport, PeopleReport
from gateway.demo.scenario import Scenario
from gateway.demo.stage import Miss, open_stage
from gateway.demo.user import User
from gateway.embedded import EmbeddedRedisFailed
from gateway.embedded_binary import RedisServerNotFound
from gateway.logs import set_up_logs
from gateway.refusal import FAILED, CommandRefused
from gateway.server import stop_on_signals
from gateway.settings.log import LogLevel


def demo(*, as_json: bool, keep_serving: bool) -> int:
    """
    Play the scenario; with *keep_serving*, keep everything running afterwards.

    Raises:
        CommandRefused: something did not come out as promised, or the embedded Redis cannot be started.
    """
    set_up_logs(LogLevel.ERROR)
    try:
        return uvloop.run(_demo(JsonReport() if as_json else PeopleReport(), keep_serving=keep_serving))
    except Miss as miss:
        raise CommandRefused([f"demo: {miss}"], FAILED) from miss
    except (RedisServerNotFound, EmbeddedRedisFailed) as error:
        raise CommandRefused([f"redis: {error}"], FAILED) from error


async def _demo(report: JsonReport | PeopleReport, *, keep_serving: bool) -> int:
    async with open_stage() as stage:
        await Scenario(stage, report.step).play()
        report.note("Everything came out as promised; the repeated calls changed nothing.")
        if keep_serving:
            await User(stage).book(8)
            stop = stop_on_signals()
            report.serving(stage)
            await stop.wait()
    return 0
