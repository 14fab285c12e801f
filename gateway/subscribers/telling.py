"""The subscribers that the settings name, being told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.gateway import Gateway
from gateway.settings import Settings, SettingsError
from gateway.subscribers.post import Post
from gateway.subscribers.rules import RuleRefused, read_rule
from gateway.subscribers.teller import Teller
from state.ending import ended
from state.grouping import GroupedCalls
from state.keys import Keys
from state.subscribers import SubscriberLog
from state.watch import Watch, WatchRule


def watch_of(settings: Settings, gateway: Gateway) -> Watch:
    """
    Return who is to be told of which changes of state.

    Raises:
        SettingsError: a rule names a state that no feature has.
    """
    features = {name: feature.states for name, feature in gateway.features.items()}
    rules: list[WatchRule] = []
    problems = []
    for name, subscriber in settings.subscribers.items():
        for place, text in enumerate(subscriber.on):
            try:
                rules.append(read_rule(text, name, states=gateway.states, features=features))
            except RuleRefused as refused:
                problems.append(f"subscribers.{name}.on[{place}]: {refused}")
    if problems:
        raise SettingsError(problems)
    length = settings.feed.length
    return Watch(
        feed_length=-(-length // settings.redis.partitions), keep_feed_for=settings.feed.keep, rules=rules
    )


@asynccontextmanager
async def telling(
    settings: Settings,
    calls: GroupedCalls,
    keys: Keys,
    held: Callable[[], frozenset[int]],
    now_ms: Callable[[], int],
) -> AsyncIterator[Callable[[], None]]:
    """Tell all subscribers, for the partitions that are *held*; yield what to call when there is news."""
    async with AsyncExitStack() as stack:
        tellers: list[Teller] = []
        for name, subscriber in settings.subscribers.items():
            post = Post(subscriber)
            stack.push_async_callback(post.close)
            teller = Teller(
                SubscriberLog(calls, keys, name),
                post,
                held=held,
                attempts=subscriber.attempts,
                concurrency=subscriber.concurrency,
                now_ms=now_ms,
            )
            tellers.append(teller)
            task = asyncio.create_task(teller.run(), name=f"subscriber {name}")
            stack.push_async_callback(ended, task)

        def notice() -> None:
            for teller in tellers:
                teller.notice()

        yield notice
