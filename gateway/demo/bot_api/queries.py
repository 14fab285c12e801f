"""The queries that a bot has to answer: pressed buttons, checkouts, shipping."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

from gateway.demo.bot_api.refusals import QUERY_TOO_OLD, bad_request


class QueryKind(Enum):
    """What a user waits for."""

    CALLBACK = "callback"
    PRE_CHECKOUT = "pre_checkout"
    SHIPPING = "shipping"


_LIFETIME: dict[QueryKind, timedelta] = {
    # The Bot API server itself drops the update then: https://github.com/tdlib/telegram-bot-api (Client.cpp).
    QueryKind.CALLBACK: timedelta(seconds=150),
    QueryKind.SHIPPING: timedelta(seconds=150),
    # https://core.telegram.org/bots/api#answerprecheckoutquery
    QueryKind.PRE_CHECKOUT: timedelta(seconds=10),
}


@dataclass(slots=True)
class Query:
    """One question with the answers that the bot gave."""

    id: str
    kind: QueryKind
    user_id: int
    asked_at: float
    subject: str
    """The pressed button's data, or the invoice's payload."""
    answers: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The query as the control surface shows it."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "user_id": self.user_id,
            "subject": self.subject,
            "answers": self.answers,
        }


class Queries:
    """All queries of one bot with their answers, oldest first."""

    def __init__(self) -> None:
        self._queries: dict[str, Query] = {}
        self._next_id = 4_000_000_000_000_000_000

    def ask(self, kind: QueryKind, user_id: int, subject: str, now: float) -> Query:
        """A new query of this user, to be answered in time."""
        self._next_id += 1
        query = Query(str(self._next_id), kind, user_id, now, subject)
        self._queries[query.id] = query
        return query

    def answer(self, query_id: str, kind: QueryKind, answer: dict[str, Any], now: float) -> None:
        """
        Record an answer.

        Raises:
            Refusal: nobody asked that, or it is too late.
        """
        query = self._queries.get(query_id)
        if query is None or query.kind is not kind:
            raise bad_request(QUERY_TOO_OLD)
        if now - query.asked_at > _LIFETIME[kind].total_seconds():
            raise bad_request(QUERY_TOO_OLD)
        query.answers.append(answer)

    def of(self, kind: QueryKind) -> list[Query]:
        """Those of one kind."""
        return [query for query in self._queries.values() if query.kind is kind]

    def all(self) -> list[Query]:
        """All of them."""
        return list(self._queries.values())

    def clear(self) -> None:
        """Forget all queries."""
        self._queries.clear()
