"""Scenes, entered from outside of any handler."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from aiogram import Bot
from aiogram.fsm.context import FSMContext

from gateway.director import Director
from gateway.gateway import Gateway
from routers.rest.api import Entered
from state.changes import Cause
from state.conversation import Conversation
from state.errors import StoreUnavailable
from state.scripts import Committed, Scripts
from state.storage import ConversationStorage
from state.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

#: Runs of one entry, each after somebody else's change.
TRIES = 20


class Scenes:
    """Enters scenes as a handler would: what the scene reads, sets and shows is one change, or none."""

    def __init__(
        self,
        gateway: Gateway,
        bots: Mapping[int, Bot],
        storage: ConversationStorage,
        scripts: Scripts,
        *,
        conversation_expires_after: timedelta,
    ) -> None:
        self._gateway = gateway
        self._bots = bots
        self._storage = storage
        self._scripts = scripts
        self._ttl_ms = int(conversation_expires_after.total_seconds() * 1000)
        self.names = frozenset(name for name, feature in gateway.features.items() if feature.scene)

    async def enter(self, conversation: Conversation, scene: str, payload: Any, *, source: str) -> Entered:
        """
        Enter *scene* with *payload* and show it.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        for _ in range(TRIES):
            unit = await self._storage.unit_of_work(conversation)
            entered = await self._run(unit, scene, payload)
            if entered is not Entered.ENTERED:
                return entered
            if await self._commit(unit, source):
                return Entered.ENTERED
        return Entered.CONTENDED

    async def _run(self, unit: UnitOfWork, scene: str, payload: Any) -> Entered:
        conversation = unit.conversation
        state = FSMContext(storage=self._storage, key=conversation.storage_key())
        director = Director(
            state,
            unit,
            self._gateway.features_of(conversation.bot_id),
            bot=self._bots.get(conversation.bot_id),
            guards=self._gateway.guards,
        )
        try:
            with unit.current():
                view = await director.set_scene(scene, payload)
                if view is None:
                    return Entered.REFUSED
                director.show(view)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("scene failed", scene=scene)
            return Entered.FAILED
        finally:
            unit.closed = True
        return Entered.ENTERED

    async def _commit(self, unit: UnitOfWork, source: str) -> bool:
        """Commit *unit*; False: what it read has changed, so the scene must be entered anew."""
        cause = Cause(source, "rest.scene", did=unit.deeds)
        while True:
            change = unit.change(
                ttl_ms=self._ttl_ms, basis=unit.revision, cause=cause, once=secrets.token_hex(8)
            )
            if (await self._scripts.commit(change)).outcome is not Committed.CONFLICT:
                return True
            if not unit.rebase(await self._storage.read_again(unit)):
                return False
