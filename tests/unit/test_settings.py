"""Settings: from a file, from the environment, by indirection."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.settings import SettingsError, load_settings
from tests.unit.settings_file import BOT, KINDS, TOKEN, loaded, problems_of


def test_a_bot_is_all_that_must_be_configured(file: Path) -> None:
    """All else has a default, and an absent Redis means the embedded one."""
    settings = loaded(file, BOT)

    assert settings.telegram.bots["main"].bot_id == 123456789
    assert settings.redis.url is None
    assert settings.redis.partitions == 64
    assert settings.worker.lease == timedelta(seconds=10)
    assert settings.expiry.conversation == timedelta(days=90)
    assert settings.expiry.draft is None
    assert not settings.state.clear_keeps_drafts


def test_env_points_to_a_variable_of_the_environment(file: Path) -> None:
    """Secrets need not be in the file, wherever they stand in it."""
    settings = loaded(
        file,
        """
        [telegram.bots.main]
        token = "env:BOT_TOKEN"
        secret_token = "env:BOT_SECRET"
        [sources.stripe]
        kind = "stripe"
        secrets = ["env:OLD", {value = "env:NEW", not_before = 2030-01-31T00:00:00Z}]
        [redis]
        url = "env:REDIS"
        """,
        {
            "BOT_TOKEN": TOKEN,
            "BOT_SECRET": "s",
            "OLD": "whsec_old",
            "NEW": "whsec_new",
            "REDIS": "rediss://user:pass@redis.example:6380/1",
        },
    )

    old, new = settings.sources["stripe"].secrets
    assert old.value.get_secret_value() == "whsec_old"
    assert new.value.get_secret_value() == "whsec_new"
    assert new.not_before == datetime(2030, 1, 31, tzinfo=UTC)
    assert settings.redis.url is not None
    assert settings.redis.url.get_secret_value().startswith("rediss://user:pass@")


def test_the_environment_alone_is_enough() -> None:
    """A container needs no file: names are nested with two underscores, lists are JSON."""
    settings = load_settings(
        None,
        {
            "GATEWAY_TELEGRAM__BOTS__MAIN__TOKEN": TOKEN,
            "GATEWAY_TELEGRAM__BOTS__MAIN__SECRET_TOKEN": "env:ELSEWHERE",
            "ELSEWHERE": "secret",
            "GATEWAY_SOURCES__STRIPE__KIND": "stripe",
            "GATEWAY_SOURCES__STRIPE__SECRETS": '["whsec_a", {"value": "whsec_b"}]',
            "GATEWAY_WEB__PORT": "9000",
        },
        source_kinds=KINDS,
    )

    assert settings.telegram.bots["main"].secret_token.get_secret_value() == "secret"
    assert [s.value.get_secret_value() for s in settings.sources["stripe"].secrets] == ["whsec_a", "whsec_b"]
    assert settings.web.port == 9000


def test_one_secret_in_the_environment_needs_no_json() -> None:
    """The usual case is written the usual way."""
    settings = load_settings(
        None,
        {
            "GATEWAY_TELEGRAM__BOTS__MAIN__TOKEN": TOKEN,
            "GATEWAY_TELEGRAM__BOTS__MAIN__SECRET_TOKEN": "secret",
            "GATEWAY_SOURCES__STRIPE__KIND": "stripe",
            "GATEWAY_SOURCES__STRIPE__SECRETS": "whsec_a",
        },
    )

    assert [s.value.get_secret_value() for s in settings.sources["stripe"].secrets] == ["whsec_a"]


def test_the_environment_wins_over_the_file_key_by_key(file: Path) -> None:
    """One value is overridden, its neighbours stay."""
    settings = loaded(file, BOT + '[web]\nhost = "0.0.0.0"\nport = 1\n', {"GATEWAY_WEB__PORT": "2"})

    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 2)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By the path that was looked at."""
    with pytest.raises(SettingsError) as refusal:
        load_settings(tmp_path / "absent.toml", {})

    assert str(refusal.value).startswith(f"{tmp_path / 'absent.toml'}: there is no such file;")


def test_what_is_no_toml_is_told_with_its_line(file: Path) -> None:
    """The parser knows where."""
    (problem,) = problems_of(file, "[web]\nport = \n")

    assert problem.startswith(f"{file}: is not TOML:")
    assert "line 2" in problem


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A directory, or bytes that are no text."""
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path, {})
    binary = tmp_path / "gateway.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load_settings(binary, {})
