"""An answer that is the same for many calls, made once."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class StandingAnswer(Response):
    """
    A response that any number of calls share.

    Each gets a list of headers of its own: a middleware may add to it.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - Starlette's
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers.copy(),
        }
        await send(start)
        await send({"type": "http.response.body", "body": self.body})
