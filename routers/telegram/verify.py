"""The secret token that Telegram sends with every update."""

from typing import Final

from routers.verification import SharedToken, Verifier, in_header

# https://core.telegram.org/bots/api#setwebhook
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header

verify: Final[Verifier] = SharedToken(in_header(SECRET_HEADER)).verify
