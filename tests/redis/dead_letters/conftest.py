"""A bot that gives up soon, and its dead letters seen from outside."""

from typing import Any

import pytest

from gateway import Feature, dead_letter
from gateway.settings import ChatRetries, OtherRetries, RetriesSettings, Settings
from routers.event import OtherEvent
from state.dead_letters import DeadLetter, DeadLetters
from state.history import event_id
from state.standings import Outcomes, Standing
from tests.redis.conftest import Outside


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The bot's settings, with two runs for each event, one soon after the other."""
    fast: dict[str, Any] = {"attempts": 2, "first_seconds": 0.01, "longest_seconds": 0.01}
    retries = RetriesSettings(chat=ChatRetries(**fast), other=OtherRetries(**fast))
    return settings.model_copy(update={"retries": retries})


@pytest.fixture
def letters(outside: Outside) -> DeadLetters:
    """The dead letters, seen from another process."""
    return DeadLetters(outside.scripts)


async def only(letters: DeadLetters) -> DeadLetter:
    """Return the one dead letter that there is."""
    page = await letters.page()
    [letter] = page.events
    return letter


async def outcome_of(letter: DeadLetter, outside: Outside) -> Standing:
    """Return what its sender is told of the event."""
    assert letter.first_id is not None
    partition = int(letter.id[:2], 16)
    outcome = await Outcomes(outside.calls, outside.keys).of(event_id(partition, letter.first_id))
    assert outcome is not None
    return outcome.standing


def refusing() -> Feature:
    """Return a feature that gives up every order."""
    feature = Feature("shop")

    @feature.on("shop.order", state=[], otherwise=dead_letter)
    async def order(event: OtherEvent) -> None:
        raise AssertionError(event.type)

    return feature
