"""Every problem of a configuration is told at once, with its remedy, without a secret in it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.settings_file import BOT, TOKEN, loaded, problems_of


def test_every_problem_is_told_at_once(file: Path) -> None:
    """One run, one list: nobody mends a configuration line by line."""
    problems = problems_of(
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
    problems = problems_of(file, text + BOT)

    assert any(line.startswith(problem) for line in problems), problems


def test_a_missing_value_is_told_with_both_ways_to_set_it(file: Path) -> None:
    """In the file, or as a variable of the environment."""
    problems = problems_of(file, f'[telegram.bots.main]\ntoken = "{TOKEN}"\n')

    assert problems == (
        (
            "telegram.bots.main.secret_token: is missing; set it in gateway.toml, or as "
            "GATEWAY_TELEGRAM__BOTS__MAIN__SECRET_TOKEN"
        ),
    )


@pytest.mark.parametrize("environ, state", [({}, "not set"), ({"BOT": ""}, "empty")])
def test_a_variable_that_is_not_there_is_told_by_name(
    file: Path, environ: Mapping[str, str], state: str
) -> None:
    """Once, and not a second time as a wrong value."""
    problems = problems_of(file, '[telegram.bots.main]\ntoken = "env:BOT"\nsecret_token = "s"\n', environ)

    assert problems == (f"telegram.bots.main.token: the environment variable BOT is {state}; export BOT=...",)


def test_a_wrong_value_from_the_environment_is_told_with_its_variable(file: Path) -> None:
    """The file looks right then; the variable must be named."""
    problems = problems_of(file, BOT, {"GATEWAY_WEB__PORT": "x", "GATEWAY_WBE__PORT": "1"})

    assert problems == (
        "GATEWAY_WBE__PORT: is not a setting; did you mean web?",
        "web.port (from GATEWAY_WEB__PORT): must be a whole number",
    )


def test_a_secret_that_is_never_valid_is_refused(file: Path) -> None:
    """Swapped dates would close the endpoint without a word."""
    text = """
    [sources.s]
    kind = "stripe"
    secrets = [{value = "x", not_before = 2031-01-01T00:00:00Z, not_after = 2030-01-01T00:00:00Z}]
    """

    (problem,) = problems_of(file, text + BOT)

    assert problem == "sources.s.secrets[0]: is never valid; not_before must be earlier than not_after"


def test_no_secret_is_ever_repeated(file: Path) -> None:
    """Not in a problem, not in a representation."""
    problems = problems_of(
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

    settings = loaded(
        file, BOT + '[sources.s]\nkind = "stripe"\nsecrets = ["geheim"]\n[redis]\nurl = "redis://:geheim@h"\n'
    )
    assert "geheim" not in repr(settings) + str(settings)
    assert TOKEN not in repr(settings)
    assert set(settings.secrets()) == {TOKEN, "a-secret_token", "geheim", "redis://:geheim@h"}
