"""What code outside of any handler works with; the same guarantees hold there."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiogram import Bot
from aiogram.fsm.context import FSMContext
from aiogram.fsm.strategy import FSMStrategy, apply_strategy

from gateway.director import Director
from gateway.errors import ConversationChanged
from gateway.feature import Feature
from gateway.orchestrator import Guard
from gateway.reconciler import Reconciler
from gateway.view_sender import ViewSender
from state.conversation import Conversation
from state.scripts import Committed
from state.storage import ConversationStorage


class Container:
    """The parts of a running gateway that a bot's own code may use."""

    def __init__(
        self,
        storage: ConversationStorage,
        bots: Mapping[int, Bot],
        features_of: Callable[[int], Mapping[str, Feature]],
        *,
        guards: Sequence[Guard] = (),
        strategy: FSMStrategy = FSMStrategy.USER_IN_CHAT,
    ) -> None:
        self.storage = storage
        self.bots = bots
        self.view_sender = ViewSender(storage)
        self.reconciler: Reconciler | None = None
        """Asks providers' APIs; None: in a test that has no sources."""
        self._features_of = features_of
        self._guards = guards
        self._strategy = strategy

    @property
    def bot(self) -> Bot:
        """
        The only bot.

        Raises:
            LookupError: several bots are configured; take one from `bots` by its id.
        """
        if len(self.bots) != 1:
            raise LookupError("several bots are configured; take one from container.bots by its id")
        return next(iter(self.bots.values()))

    @asynccontextmanager
    async def conversation(
        self,
        bot: Bot,
        user_id: int,
        *,
        chat_id: int | None = None,
        thread_id: int | None = None,
        business_connection_id: str | None = None,
    ) -> AsyncIterator[Director]:
        """
        Change one user's conversation, whole or not at all, from outside of any handler.

        *chat_id* is for other chats than the private one (in a channel it stands for the user too),
        *thread_id* for a topic, *business_connection_id* for a chat of a business that the bot serves. What
        is done within the block is committed at its end; an exception commits nothing.

        Raises:
            ConversationChanged: what the block has read was changed meanwhile; nothing was committed.
            StoreUnavailable: Redis did not answer.
        """
        place = apply_strategy(
            self._strategy, chat_id if chat_id is not None else user_id, user_id, thread_id
        )
        home = await self.storage.migrations.home(Conversation(bot.id, *place, business_connection_id))
        conversation = home.conversation
        unit = await self.storage.unit_of_work(conversation)
        state = FSMContext(storage=self.storage, key=conversation.storage_key())
        try:
            with unit.current():
                features = self._features_of(bot.id)
                yield Director(state, unit, features, bot=bot, guards=self._guards, thread_id=thread_id)
        finally:
            unit.closed = True
        while (await self.storage.commit(unit)).outcome is Committed.CONFLICT:
            if not unit.rebase(await self.storage.read_again(unit)):
                raise ConversationChanged
