"""What the REST interface works with: small objects that whoever assembles the application builds."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Final, Protocol

from aiogram.fsm.strategy import FSMStrategy, apply_strategy

from routers.problems import Problem, Rejected
from state.api_keys import ApiKeys
from state.conversation import Conversation
from state.dead_letters import DeadLetters
from state.directory import Directory
from state.expectations import Expectations
from state.history import History
from state.idempotency import Idempotency
from state.inbox import Inbox
from state.onlookers import Onlookers
from state.schema import AnyShape
from state.scripts import CommitAnswer, Scripts
from state.standings import Outcomes
from state.storage import ConversationStorage
from state.waiting_events import ParkedEvents, UnresolvedEvents

UNKNOWN_BOT: Final = Problem("unknown-bot", 404, "No such bot is configured")


class Entered(Enum):
    """What became of a call to enter a scene."""

    ENTERED = "entered"
    """The scene, or what a guard shows instead, is on its way to the chat."""
    REFUSED = "refused"
    """A guard refused; everything is as it was."""
    FAILED = "failed"
    """The scene could not be made of this payload; everything is as it was."""
    CONTENDED = "contended"
    """The conversation changed faster than the scene could be entered; everything is as it was."""


class TokenReader(Protocol):
    """Who tokens of an identity provider stand for."""

    async def read(self, text: str) -> Any:
        """Return the `Caller`; None: the token proves nothing."""


class Scenes(Protocol):
    """The bot's scenes."""

    names: frozenset[str]

    async def enter(self, conversation: Conversation, scene: str, payload: Any, *, source: str) -> Entered:
        """Enter a scene from outside of any handler and show it; raises `state.errors.StoreUnavailable`."""


@dataclass(frozen=True, slots=True)
class DraftTerms:
    """What a feature's manager says of its draft."""

    shape: AnyShape = field(default_factory=AnyShape)
    expires_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """The parts of one running gateway that its REST interface uses."""

    keys: ApiKeys
    scripts: Scripts
    storage: ConversationStorage
    scenes: Scenes
    inbox: Inbox
    bots: Mapping[str, int]
    """Each bot's id, by its name in the configuration."""
    states: frozenset[str]
    """All states that a feature knows."""
    drafts: Mapping[str, DraftTerms]
    """What is known of features' drafts; any other one may hold anything."""
    strategy: FSMStrategy
    onlookers: Onlookers
    tokens: TokenReader | None = None
    """None: keys alone open anything."""

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

    @property
    def bots_by_any_name(self) -> Mapping[str, int]:
        """Each bot's id, by its name and by its id."""
        return {**self.bots, **{str(bot_id): bot_id for bot_id in self.bots.values()}}

    def conversation(
        self,
        bot_id: int,
        user_id: int,
        chat_id: int | None = None,
        thread_id: int | None = None,
        business_connection_id: str | None = None,
    ) -> Conversation:
        """Return the conversation of a user in a chat, by default the private one, as the bot keeps them."""
        chat = chat_id if chat_id is not None else user_id
        place = apply_strategy(self.strategy, chat, user_id, thread_id)
        return Conversation(bot_id, *place, business_connection_id)

    @property
    def directory(self) -> Directory:
        """Who is in which state."""
        return Directory(self.scripts.calls, self.scripts.keys)

    @property
    def history(self) -> History:
        """Why conversations are as they are."""
        return History(self.scripts.calls, self.scripts.keys)

    @property
    def expectations(self) -> Expectations:
        """What is waited for."""
        return Expectations(self.scripts.calls, self.scripts.keys)

    @property
    def dead_letters(self) -> DeadLetters:
        """Events that were given up."""
        return DeadLetters(self.scripts)

    @property
    def parked(self) -> ParkedEvents:
        """Events that wait for a state."""
        return ParkedEvents(self.scripts)

    @property
    def unresolved(self) -> UnresolvedEvents:
        """Events that wait for their conversation."""
        return UnresolvedEvents(self.scripts)

    @property
    def outcomes(self) -> Outcomes:
        """How events stand."""
        return Outcomes(self.scripts.calls, self.scripts.keys)

    @property
    def idempotency(self) -> Idempotency:
        """Which bodies came under which keys."""
        return Idempotency(self.scripts.calls, self.scripts.keys)

    async def change(self, conversation: Conversation, **members: Any) -> CommitAnswer:
        """
        Make one change from outside of the worker; *members* are those of `Change`.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        return await self.storage.write(conversation, once=secrets.token_hex(8), **members)
