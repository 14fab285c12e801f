"""The raw body of a request, within its limit."""

from starlette.requests import ClientDisconnect, Request

from routers.problems import BODY_COMPRESSED, BODY_INCOMPLETE, BODY_TOO_LARGE, Rejected


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """
    All bytes of the body, never holding more than the limit and one chunk.

    Raises:
        Rejected: the body is over the limit, compressed (neither its signature nor the limit would fit what
            it unpacks to), or the caller went away.
    """
    encoding = request.headers.get("content-encoding")
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise Rejected(BODY_COMPRESSED)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit_bytes):
        raise Rejected(BODY_TOO_LARGE)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit_bytes:
                raise Rejected(BODY_TOO_LARGE)
            chunks.append(chunk)
    except ClientDisconnect:
        raise Rejected(BODY_INCOMPLETE) from None
    return b"".join(chunks)
