"""A request whose body is still on its way, and the raw body within its limit."""

from starlette.requests import Request

from routers.problems import BODY_COMPRESSED, BODY_INCOMPLETE, BODY_TOO_LARGE, Rejected


class Incoming(Request):
    """A request that knows whether it has come whole."""

    has_come = False

    async def read(self, limit_bytes: int) -> bytes:
        """
        All bytes of the body.

        Raises:
            Rejected: as `read_body`.
        """
        body = await read_body(self, limit_bytes)
        self.has_come = True
        return body


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """
    All bytes of the body, never holding more than the limit and one chunk.

    Raises:
        Rejected: the body is over the limit, compressed (neither its signature nor the limit would fit what
            it unpacks to), or the caller went away.
    """
    for name, value in request.scope["headers"]:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise Rejected(BODY_COMPRESSED)
        if name == b"content-length" and value.isdigit() and (len(value) > 18 or int(value) > limit_bytes):
            raise Rejected(BODY_TOO_LARGE)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Rejected(BODY_INCOMPLETE)
        chunk = message.get("body", b"")
        size, more = size + len(chunk), message.get("more_body", False)
        if size > limit_bytes:
            raise Rejected(BODY_TOO_LARGE)
        chunks.append(chunk)
    return b"".join(chunks)
