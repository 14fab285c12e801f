"""One request as a provider sends it: what makes examples genuine."""

from dataclasses import dataclass, field
from urllib.parse import quote

from routers.call import Call


@dataclass(frozen=True, slots=True)
class Sent:
    """
    A whole request, signed: a signature may stand in a header, in the body, in the query or in the path.

    *remote_address* is one that the provider sends from. *path_secret* follows the source's address.
    """

    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    method: str = "POST"
    path_secret: str = field(default="", repr=False)
    remote_address: str = ""

    def target(self, source_url: str) -> str:
        """Where the request goes, if *source_url* is the address of the source."""
        path = f"{source_url}/{quote(self.path_secret, safe='')}" if self.path_secret else source_url
        return f"{path}?{self.query}" if self.query else path

    def as_call(self, *, public_url: str = "", evidence: bytes = b"", fetched: bytes | None = None) -> Call:
        """The request as the edge would read it."""
        return Call(
            self.body,
            tuple((name.lower().encode(), value.encode("latin-1")) for name, value in self.headers),
            self.query.encode(),
            self.remote_address,
            self.method,
            public_url=public_url,
            path_secret=self.path_secret,
            evidence=evidence,
            fetched=fetched,
        )
