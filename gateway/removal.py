"""Taking messages out of a chat: a hundred at a time, and what can be done for those that stay."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import DeleteBusinessMessages, DeleteMessages, EditMessageReplyMarkup, TelegramMethod

from gateway.answers import Answer, Cause, Outcome, cause_of
from state.screen import parse_place

#: https://core.telegram.org/bots/api#deletemessages
AT_ONCE = 100
#: https://core.telegram.org/bots/api#deletemessage
DELETABLE_FOR = timedelta(hours=48)


class Removal:
    """
    One ``delete`` effect.

    What is done is struck off the effect's own list as it goes, so that a run that 429 has interrupted
    continues with the next one where it stopped.
    """

    def __init__(
        self,
        bot: Bot,
        payload: dict[str, Any],
        *,
        business_connection_id: str | None,
        answer_seconds: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._bot = bot
        self._payload = payload
        self._business = business_connection_id
        self._answer_seconds = answer_seconds
        self._now_ms = now_ms

    async def run(self) -> Answer:
        """
        Delete what can be deleted; what is too old for that loses its buttons.

        Raises:
            TelegramAPIError: neither done nor refused; run it again.
        """
        places = sorted(map(parse_place, self._payload["places"]))
        for chat_id, of_chat in groupby(places, key=lambda place: place[0]):
            old, young = self._by_age([message_id for _, message_id in of_chat], chat_id)
            for message_id in old:
                await self._leave(chat_id, message_id)
            for first in range(0, len(young), AT_ONCE):
                await self._delete(chat_id, young[first : first + AT_ONCE])
        unremoved = tuple(self._payload.get("unremoved", ()))
        cause = Cause.CANNOT_DELETE if unremoved else None
        removed = tuple(self._payload.get("removed", ()))
        return Answer(Outcome.DONE, cause, unremoved=unremoved, removed=removed)

    def _by_age(self, message_ids: Sequence[int], chat_id: int) -> tuple[list[int], list[int]]:
        """Return those known to be too old, and the others."""
        sent: dict[str, int] = self._payload.get("sent_ms", {})
        limit = self._now_ms() - int(DELETABLE_FOR.total_seconds() * 1000)
        old = [number for number in message_ids if sent.get(f"{chat_id}:{number}", limit + 1) < limit]
        return old, [number for number in message_ids if number not in old]

    async def _delete(self, chat_id: int, message_ids: list[int]) -> None:
        """Delete a batch. One message that cannot be deleted refuses all, so halves are tried apart."""
        try:
            await self._call(self._deleting(chat_id, message_ids))
        except TelegramBadRequest as error:
            cause = cause_of(error)
            if cause not in (Cause.CANNOT_DELETE, Cause.TARGET_MISSING):
                raise
            if len(message_ids) > 1:
                half = len(message_ids) // 2
                await self._delete(chat_id, message_ids[:half])
                await self._delete(chat_id, message_ids[half:])
            elif cause is Cause.CANNOT_DELETE:
                await self._leave(chat_id, message_ids[0])
            else:
                self._done(chat_id, message_ids)
        else:
            self._done(chat_id, message_ids)

    def _deleting(self, chat_id: int, message_ids: list[int]) -> TelegramMethod[bool]:
        if self._business is not None:
            return DeleteBusinessMessages(business_connection_id=self._business, message_ids=message_ids)
        return DeleteMessages(chat_id=chat_id, message_ids=message_ids)

    async def _leave(self, chat_id: int, message_id: int) -> None:
        """Take the buttons off a message that has to stay."""
        try:
            await self._call(
                EditMessageReplyMarkup(
                    chat_id=chat_id, message_id=message_id, business_connection_id=self._business
                )
            )
        except TelegramBadRequest as error:
            if cause_of(error) is Cause.TARGET_MISSING:
                self._done(chat_id, [message_id])
                return
        self._payload.setdefault("unremoved", []).append(f"{chat_id}:{message_id}")
        self._done(chat_id, [message_id])

    async def _call(self, method: TelegramMethod[Any]) -> None:
        await self._bot(method, request_timeout=self._answer_seconds)

    def _done(self, chat_id: int, message_ids: Sequence[int]) -> None:
        done = {f"{chat_id}:{message_id}" for message_id in message_ids}
        self._payload["places"] = [place for place in self._payload["places"] if place not in done]
        gone = done.difference(self._payload.get("unremoved", ()))
        self._payload.setdefault("removed", []).extend(sorted(gone))
