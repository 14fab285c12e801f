"""The page for people: whole, and with nothing from elsewhere."""

import re
from html import unescape

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
