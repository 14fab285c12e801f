"""What can go wrong with the store, in our words: nobody above `state` sees an exception of redis-py."""

from collections.abc import Sequence


class GatewayStateError(Exception):
    """The state layer could not do what was asked."""


class StoreUnavailable(GatewayStateError):
    """Redis did not answer, or not now; what was to be written is stored whole or not at all."""

    def __init__(self, retry_after_seconds: int = 1, *, reason: str = "Redis did not answer") -> None:
        super().__init__(f"{reason}; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds
        self.reason = reason


class Overloaded(StoreUnavailable):
    """A limit is reached, so nothing was stored; *reason* says which. It passes when work is done."""


class StoreMisconfigured(GatewayStateError):
    """This Redis cannot hold the guarantees. Each of *problems* is one line with its remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class PartitionsChanged(GatewayStateError):
    """The store was laid out for another number of partitions. Set `redis.partitions` back to *stored*."""

    def __init__(self, stored: int, configured: int) -> None:
        super().__init__(
            f"this Redis was first used with {stored} partitions, and {configured} are configured; "
            f"set redis.partitions = {stored}, or use another redis.prefix"
        )
        self.stored = stored
        self.configured = configured


class TurnLost(GatewayStateError):
    """A handler under the storage's isolation wrote after its turn had passed on; nothing was written."""

    def __init__(self, conversation: str) -> None:
        super().__init__(
            f"the turn in conversation {conversation} was over (this process stood still for too long), and "
            "nothing was written; give create_isolation() a longer `lasts`"
        )
        self.conversation = conversation


class DraftInvalid(GatewayStateError):
    """What a draft holds, or is to hold, is not what its model says; the rest of the state is usable."""

    def __init__(self, feature: str, field: str, conversation: str, reason: str) -> None:
        super().__init__(f"draft {feature!r}, field {field!r}, conversation {conversation}: {reason}")
        self.feature = feature
        self.field = field
        self.conversation = conversation
        self.reason = reason
