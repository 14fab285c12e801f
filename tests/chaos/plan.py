"""What the load process is to send, and what it has sent: JSON, since it is a process of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Self

import orjson

#: Whom each event comes from, by the key under which the bot writes it down.
SOURCES = ("telegram", "stripe", "calcom", "rest", "stream")
#: The stream lies in partition 0's slot, so that in a Cluster one node can say that it has an entry.
STREAM_KEY = "{00}:events"
STREAM_PARTITION = 0


@dataclass(frozen=True)
class Confirm:
    """What Redis must say of a write before it counts: on its disk, on so many replicas."""

    disk: bool = False
    replicas: int = 0

    @property
    def toml(self) -> str:
        """The same for the gateway's settings, in their section about Redis."""
        return f"""durability = "{"always" if self.disk else "everysec"}"\nreplicas = {self.replicas}"""


@dataclass(frozen=True)
class Plan:
    """*events* of each source for each user, and more for as long as the load's standard input is open."""

    bot_id: int
    bot_token: str
    webs: Sequence[str]
    redis_url: str
    confirm: Confirm
    api_key: str
    tokens: Mapping[int, str]
    """What each user's payments and bookings carry."""
    events: int

    def encode(self) -> bytes:
        """Return it as JSON."""
        return orjson.dumps(self, option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def decode(cls, packed: bytes) -> Self:
        """Return what `encode` was given."""
        fields = orjson.loads(packed)
        fields["confirm"] = Confirm(**fields["confirm"])
        fields["tokens"] = {int(user): token for user, token in fields["tokens"].items()}
        return cls(**fields)


@dataclass
class Sent:
    """What the senders know."""

    expected: dict[int, dict[str, list[str]]] = field(default_factory=dict)
    """By user and source: the events in the order in which they were sent."""
    acknowledged: int = 0
    ignored: int = 0
    """Acknowledged updates that no handler takes, besides."""
    refused: int = 0
    """Answers other than 2xx, and connections that broke."""

    @property
    def total(self) -> int:
        """How many events were sent."""
        return sum(len(names) for sources in self.expected.values() for names in sources.values())

    def encode(self) -> bytes:
        """Return it as JSON."""
        return orjson.dumps(asdict(self), option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def decode(cls, packed: bytes) -> Self:
        """Return what `encode` was given."""
        fields = orjson.loads(packed)
        fields["expected"] = {int(user): sources for user, sources in fields["expected"].items()}
        return cls(**fields)
