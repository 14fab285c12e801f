"""The page for people: whole, and with nothing from elsewhere."""

import re
from html import unescape
from pathlib import Path

from tests.http.rest.conftest import Rest
from tests.http.rest.examples import METHODS, document


async def test_the_page_shows_every_operation_and_needs_no_other_server(rest: Rest) -> None:
    """No script, no picture, no font, no link that leaves this server; a browser is told to allow none."""
    answer = await rest.client.get("/docs")

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in answer.text
    assert {
        link for link in re.findall(r'(?:href|src)="([^"]*)"', answer.text) if not link.startswith("#")
    } == {"openapi.json"}
    assert (await rest.client.get("/openapi.json")).status_code == 200
    shown = set(re.findall(r'<h3 id="(\w+)"', answer.text))
    assert shown >= {
        operation["operationId"]
        for operations in document()["paths"].values()
        for method, operation in operations.items()
        if method in METHODS
    }
    assert '"type": "shop.order"' in unescape(answer.text)


def test_the_client_that_the_documentation_uses_has_what_it_calls() -> None:
    """A generator makes a module of each tag, a function of each operation; `make client` runs the lines."""
    text = (Path(__file__).parents[3] / "docs" / "rest.md").read_text("utf-8")
    described = {
        (tag, operation["operationId"])
        for operations in document()["paths"].values()
        for method, operation in operations.items()
        if method in METHODS
        for tag in operation.get("tags", ())
    }

    used = {
        (tag, name)
        for tag, names in re.findall(r"^from gateway_client\.api\.(\w+) import (.+)$", text, re.MULTILINE)
        for name in names.split(", ")
    }

    assert len(used) >= 3
    assert used <= described
