"""Google's notifications, all of them headers: https://developers.google.com/workspace/calendar/api/guides/push."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

import orjson

from routers.provider import Example
from routers.sent import Sent


def rewrite(sent: Sent, secret: bytes, at: datetime, url: str) -> Sent:  # noqa: ARG001 - nothing is signed
    """The example as Google sends it: its facts in headers, the secret shown beside them, and no body."""
    facts = orjson.loads(sent.body)
    headers = tuple((f"X-Goog-{name}", value) for name, value in facts.items())
    return Sent(b"", (*headers, ("X-Goog-Channel-Token", secret.decode())))


def _notification(state: str, example: Example) -> bytes:
    number = "1" if state == "sync" else "2"
    return orjson.dumps(
        {
            "Channel-ID": example.token,
            "Message-Number": number,
            "Resource-ID": example.object_id or "ret08u3rv24htgh289g",
            "Resource-State": state,
            "Resource-URI": "https://www.googleapis.com/calendar/v3/calendars/primary/events",
        }
    )


EXAMPLES: Final[Mapping[str, Callable[[Example], bytes]]] = {
    state: partial(_notification, state) for state in ("sync", "exists", "not_exists")
}
"""One for each of Google's states; the signer makes headers of it."""
