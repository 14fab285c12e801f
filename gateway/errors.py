"""What a bot's author can get wrong, each with its remedy."""

from collections.abc import Sequence
from datetime import timedelta


class GatewayError(Exception):
    """The gateway could not do what the bot asked."""


class FeaturesClash(GatewayError):
    """Two features have one name, or two managers one draft."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"two features share the {what} {name!r}; rename one of them")
        self.name = name


class UnknownScene(GatewayError):
    """No feature of that name has a scene."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"no feature {name!r} with a scene; there are: {', '.join(known) or 'none'}")
        self.name = name


class UnknownBot(GatewayError):
    """A feature is for a bot that the settings do not have."""

    def __init__(self, feature: str, name: str, known: Sequence[str]) -> None:
        super().__init__(f"feature {feature!r} is for bot {name!r}; there are: {', '.join(known)}")
        self.name = name


class RedirectLoop(GatewayError):
    """The scenes that one event went through send it round and round."""

    def __init__(self, name: str) -> None:
        super().__init__(f"too many redirects for one event; the last one went to {name!r}")
        self.name = name


class HandlerTimeout(GatewayError):
    """A handler ran longer than `worker.handler_seconds`; nothing that it staged was committed."""

    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"the handler ran longer than {limit.total_seconds():g} s")
        self.limit = limit


class ConversationChanged(GatewayError):
    """Somebody else changed what this block of code had read. Nothing was committed; run the block again."""

    def __init__(self) -> None:
        super().__init__("the conversation has changed since it was read; run the block again")


class PayloadNotKept(GatewayError):
    """A scene was entered with something that cannot be kept for `Director.back`."""

    def __init__(self, feature: str, error: Exception) -> None:
        super().__init__(
            f"the payload of scene {feature!r} has no JSON form ({error}); "
            "pass plain data or a pydantic model, or set in_history = False on its orchestrator"
        )
        self.feature = feature
