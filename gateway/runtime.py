"""All parts of one process, opened in order and closed in reverse."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from redis.asyncio import Redis

from gateway.bridges import bridging
from gateway.container import Container
from gateway.decisions import Decisions
from gateway.gateway import Gateway
from gateway.handling import Handling
from gateway.metrics import Metrics
from gateway.outgoing import Outgoing
from gateway.overdue import OverdueAsking
from gateway.processor import Processor
from gateway.reconciler import Reconciler
from gateway.redaction import Redaction
from gateway.rest import rest_api
from gateway.role import Role
from gateway.settings import MetricsSettings, Settings
from gateway.sources import paces, webhook_endpoints
from gateway.subscribers.telling import telling, watch_of
from gateway.telegram_bot import open_bot
from gateway.telegram_webhooks import keep_telling, wanted_webhooks
from gateway.timer_clock import TimerClock
from gateway.worker import Worker
from routers.allowance import Allowance
from routers.asker import open_asker
from routers.dependencies import Edge, MetricsPage, TelegramEndpoint
from routers.verification import Secret
from state.connection import Durability, connect, server_facts
from state.counts import Counts
from state.durability import Confirmation, must_confirm
from state.ending import ended
from state.errors import StoreUnavailable
from state.expectations import Expectations
from state.faults import now_ms
from state.feed import Feed
from state.grouping import GroupedCalls
from state.inbox import Inbox
from state.inquiries import Inquiries
from state.keys import Keys
from state.layout import fix_layout
from state.lease import Leases
from state.onlookers import Onlookers
from state.overdue import Overdue
from state.pressure import Pressure
from state.provider_objects import ProviderObjects
from state.scripts import Scripts
from state.storage import ConversationStorage
from state.sweeper import Sweeper
from state.timers import Timers
from state.wake import wake_ups
from state.webhook_log import WebhookLog

log = structlog.get_logger(__name__)

#: How long the progress of a provider's object is remembered; longer than any provider repeats or disputes.
REMEMBER_RANK_FOR = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Runtime:
    """The running parts of one process."""

    redis: Redis
    container: Container
    edge: Edge
    worker: Worker | None
    drain_limit: timedelta

    async def drain(self) -> None:
        """Take no more calls, finish what runs within the limit, and give the leases back. Again: nothing."""
        self.edge.draining = True
        if self.worker is not None:
            await self.worker.stop(self.drain_limit)


@asynccontextmanager
async def running(
    gateway: Gateway, settings: Settings, redis_url: str, role: Role = Role.ALL
) -> AsyncIterator[Runtime]:
    """
    Open every part, and close them in reverse: first the worker, then the bots, last Redis.

    Raises:
        StoreUnavailable: Redis does not answer.
        StoreMisconfigured: this Redis cannot hold the guarantees.
        PartitionsChanged: the store was laid out for another number of partitions.
    """
    async with AsyncExitStack() as stack:
        redis = await connect(redis_url)
        stack.push_async_callback(redis.aclose)
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        keys = Keys(settings.redis.prefix, settings.redis.partitions)
        calls = GroupedCalls(redis)
        stack.push_async_callback(calls.aclose)
        await fix_layout(calls, keys)
        facts = await server_facts(redis)
        confirmed = settings.redis.wants_disk and must_confirm(facts)
        scripts = Scripts(calls, keys, worker=name, watch=watch_of(settings, gateway))
        storage = ConversationStorage(
            redis,
            scripts=scripts,
            expires_after=settings.expiry.conversation,
            draft_expires_after=settings.expiry.draft,
            clear_keeps_drafts=settings.state.clear_keeps_drafts,
        )
        bots = {bot.id: bot for bot in map(open_bot, settings.telegram.bots.values())}
        for bot in bots.values():
            stack.push_async_callback(bot.session.close)
        outgoing = Outgoing.of(settings, scripts)
        outgoing.pace(bots.values())
        stack.push_async_callback(outgoing.limits.close)
        gateway.bind({name: bot.bot_id for name, bot in settings.telegram.bots.items()})
        container = Container(
            storage, bots, gateway.features_of, guards=gateway.guards, strategy=gateway.strategy
        )
        decisions = Decisions(gateway, container, Expectations(calls, keys))
        worker = None
        pressure = Pressure(scripts, oldest=settings.limits.inbox_age)
        measuring = asyncio.create_task(pressure.watch(), name="pressure")
        stack.push_async_callback(ended, measuring)
        stack.push_async_callback(_write_last, scripts.counts)
        inbox = Inbox(
            scripts,
            keep_unresolved=settings.expiry.unresolved,
            most_events=settings.limits.inbox_events,
            pressure=pressure,
            confirmation=_confirmation(redis, keys, disk=confirmed, replicas=settings.redis.replicas),
        )
        if role.works:
            worker = _worker(
                gateway, settings, container, inbox, scripts, outgoing=outgoing, decisions=decisions
            )
            inbox.work_here(worker.would_begin, worker.hand, worker.notice_urgent)
            listening = asyncio.create_task(_listen(redis, keys, worker), name="wake-ups")
            stack.push_async_callback(ended, listening)
            worker.start()
            stack.push_async_callback(worker.stop, settings.worker.drain)
            worker.on_told = await stack.enter_async_context(
                telling(settings, calls, keys, lambda: worker.held, now_ms)
            )
        streams = await stack.enter_async_context(bridging(settings, redis, inbox, name, reads=role.works))
        if role.listens and (wanted := wanted_webhooks(settings, gateway)):
            telling_telegram = keep_telling(bots, wanted, WebhookLog(calls, keys, process=name))
            stack.push_async_callback(ended, asyncio.create_task(telling_telegram, name="webhooks"))
        onlookers = Onlookers(Feed(redis, calls, keys))
        stack.push_async_callback(onlookers.close)
        sources = webhook_endpoints(settings)
        asker = await stack.enter_async_context(open_asker())
        container.reconciler = Reconciler(sources, asker, inbox, Inquiries(calls, keys))
        if role.works:
            await stack.enter_async_context(container.reconciler.working(paces(settings)))
            asking = OverdueAsking(
                container.reconciler,
                Overdue(calls, keys),
                paces(settings),
                partitions=keys.partitions,
                now_ms=now_ms,
            )
            await stack.enter_async_context(asking.working())
        edge = Edge(
            inbox=inbox,
            telegram=_telegram(gateway, settings) if role.listens else {},
            webhooks=sources if role.listens else {},
            api=rest_api(gateway, settings, container, scripts=scripts, inbox=inbox, onlookers=onlookers),
            body_limit_bytes=settings.web.body_limit_bytes,
            objects=ProviderObjects(calls, keys),
            decider=decisions,
            asker=asker,
            trusted_proxies=settings.web.trusted_proxies,
            counts=scripts.counts,
            metrics=_metrics_page(settings.metrics, Metrics(scripts.counts, pressure, streams)),
            durability=(Durability.ALWAYS if confirmed else facts.durability).value,
        )
        yield Runtime(redis, container, edge, worker, settings.worker.drain)


def _worker(
    gateway: Gateway,
    settings: Settings,
    container: Container,
    inbox: Inbox,
    scripts: Scripts,
    *,
    outgoing: Outgoing,
    decisions: Decisions,
) -> Worker:
    delivery = outgoing.delivery(container.bots, is_garbage=gateway.is_garbage, now_ms=now_ms)
    processor = Processor(
        Handling(gateway, container, outgoing.chats, decisions),
        scripts,
        container.storage,
        conversation_expires_after=settings.expiry.conversation,
        handler_limit=settings.worker.handler_limit,
        retries=settings.retries.policies,
        redact=Redaction(settings.secrets()).text,
        remember_rank_for=REMEMBER_RANK_FOR,
        now_ms=now_ms,
    )
    return Worker(
        Leases(scripts, settings.worker.lease),
        inbox,
        processor,
        delivery,
        sweeper=Sweeper(
            scripts,
            give_up_unresolved_after=settings.expiry.unresolved,
            forget_dead_letters_after=settings.expiry.dead_letter,
        ),
        counts=scripts.counts,
        clock=TimerClock(Timers(scripts), now_ms=now_ms),
        partitions=settings.redis.partitions,
        concurrency=settings.worker.concurrency,
        answer_within=settings.worker.answer_within,
        now_ms=now_ms,
    )


def _telegram(gateway: Gateway, settings: Settings) -> Mapping[int, TelegramEndpoint]:
    return {
        bot.bot_id: TelegramEndpoint(
            bot.bot_id,
            [Secret(bot.secret_token.get_secret_value().encode())],
            strategy=gateway.strategy,
            body_limit_bytes=settings.web.body_limit_bytes,
            allowance=_allowance(bot.rate_per_second),
        )
        for bot in settings.telegram.bots.values()
    }


def _allowance(per_second: float | None) -> Allowance | None:
    return Allowance(per_second) if per_second is not None else None


def _confirmation(redis: Redis, keys: Keys, *, disk: bool, replicas: int) -> Confirmation | None:
    return Confirmation(redis, keys, disk=disk, replicas=replicas) if disk or replicas else None


def _metrics_page(settings: MetricsSettings, metrics: Metrics) -> MetricsPage | None:
    if settings.token is not None:
        return MetricsPage(metrics.text, settings.token.get_secret_value().encode())
    return MetricsPage(metrics.text) if settings.open else None


async def _write_last(counts: Counts) -> None:
    with suppress(StoreUnavailable):
        await counts.write()


async def _listen(redis: Redis, keys: Keys, worker: Worker) -> None:
    async for word in wake_ups(redis, keys, worker.name):
        worker.woken(word)
