"""The demo's user: writes, presses what is there to press, follows links."""

from urllib.parse import parse_qs, urlsplit

from gateway.demo.callers import TelegramCaller
from gateway.demo.stage import USER_ID, Miss, Stage


class User:
    """Acts through updates, as Telegram would send them, and sees only the chat."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._telegram = TelegramCaller(stage)

    async def write(self, text: str) -> None:
        """Write *text*, and wait until the bot has done with it."""
        await self._telegram.deliver(self._stage.api.updates.message(USER_ID, text))
        await self._stage.settled()

    async def press(self, data: str) -> None:
        """
        Press the button with *data*, wherever it is, and wait until the bot has done with it.

        Raises:
            Miss: there is no such button.
        """
        stage = self._stage
        for message_id, message in stage.api.chats[USER_ID].messages.items():
            if any(button.get("callback_data") == data for button in message.buttons()):
                await self._telegram.deliver(stage.api.updates.press(USER_ID, message_id, data))
                await stage.settled()
                return
        raise Miss(f"the user sees no button {data!r}")

    async def book(self, hotel_id: int) -> None:
        """Begin a booking, up to the payment."""
        await self.write("/start")
        await self.press(f"hotel:{hotel_id}")
        await self.press("confirm")

    def token_in_link(self, parameter: str) -> str:
        """
        Return the token that a link in the chat carries to a provider.

        Raises:
            Miss: there is no such link.
        """
        for message in self._stage.api.chats[USER_ID].messages.values():
            for button in message.buttons():
                values = parse_qs(urlsplit(str(button.get("url", ""))).query).get(parameter)
                if values:
                    return values[0]
        raise Miss(f"the user sees no link with {parameter}")
