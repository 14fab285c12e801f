"""Settings: file, environment, indirection; and every problem told at once, without a secret in it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, load_settings

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
BOT = f"""
[telegram.bots.main]
token = "{TOKEN}"
secret_token = "a-secret_token"
"""
KINDS = ("stripe", "calcom")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the configuration of a test goes."""
    return tmp_path / "gateway.toml"


def _loaded(file: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ or {}, source_kinds=KINDS)


def _problems(file: Path, text: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refusal:
        _loaded(file, text, environ)
    return refusal.value.problems


def test_a_bot_is_all_that_must_be_configured(file: Path) -> None:
    """All else has a default, and an absent Redis means the embedded one."""
    settings = _loaded(file, BOT)

    assert settings.telegram.bots["main"].bot_id == 123456789
    assert settings.redis.url is None
    assert settings.redis.partitions == 64
    assert settings.worker.lease == timedelta(seconds=10)
    assert settings.expiry.conversation == timedelta(days=90)
    assert settings.expiry.draft is None
    assert not settings.state.clear_keeps_drafts


def test_env_points_to_a_variable_of_the_environment(file: Path) -> None:
    """Secrets need not be in the file, wherever they stand in it."""
    settings = _loaded(
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
    settings = _loaded(file, BOT + '[web]\nhost = "0.0.0.0"\nport = 1\n', {"GATEWAY_WEB__PORT": "2"})

    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 2)


def test_every_problem_is_told_at_once(file: Path) -> None:
    """One run, one list: nobody mends a configuration line by line."""
    problems = _problems(
        file,
        """
        [telegram.bots.main]
        token = "env:BOT_TOKEN"
        [sources.stripe]
        kind = "strip"
        secrets = []
        [redis]
        partitions = 999
        [web]
        prot = 80
        """,
    )

    assert [problem.partition(":")[0] for problem in problems] == [
        "telegram.bots.main.token",
        "sources.stripe.kind",
        "telegram.bots.main.secret_token",
        "sources.stripe.secrets",
        "redis.partitions",
        "web.prot",
    ]
    assert all("\n" not in problem for problem in problems)


@pytest.mark.parametrize(
    "text, problem",
    [
        ("[wbe]\n", "wbe: is not a setting; did you mean web?"),
        ("[web]\nprot = 1\n", "web.prot: is not a setting; did you mean port?"),
        (
            "[redis]\nzzz = 1\n",
            (
                "redis.zzz: is not a setting; possible are data_dir, durability, partitions, prefix, "
                "replicas, url"
            ),
        ),
        (
            '[telegram.bots.two]\ntokn = "x"\n',
            "telegram.bots.two.tokn: is not a setting; did you mean token?",
        ),
        (
            '[sources.s]\nkind = "stripe"\nsecrets = [{value = "x", not_befor = 1}]\n',
            "sources.s.secrets[0].not_befor: is not a setting; did you mean not_before?",
        ),
        (
            '[sources.s]\nkind = "stripe"\nsecrets = [{value = "x", not_after = 2030-01-01T00:00:00}]\n',
            "sources.s.secrets[0].not_after: needs its zone; write it as 2030-01-31T00:00:00Z",
        ),
        (
            '[sources.s]\nkind = "strip"\nsecrets = ["x"]\n',
            "sources.s.kind: is not a kind of source; did you mean stripe?",
        ),
        ('[sources.s]\nkind = "stripe"\nsecrets = [""]\n', "sources.s.secrets[0].value: must not be empty;"),
        ('[web]\nport = "x"\n', "web.port: must be a whole number"),
        ("[web]\nport = 65536\n", "web.port: must be at most 65535"),
        ("[web]\nbody_limit_bytes = 1\n", "web.body_limit_bytes: must be at least 1024"),
        (
            '[web]\npublic_url = "example"\n',
            "web.public_url: is not an address; give it as https://host/path",
        ),
        (
            '[redis]\nurl = "localhost"\n',
            "redis.url: must begin with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://",
        ),
        ('[redis]\ndurability = "no"\n', "redis.durability: must be 'everysec' or 'always'"),
        ('[telegram.bots.Main]\ntoken = "x"\n', "telegram.bots.Main: is not a name;"),
        ("sources = 1\n", "sources: must be a table of its own"),
    ],
)
def test_a_problem_names_the_key_and_the_remedy(file: Path, text: str, problem: str) -> None:
    """What an operator types wrong is answered with what to type."""
    problems = _problems(file, text + BOT)

    assert any(line.startswith(problem) for line in problems), problems


def test_a_missing_value_is_told_with_both_ways_to_set_it(file: Path) -> None:
    """In the file, or as a variable of the environment."""
    problems = _problems(file, f'[telegram.bots.main]\ntoken = "{TOKEN}"\n')

    assert problems == (
        (
            "telegram.bots.main.secret_token: is missing; set it in gateway.toml, or as "
            "GATEWAY_TELEGRAM__BOTS__MAIN__SECRET_TOKEN"
        ),
    )


@pytest.mark.parametrize("text", ["", "[telegram]\n", "[telegram.bots]\n"])
def test_no_bot_at_all_is_told_with_what_to_add(file: Path, text: str) -> None:
    """An empty file is the first thing that a newcomer has."""
    (problem,) = _problems(file, text)

    assert problem.endswith("no bot is configured; add [telegram.bots.main] with token and secret_token")


@pytest.mark.parametrize("environ, state", [({}, "not set"), ({"BOT": ""}, "empty")])
def test_a_variable_that_is_not_there_is_told_by_name(
    file: Path, environ: Mapping[str, str], state: str
) -> None:
    """Once, and not a second time as a wrong value."""
    problems = _problems(file, '[telegram.bots.main]\ntoken = "env:BOT"\nsecret_token = "s"\n', environ)

    assert problems == (f"telegram.bots.main.token: the environment variable BOT is {state}; export BOT=...",)


def test_a_wrong_value_from_the_environment_is_told_with_its_variable(file: Path) -> None:
    """The file looks right then; the variable must be named."""
    problems = _problems(file, BOT, {"GATEWAY_WEB__PORT": "x", "GATEWAY_WBE__PORT": "1"})

    assert problems == (
        "GATEWAY_WBE__PORT: is not a setting; did you mean web?",
        "web.port (from GATEWAY_WEB__PORT): must be a whole number",
    )


@pytest.mark.parametrize("secret", ["", "two words", "ünïcode", "x" * 257, "semi;colon"])
def test_a_secret_token_that_telegram_would_refuse_is_refused(file: Path, secret: str) -> None:
    """1 to 256 of A-Z a-z 0-9 _ -, as setWebhook has it."""
    (problem,) = _problems(file, f'[telegram.bots.main]\ntoken = "{TOKEN}"\nsecret_token = "{secret}"\n')

    assert problem.startswith("telegram.bots.main.secret_token: must be 1 to 256 of the characters")


@pytest.mark.parametrize("secret", ["x", "A-Za-z0-9_-", "x" * 256])
def test_a_secret_token_that_telegram_takes_is_taken(file: Path, secret: str) -> None:
    """Both ends of the permitted length."""
    settings = _loaded(file, f'[telegram.bots.main]\ntoken = "{TOKEN}"\nsecret_token = "{secret}"\n')

    assert settings.telegram.bots["main"].secret_token.get_secret_value() == secret


@pytest.mark.parametrize("token", ["", "123456789", ":abc", "x:abc", "1:", "1:a b", "\uff11:abc"])
def test_what_is_no_token_is_refused(file: Path, token: str) -> None:
    """The digits before the colon are the bot's id, on which everything is keyed."""
    (problem,) = _problems(file, f'[telegram.bots.main]\ntoken = "{token}"\nsecret_token = "s"\n')

    assert problem.startswith("telegram.bots.main.token: is not a bot token")


def test_one_bot_under_two_names_is_refused(file: Path) -> None:
    """Its updates would have two homes."""
    (problem,) = _problems(file, BOT + BOT.replace("main", "again"))

    assert problem == "telegram: main and again are the same bot; remove one of them"


def test_a_secret_that_is_never_valid_is_refused(file: Path) -> None:
    """Swapped dates would close the endpoint without a word."""
    text = """
    [sources.s]
    kind = "stripe"
    secrets = [{value = "x", not_before = 2031-01-01T00:00:00Z, not_after = 2030-01-01T00:00:00Z}]
    """

    (problem,) = _problems(file, text + BOT)

    assert problem == "sources.s.secrets[0]: is never valid; not_before must be earlier than not_after"


def test_no_secret_is_ever_repeated(file: Path) -> None:
    """Not in a problem, not in a representation."""
    problems = _problems(
        file,
        """
        [telegram.bots.main]
        token = "geheim token"
        secret_token = "geheim secret"
        [sources.s]
        kind = "stripe"
        secrets = [["geheim"], {value = 5, not_after = "geheim"}]
        [redis]
        url = "geheim://user:geheim@host"
        """,
        {"GATEWAY_SOURCES__T__SECRETS": "[geheim", "GATEWAY_WEB__PORT": "geheim"},
    )
    assert "geheim" not in "\n".join(problems)

    settings = _loaded(
        file, BOT + '[sources.s]\nkind = "stripe"\nsecrets = ["geheim"]\n[redis]\nurl = "redis://:geheim@h"\n'
    )
    assert "geheim" not in repr(settings) + str(settings)
    assert TOKEN not in repr(settings)
    assert set(settings.secrets()) == {TOKEN, "a-secret_token", "geheim", "redis://:geheim@h"}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By the path that was looked at."""
    with pytest.raises(SettingsError) as refusal:
        load_settings(tmp_path / "absent.toml", {})

    assert str(refusal.value).startswith(f"{tmp_path / 'absent.toml'}: there is no such file;")


def test_what_is_no_toml_is_told_with_its_line(file: Path) -> None:
    """The parser knows where."""
    (problem,) = _problems(file, "[web]\nport = \n")

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
