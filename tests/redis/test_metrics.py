"""What an operator can count: all that happened in any process, and all that is owed now."""

from datetime import timedelta

from aiogram.fsm.state import State, StatesGroup
from prometheus_client.parser import text_string_to_metric_families

from gateway import Director, Feature, Gateway, View, park
from gateway.metrics import Metrics
from gateway.runtime import Runtime, running
from gateway.settings import MetricsSettings, Settings
from routers.event import Event
from state.conversation import Conversation
from state.pressure import Pressure
from tests.redis.conftest import Outside
from tests.waiting import wait_until

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Never(StatesGroup):
    """What does not come by itself."""

    comes = State()


async def told(outside: Outside) -> Samples:
    """What `/metrics` says, by name and labels."""
    pressure = Pressure(outside.scripts, oldest=timedelta(hours=1))
    await pressure.measure()
    text = (await Metrics(outside.scripts.counts, pressure).text()).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def sample(samples: Samples, name: str, **labels: str) -> float:
    """One of them; 0 if it was never counted."""
    return samples.get((name, frozenset(labels.items())), 0)


def shop() -> Gateway:
    """A bot that shows one thing, waits for another, and breaks on a third."""
    feature = Feature("shop", states=Never)

    @feature.on("thing.paid")
    async def paid(event: Event, director: Director) -> View:
        return View(content="Thank you")

    @feature.on("thing.early", state=Never.comes, otherwise=park(hours=1))
    async def early(event: Event, director: Director) -> None:
        """Never reached."""

    return Gateway(feature)


async def test_what_every_process_did_is_counted_and_outlives_it(
    outside: Outside, settings: Settings, redis_url: str, conversation: Conversation
) -> None:
    """Two processes after one another; calls, runs, times and Telegram's answers, each under its labels."""
    for _ in range(2):
        async with running(shop(), settings, redis_url):
            await outside.send("thing.paid", to=conversation)
            await outside.send("thing.unknown", to=conversation)
            await outside.settled()
    await outside.scripts.counts.write()

    samples = await told(outside)

    assert sample(samples, "gateway_calls_total", source="service", outcome="accepted") == 4
    assert sample(samples, "gateway_events_total", source="service", fate="applied") == 2
    assert sample(samples, "gateway_events_total", source="service", fate="ignored") == 2
    assert sample(samples, "gateway_handled_seconds_count", source="service") == 4
    assert sample(samples, "gateway_handled_seconds_bucket", source="service", le="30.0") == 4
    done = [
        value
        for (name, labels), value in samples.items()
        if name == "gateway_effects_total" and ("outcome", "done") in labels
    ]
    assert sum(done) == 2


async def test_what_is_owed_is_told_as_it_is(
    outside: Outside, settings: Settings, redis_url: str, conversation: Conversation
) -> None:
    """A parked event is no backlog, one without a user waits apart, and leases are seen to be held."""
    async with running(shop(), settings, redis_url):
        await outside.send("thing.early", to=conversation)
        await outside.send("thing.paid", to=None)

        async def parked() -> bool:
            return sample(await told(outside), "gateway_parked_events") == 1

        await wait_until(parked, description="the early event is parked")
        held = await told(outside)
    left = await told(outside)

    assert sample(held, "gateway_unresolved_events") == 1
    assert sample(held, "gateway_inbox_oldest_seconds") == 0
    assert sample(held, "gateway_partitions_unheld") == 0
    assert 0 < sample(held, "gateway_lease_left_seconds") <= settings.worker.lease_seconds
    assert sample(left, "gateway_partitions_unheld") == settings.redis.partitions


async def test_an_event_that_nobody_works_on_grows_old(outside: Outside, conversation: Conversation) -> None:
    """The one figure to alert on: it rises when the workers are dead, stuck or too few."""
    await outside.send("thing.paid", to=conversation)

    async def old() -> bool:
        return sample(await told(outside), "gateway_inbox_oldest_seconds") > 0.05

    await wait_until(old, description="the event's age is told")


async def test_there_is_no_page_unless_the_settings_ask_for_one(settings: Settings, redis_url: str) -> None:
    """Closed by default; with a token for whoever has it, or open where the operator says so."""
    pages: list[Runtime] = []
    for metrics in (
        MetricsSettings(),
        MetricsSettings(token="a token of the tests"),
        MetricsSettings(open=True),
    ):
        with_page = settings.model_copy(update={"metrics": metrics})
        async with running(shop(), with_page, redis_url) as runtime:
            pages.append(runtime)
    closed, guarded, opened = (runtime.edge.metrics for runtime in pages)

    assert closed is None
    assert guarded is not None
    assert guarded.token == b"a token of the tests"
    assert opened is not None
    assert opened.token is None
