"""Changes of a conversation under conditions: each made whole, or answered with what holds instead."""

from collections.abc import Callable
from typing import Any, Final

from routers.problems import Problem, Rejected
from routers.rest.answer import precondition_failed
from routers.rest.api import Api
from routers.rest.present import Present
from state.contention import stand_back
from state.conversation import Conversation
from state.scripts import CommitAnswer, Committed

#: Somebody else's change each time; then the caller may try again later.
TRIES: Final = 100
CONTENDED: Final = Problem(
    "contended",
    503,
    "The conversation changes faster than this call could",
    "Nothing was changed. Please ask again.",
    headers={"Retry-After": "1"},
)


async def write(
    api: Api, conversation: Conversation, *, if_match: int | None, **members: Any
) -> CommitAnswer:
    """
    Make a change that rests on nothing but the revision *if_match*, if that is given.

    Raises:
        Rejected: the conversation has another revision; nothing was changed.
        StoreUnavailable: Redis did not answer.
    """
    answer = await api.change(conversation, basis=if_match, **members)
    if answer.outcome is Committed.CONFLICT:
        present = await Present.read(api, conversation)
        raise Rejected(precondition_failed(present, "Its revision is not the one of If-Match."))
    return answer


async def write_from(
    api: Api,
    conversation: Conversation,
    change_of: Callable[[Present], dict[str, Any]],
    *,
    if_match: int | None,
) -> CommitAnswer:
    """
    Make the change that *change_of* computes from what is there, and compute it anew as long as that changes.

    Raises:
        Rejected: the conversation has another revision than *if_match*; or what *change_of* rejects.
        StoreUnavailable: Redis did not answer.
    """
    for tries in range(TRIES):
        await stand_back(tries)
        present = await Present.read(api, conversation)
        if if_match is not None and present.revision != if_match:
            raise Rejected(precondition_failed(present, "Its revision is not the one of If-Match."))
        answer = await api.change(conversation, basis=present.revision, **change_of(present))
        if answer.outcome is not Committed.CONFLICT:
            return answer
    raise Rejected(CONTENDED)
