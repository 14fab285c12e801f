"""Processes that cannot be started: tried again for a while, and then given up with an exit code."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway import process_group
from gateway.process_group import ProcessGroup
from gateway.role import Role
from gateway.settings import BotSettings, Settings, TelegramSettings
from tests.acceptance.failing_member import STARTS, fail

SETTINGS = Settings(
    telegram=TelegramSettings(
        bots={"main": BotSettings(token=SecretStr("42:AA"), secret_token=SecretStr("s"))}
    )
)


async def test_a_process_that_cannot_be_started_ends_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started again, so often as the limit says; then the group ends, and not with 0."""
    starts = tmp_path / "starts"
    monkeypatch.setenv(STARTS, str(starts))
    monkeypatch.setattr(process_group, "run_member", fail)
    monkeypatch.setattr(process_group, "PAUSE_BEFORE_ANOTHER", timedelta(milliseconds=10))
    monkeypatch.setattr(process_group, "MOST_FAILED_STARTS", 2)

    code = await ProcessGroup("mybot:gateway", SETTINGS, "redis://nowhere", Role.WORKER, None, size=1).run()

    assert code == 1
    assert starts.read_text().split() == ["start"] * 2
