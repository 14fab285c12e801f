"""Everything behind the HTTP server: the accounts, and what one call does to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gateway.demo.bot_api.account import Account
from gateway.demo.bot_api.calls import Call, Calls, Outcome
from gateway.demo.bot_api.chats import Chats
from gateway.demo.bot_api.clock import Clock
from gateway.demo.bot_api.faults import Faults
from gateway.demo.bot_api.limits import Limits
from gateway.demo.bot_api.methods import Method
from gateway.demo.bot_api.parameters import Parameters
from gateway.demo.bot_api.refusals import Refusal
from gateway.demo.bot_api.updates import Updates
from gateway.demo.bot_api.webhooks import Noted

TOKEN = "42:demo"  # noqa: S105 - the made-up token of a made-up bot


@dataclass(frozen=True, slots=True)
class Request:
    """What a bot asks for: a method under its proper name, on its account, with these parameters."""

    account: Account
    name: str
    method: Method
    parameters: Parameters


class Telegram:
    """
    Some bots with their chats, in memory.

    `account`, `chats` and `updates` are those of the first token's bot.
    """

    def __init__(self, tokens: Sequence[str] = (TOKEN,), *, enforce_limits: bool = False) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self.calls = Calls()
        self.accounts = {token: Account(token, self.clock) for token in tokens}
        self.account = self.accounts[tokens[0]]
        self._updates = {token: Updates(account) for token, account in self.accounts.items()}
        self.enforce_limits(enforce_limits)

    @property
    def token(self) -> str:
        """The token of the first bot."""
        return self.account.token

    @property
    def chats(self) -> Chats:
        """The chats of the first bot."""
        return self.account.chats

    @property
    def updates(self) -> Updates:
        """The deeds of the first bot's users."""
        return self.updates_of(self.account)

    def account_of(self, bot_id: int) -> Account:
        """
        The account of one bot.

        Raises:
            LookupError: there is none.
        """
        for account in self.accounts.values():
            if account.id == bot_id:
                return account
        raise LookupError(f"no bot {bot_id}")

    def updates_of(self, account: Account) -> Updates:
        """The deeds of one bot's users."""
        return self._updates[account.token]

    def enforce_limits(self, enforced: bool) -> None:
        """Switch the sending limits of every bot on, counting from now, or off."""
        for account in self.accounts.values():
            account.limits = Limits() if enforced else None

    def reset(self) -> None:
        """Forget all that happened; message ids, update ids and the clock go on."""
        self.faults.clear()
        self.calls.clear()
        for account in self.accounts.values():
            account.clear()

    def perform(self, request: Request, applied: Outcome = Outcome.OK) -> tuple[int, dict[str, Any]]:
        """
        Do what a request asks for, and log it: the HTTP status and the body of the answer.

        A request that is not refused is logged as *applied*.
        """
        try:
            result = request.method(request.account, request.parameters)
        except Refusal as refusal:
            self.note(request, Outcome.REFUSED, refusal=refusal)
            return int(refusal.code), refusal.as_json()
        self.note(request, applied, message_id=_message_id(result))
        if isinstance(result, Noted):
            return HTTPStatus.OK, {"ok": True, "result": True, "description": result}
        return HTTPStatus.OK, {"ok": True, "result": result}

    def note(
        self,
        request: Request,
        outcome: Outcome,
        *,
        refusal: Refusal | None = None,
        message_id: int | None = None,
    ) -> None:
        """Log how a request ended."""
        self.calls.note(
            Call(
                method=request.name,
                parameters=request.parameters.for_the_log(),
                bot_id=request.account.id,
                chat_id=request.parameters.integer("chat_id"),
                at=self.clock.now(),
                outcome=outcome,
                error_code=int(refusal.code) if refusal else None,
                description=refusal.description if refusal else None,
                message_id=message_id,
            )
        )


def _message_id(result: object) -> int | None:
    message_id = result.get("message_id") if isinstance(result, dict) else None
    return message_id if isinstance(message_id, int) else None
