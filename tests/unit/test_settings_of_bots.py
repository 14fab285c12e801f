"""What Telegram would refuse is refused before it is asked."""

from pathlib import Path

import pytest

from tests.unit.settings_file import BOT, TOKEN, loaded, problems_of


@pytest.mark.parametrize("secret", ["", "two words", "ünïcode", "x" * 257, "semi;colon"])
def test_a_secret_token_that_telegram_would_refuse_is_refused(file: Path, secret: str) -> None:
    """1 to 256 of A-Z a-z 0-9 _ -, as setWebhook has it."""
    (problem,) = problems_of(file, f'[telegram.bots.main]\ntoken = "{TOKEN}"\nsecret_token = "{secret}"\n')

    assert problem.startswith("telegram.bots.main.secret_token: must be 1 to 256 of the characters")


@pytest.mark.parametrize("secret", ["x", "A-Za-z0-9_-", "x" * 256])
def test_a_secret_token_that_telegram_takes_is_taken(file: Path, secret: str) -> None:
    """Both ends of the permitted length."""
    settings = loaded(file, f'[telegram.bots.main]\ntoken = "{TOKEN}"\nsecret_token = "{secret}"\n')

    assert settings.telegram.bots["main"].secret_token.get_secret_value() == secret


@pytest.mark.parametrize("token", ["", "123456789", ":abc", "x:abc", "1:", "1:a b", "\uff11:abc"])
def test_what_is_no_token_is_refused(file: Path, token: str) -> None:
    """The digits before the colon are the bot's id, on which everything is keyed."""
    (problem,) = problems_of(file, f'[telegram.bots.main]\ntoken = "{token}"\nsecret_token = "s"\n')

    assert problem.startswith("telegram.bots.main.token: is not a bot token")


def test_one_bot_under_two_names_is_refused(file: Path) -> None:
    """Its updates would have two homes."""
    (problem,) = problems_of(file, BOT + BOT.replace("main", "again"))

    assert problem == "telegram: main and again are the same bot; remove one of them"


@pytest.mark.parametrize("text", ["", "[telegram]\n", "[telegram.bots]\n"])
def test_no_bot_at_all_is_told_with_what_to_add(file: Path, text: str) -> None:
    """An empty file is the first thing that a newcomer has."""
    (problem,) = problems_of(file, text)

    assert problem.endswith("no bot is configured; add [telegram.bots.main] with token and secret_token")
