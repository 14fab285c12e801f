"""What the REST interface works with: small objects that whoever assembles the application builds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routers.problems import Problem, Rejected
from state.api_keys import ApiKeys

UNKNOWN_BOT = Problem("unknown-bot", 404, "No such bot is configured")


@dataclass(frozen=True, slots=True)
class Api:
    """The parts of one running gateway that its REST interface uses."""

    keys: ApiKeys
    bots: Mapping[str, int] = field(default_factory=dict)
    """Each bot's id, by its name in the configuration."""

    def bot_id(self, name: str) -> int:
        """
        Return the id of the bot that *name* names: its name in the configuration, or its id.

        Raises:
            Rejected: no such bot is configured.
        """
        if name in self.bots:
            return self.bots[name]
        for bot_id in self.bots.values():
            if str(bot_id) == name:
                return bot_id
        raise Rejected(UNKNOWN_BOT)
