"""Which conversation a path means, and who may touch it."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request

from routers.dependencies import api_of
from routers.events.message import LONGEST_BUSINESS_ID
from routers.problems import Rejected
from routers.rest.api import Api
from routers.rest.caller import Caller, forbidden
from state.conversation import Conversation

#: Telegram's ids have at most 52 significant bits: https://core.telegram.org/bots/api#user
LARGEST_ID: Final = 2**52
BotName = Annotated[
    str, Path(description="The bot's name in the configuration, or its id", max_length=64, examples=["main"])
]


@dataclass(frozen=True, slots=True)
class Address:
    """A conversation as a path names it; `of` opens it for whoever may touch it."""

    api: Api
    bot: str
    user: int
    chat: int | None
    thread: int | None
    business: str | None

    async def of(self, caller: Caller) -> Conversation:
        """
        Return the conversation; that of a group which has become a supergroup is kept under the new id.

        Raises:
            Rejected: no such bot, or the caller's key is for others.
            StoreUnavailable: Redis did not answer.
        """
        bot_id = bot_for(self.api, self.bot, caller)
        named = self.api.conversation(bot_id, self.user, self.chat, self.thread, self.business)
        return (await self.api.storage.migrations.home(named)).conversation


def bot_for(api: Api, bot: str, caller: Caller) -> int:
    """
    Return the id of the bot that *bot* names.

    Raises:
        Rejected: no such bot, or the caller's key is for others; such a key does not learn which there are.
    """
    try:
        bot_id = api.bot_id(bot)
    except Rejected:
        if caller.bots:
            raise Rejected(forbidden("The key is for other bots.")) from None
        raise
    caller.require_bot(bot_id)
    return bot_id


def _address(
    request: Request,
    bot: BotName,
    user: Annotated[int, Path(ge=1, le=LARGEST_ID, description="Telegram's id of the user", examples=[501])],
    *,
    chat: Annotated[
        int | None,
        Query(ge=-LARGEST_ID, le=LARGEST_ID, description="The chat, if it is not the private one"),
    ] = None,
    thread: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="The topic in the chat")] = None,
    business: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=LONGEST_BUSINESS_ID,
            description="The business connection, if it is the chat of a business that the bot serves",
        ),
    ] = None,
) -> Address:
    return Address(api_of(request), bot, user, chat, thread, business)


Addressed = Annotated[Address, Depends(_address)]
