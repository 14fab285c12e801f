"""Asking a provider's API while its key is being changed: the keys are tried in turn."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from routers.asker import CredentialsRefused
from routers.question import Question
from routers.verification import Secret


class Asks(Protocol):
    """The part of `routers.asker.Asker` that is needed here."""

    async def ask(self, question: Question, *, refresh: bool = False) -> bytes | None:
        """Return what a provider's API answers; raises `routers.asker.ApiUnavailable`."""


async def ask_with_any(
    question_with: Callable[[Sequence[Secret]], Question | None],
    secrets: Sequence[Secret],
    asker: Asks,
    *,
    refresh: bool = False,
) -> tuple[Question | None, bytes | None]:
    """
    Ask *question_with* the first secret that the API takes; return the question and the answer.

    Raises:
        Refused: no secret is valid, or the question cannot be made.
        ApiUnavailable: no answer, or none of the secrets opens.
    """
    refused: CredentialsRefused | None = None
    tried: set[Question] = set()
    for order in _orders(secrets):
        question = question_with(order)
        if question is None:
            return None, None
        if question in tried:
            continue
        tried.add(question)
        try:
            return question, await asker.ask(question, refresh=refresh)
        except CredentialsRefused as error:
            refused = error
    raise refused or CredentialsRefused("", "no secret")


def _orders(secrets: Sequence[Secret]) -> Iterator[Sequence[Secret]]:
    """The secrets, each of them first once."""
    yield secrets
    for place in range(1, len(secrets)):
        yield [*secrets[place:], *secrets[:place]]
