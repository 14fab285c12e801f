"""The pages about providers show configurations that work."""

import re
from pathlib import Path

import pytest

from gateway.settings import SettingsError, load_settings
from routers.registry import providers

PAGES = Path(__file__).parents[2] / "docs" / "providers"
SNIPPETS = [
    pytest.param(snippet, id=f"{page.stem}-{number}")
    for page in sorted(PAGES.glob("*.md"))
    for number, snippet in enumerate(
        re.findall(r"^ *```toml\n(.*?)^ *```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    )
]
BOT = '[telegram.bots.main]\ntoken = "1:a"\nsecret_token = "s"\n'
OPTIONS = {kind: provider.options for kind, provider in providers().items()}


def load(snippet: str, tmp_path: Path) -> set[str]:
    """The kinds of the sources in *snippet*, read as an operator's `gateway.toml`."""
    path = tmp_path / "gateway.toml"
    path.write_text(BOT + snippet, encoding="utf-8")
    environ = {name: f"value-of-{name}" for name in re.findall(r'"env:(\w+)"', snippet)}
    settings = load_settings(path, environ, source_kinds=tuple(OPTIONS), source_options=OPTIONS)
    for source in settings.sources.values():
        providers()[source.kind].configured(source.options)
    return {source.kind for source in settings.sources.values()}


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_what_a_page_shows_is_accepted(snippet: str, tmp_path: Path) -> None:
    """Copied as it stands, with the variables set that it names."""
    assert load(snippet, tmp_path)


def test_a_wrong_description_of_a_sender_is_told_in_a_line(tmp_path: Path) -> None:
    """With its place in the file and what to do, before anything listens."""
    snippet = """
[sources.shop]
kind = "hmac"
secrets = ["s"]
[sources.shop.options]
signature = {header = "X-Sig", signed = "{timestamp}.{body}"}
read = {type = "data[", id = "id"}
"""
    with pytest.raises(SettingsError) as caught:
        load(snippet, tmp_path)

    signature, read = sorted(caught.value.problems, reverse=True)
    assert signature.startswith("sources.shop.options.signature: signed: holds {timestamp}; say where")
    assert read.startswith("sources.shop.options.read.type: is not JMESPath")


def test_every_kind_has_a_row_in_the_index() -> None:
    """So that whoever looks for a provider finds it."""
    index = (PAGES / "README.md").read_text("utf-8")
    listed = set(re.findall(r"\| `([a-z-]+)` \|", index))

    assert listed >= set(providers())
