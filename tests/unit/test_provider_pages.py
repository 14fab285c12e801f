"""The page of each provider: it is there, and the configuration that it shows is valid."""

import re
from pathlib import Path

import pytest

from gateway.settings import load_settings
from routers.registry import providers

PAGES = Path("docs/providers")
FENCED = re.compile(r"^( *)```toml\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
BOT = '[telegram.bots.main]\ntoken = "42:demo"\nsecret_token = "secret"\n'


def shown() -> dict[str, list[str]]:
    """Every piece of configuration on the pages, by the kind that it configures."""
    found: dict[str, list[str]] = {}
    for page in sorted(PAGES.glob("*.md")):
        for _, block in FENCED.findall(page.read_text(encoding="utf-8")):
            for kind in re.findall(r'^ *kind = "([^"]+)"', block, re.MULTILINE):
                found.setdefault(kind, []).append(block)
    return found


@pytest.mark.parametrize("kind", providers())
def test_each_provider_has_a_page_with_a_valid_configuration(kind: str, tmp_path: Path) -> None:
    """Copied as it stands, with the secrets in the environment; and the index leads to it."""
    blocks = shown().get(kind, [])
    assert blocks, f"no page of docs/providers shows a source of kind {kind}"
    assert f"`{kind}`" in (PAGES / "README.md").read_text(encoding="utf-8")
    options = {name: provider.options for name, provider in providers().items()}
    for block in blocks:
        file = tmp_path / "gateway.toml"
        file.write_text(BOT + block, encoding="utf-8")
        environ = dict.fromkeys(re.findall(r"env:(\w+)", block), "whsec_c2VjcmV0")

        settings = load_settings(file, environ, source_kinds=tuple(options), source_options=options)

        for source in settings.sources.values():
            providers()[source.kind].configured(source.options)


def test_every_link_of_the_index_leads_to_a_page() -> None:
    """Relative ones."""
    links = re.findall(r"\]\(([^)#:]+\.md)\)", (PAGES / "README.md").read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (PAGES / link).exists()] == []
