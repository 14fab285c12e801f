"""What is broken while events come in, one scenario for each kind of trouble."""

from collections.abc import Mapping
from typing import Final

from tests.chaos.parts import Scenario
from tests.chaos.scenes.networks import cut, network, silent, slow
from tests.chaos.scenes.processes import calm, killing, paused, wrong_clock
from tests.chaos.scenes.steps import at_each_step
from tests.chaos.scenes.stores import disk_full, failover, lost_primary, redis_killed
from tests.chaos.scenes.telegram import bad_telegram

_WEB: Final = ("--role", "web")
_WORKER: Final = ("--role", "worker")

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "calm": calm,
    "SIGKILL of a process that does all": killing((), (), victim=1),
    "SIGKILL of the only process": killing((), victim=0),
    "SIGKILL of a web process": killing(_WEB, _WEB, _WORKER, victim=0),
    "SIGKILL of a worker": killing(_WEB, _WORKER, _WORKER, victim=1),
    "SIGSTOP for 30 s": paused,
    "SIGKILL of Redis, appendfsync always": redis_killed({"appendfsync": "always"}),
    "SIGKILL of Redis, everysec and WAITAOF": redis_killed({}),
    "disk of Redis full, everysec and WAITAOF": disk_full,
    "failover by Sentinel, one replica waited for": failover,
    "Cluster loses a primary, one replica waited for": lost_primary,
    "network cut": network(cut, 2),
    "network silent for 3 s": network(silent, 2),
    "network slow, 30 ms each way": network(slow, 0.5),
    "clock ten minutes wrong": wrong_clock,
    "Telegram in trouble": bad_telegram,
    "SIGKILL at each step": at_each_step,
}
