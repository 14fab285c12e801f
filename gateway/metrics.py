"""What Prometheus is told: what all processes have counted, and what is owed now."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from state.counts import TIME_CLASSES_MS, Counts
from state.errors import StoreUnavailable
from state.pressure import Load, Pressure
from state.service_stream import ServiceStream

_COUNTERS: Final[Mapping[str, tuple[str, str, Sequence[str]]]] = {
    "calls": ("gateway_calls", "Genuine calls, by what became of them", ("source", "outcome")),
    "refusals": ("gateway_refusals", "Calls that were not taken at the edge", ("source", "reason")),
    "events": ("gateway_events", "Runs of events, by how they ended", ("source", "fate")),
    "effects": ("gateway_effects", "Answers of Telegram to what it was owed", ("kind", "outcome", "cause")),
}
_GAUGES: Final[Sequence[tuple[str, str, Callable[[Sequence[Load]], float]]]] = (
    ("inbox_events", "Events owed, parked ones included", lambda loads: sum(load.events for load in loads)),
    (
        "inbox_oldest_seconds",
        "For how long the oldest event that neither rests nor is parked has been owed",
        lambda loads: max(load.event_age_ms for load in loads) / 1000,
    ),
    ("inbox_retries", "Events that wait for their retry", lambda loads: sum(load.waiting for load in loads)),
    ("parked_events", "Events that came too early", lambda loads: sum(load.parked for load in loads)),
    (
        "unresolved_events",
        "Events whose conversation is not known",
        lambda loads: sum(load.unresolved for load in loads),
    ),
    ("dead_letters", "Events given up and kept", lambda loads: sum(load.dead for load in loads)),
    ("outbox_effects", "What Telegram is owed", lambda loads: sum(load.effects for load in loads)),
    (
        "outbox_oldest_seconds",
        "For how long the oldest effect has been owed",
        lambda loads: max(load.effect_age_ms for load in loads) / 1000,
    ),
    (
        "messages_unremoved",
        "Messages that had to stay in their chats",
        lambda loads: sum(load.unremoved for load in loads),
    ),
    (
        "partitions_unheld",
        "Partitions that no worker holds",
        lambda loads: sum(load.lease_ms == 0 for load in loads),
    ),
    (
        "lease_left_seconds",
        "Time left of the lease that ends first, of those held; near 0 its worker does not renew it",
        lambda loads: min((load.lease_ms for load in loads if load.lease_ms), default=0) / 1000,
    ),
)


class Metrics:
    """Writes the metrics in Prometheus' text format."""

    def __init__(
        self, counts: Counts, pressure: Pressure, streams: Mapping[str, ServiceStream] | None = None
    ) -> None:
        self._counts = counts
        self._pressure = pressure
        self._streams = streams or {}

    async def text(self) -> bytes:
        """
        Return all metrics; what is owed is up to a second old.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        registry = CollectorRegistry()
        counted, owed = _counted(await self._counts.all()), _owed(self._pressure.loads)
        registry.register(_Collected([*counted, *owed, *await self._lags()]))
        return generate_latest(registry)

    async def _lags(self) -> Sequence[Metric]:
        """Return how far the gateway is behind each stream; one whose Redis is away is left out."""
        unread = GaugeMetricFamily("gateway_stream_unread", "Entries that nobody has read", labels=["stream"])
        unfinished = GaugeMetricFamily(
            "gateway_stream_unfinished", "Entries read that the inbox has not yet", labels=["stream"]
        )
        for name, stream in self._streams.items():
            with suppress(StoreUnavailable):
                lag = await stream.lag()
                unfinished.add_metric([name], lag.unfinished)
                if lag.unread is not None:
                    unread.add_metric([name], lag.unread)
        return (unread, unfinished) if self._streams else ()


class _Collected(Collector):
    """prometheus-client's way to be given what was counted elsewhere."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families


def _counted(counts: Mapping[tuple[str, ...], int]) -> Iterator[Metric]:
    for name, (family_name, says, labels) in _COUNTERS.items():
        family = CounterMetricFamily(family_name, says, labels=labels)
        for (counted, *values), count in sorted(counts.items()):
            # A later version may count under other labels.
            if counted == name and len(values) == len(labels):
                family.add_metric(values, count)
        yield family
    yield _handled(counts)


def _handled(counts: Mapping[tuple[str, ...], int]) -> Metric:
    family = HistogramMetricFamily("gateway_handled_seconds", "Time of one run", labels=["source"])
    for source in sorted({labels[1] for labels in counts if labels[0] == "handled_ms"}):
        buckets, below = [], 0
        for end in (*TIME_CLASSES_MS, None):
            below += counts.get(("handled_class", source, str(end or "")), 0)
            buckets.append(("+Inf" if end is None else str(end / 1000), float(below)))
        family.add_metric([source], buckets, counts["handled_ms", source] / 1000)
    return family


def _owed(loads: Sequence[Load]) -> Iterator[Metric]:
    for name, says, value in _GAUGES:
        yield GaugeMetricFamily(f"gateway_{name}", says, value(loads))
