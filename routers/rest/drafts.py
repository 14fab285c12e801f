"""``.../drafts/{feature}``: one feature's draft, field by field."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path
from pydantic import JsonValue
from starlette.responses import Response

from routers.problems import Problem, Rejected, pointer
from routers.rest.address import Addressed
from routers.rest.answer import IfMatch, answer, nothing, revision_of
from routers.rest.api import Api, DraftTerms
from routers.rest.caller import Caller, ReadsState, WritesState
from routers.rest.described import CONDITION, ETAG, NO_SUCH_BOT, Responses, leads_on
from routers.rest.limited_route import LimitedRoute
from routers.rest.nesting import DEEPEST, is_shallow
from routers.rest.present import Present
from routers.rest.writes import write, write_from
from state import fields, values
from state.changes import Cause, DraftChange
from state.schema import FieldInvalid
from state.scripts import CommitAnswer

router = APIRouter(tags=["drafts"], route_class=LimitedRoute)

FeatureName = Annotated[
    str, Path(description="The feature's key", min_length=1, max_length=64, examples=["shop"])
]
Draft = dict[str, JsonValue]
_PATH: Final = "/bots/{bot}/users/{user}/drafts/{feature}"
_ANSWER: Final[Responses] = {200: {"headers": ETAG}, **NO_SUCH_BOT}
_WRITTEN: Final[Responses] = {
    200: {"headers": ETAG, "links": leads_on("bot", "user", "feature", to=("get_draft", "delete_draft"))},
    **NO_SUCH_BOT,
}
_EXAMPLES: Final[list[Any]] = [{"item": "tea", "price_minor": 4200}]


@router.get(_PATH, operation_id="get_draft", summary="Read a draft", response_model=Draft, responses=_ANSWER)
async def get_draft(address: Addressed, caller: ReadsState, feature: FeatureName) -> Response:
    """Return the draft; empty if there is none."""
    present = await Present.read(address.api, await address.of(caller))
    return answer(present.draft(feature), revision=present.revision)


@router.put(
    _PATH,
    operation_id="put_draft",
    summary="Replace a draft",
    response_model=Draft,
    responses={**_WRITTEN, **CONDITION},
)
async def put_draft(
    address: Addressed,
    caller: WritesState,
    feature: FeatureName,
    draft: Annotated[Draft, Body(examples=_EXAMPLES)],
    if_match: IfMatch = None,
) -> Response:
    """Put this draft in place of the whole former one."""
    change = _change(address.api, feature, draft, clear=True)
    made = await write(
        address.api,
        await address.of(caller),
        if_match=revision_of(if_match),
        **_members(caller, feature, change),
    )
    return answer(_draft_of(made), revision=made.revision)


@router.patch(
    _PATH,
    operation_id="patch_draft",
    summary="Change fields of a draft",
    response_model=Draft,
    responses={**_WRITTEN, **CONDITION},
)
async def patch_draft(
    address: Addressed,
    caller: WritesState,
    feature: FeatureName,
    patch: Annotated[
        Draft, Body(media_type="application/merge-patch+json", examples=[{"price_minor": 3900, "note": None}])
    ],
    if_match: IfMatch = None,
) -> Response:
    """
    Merge the patch into the draft (RFC 7396): null removes a field, an object is merged, the rest is set.

    Fields that the patch does not name are not touched, so callers who change different fields never undo
    each other.
    """
    revision = revision_of(if_match)
    conversation = await address.of(caller)

    def change_of(present: Present) -> dict[str, Any]:
        return _members(caller, feature, _merged(address.api, feature, patch, present.draft(feature)))

    if any(isinstance(value, dict) for value in patch.values()):
        made = await write_from(address.api, conversation, change_of, if_match=revision)
    else:
        members = _members(caller, feature, _merged(address.api, feature, patch, {}))
        made = await write(address.api, conversation, if_match=revision, **members)
    return answer(_draft_of(made), revision=made.revision)


@router.delete(
    _PATH,
    operation_id="delete_draft",
    summary="Remove a draft",
    status_code=204,
    response_class=Response,
    responses={204: {"headers": ETAG}, **NO_SUCH_BOT, **CONDITION},
)
async def delete_draft(
    address: Addressed, caller: WritesState, feature: FeatureName, if_match: IfMatch = None
) -> Response:
    """Remove this draft and nothing else."""
    made = await write(
        address.api,
        await address.of(caller),
        if_match=revision_of(if_match),
        **_members(caller, feature, DraftChange(clear=True)),
    )
    return nothing(revision=made.revision)


def _members(caller: Caller, feature: str, change: DraftChange) -> dict[str, Any]:
    quoted = fields.quote_feature(feature)
    return {
        "drafts": {quoted: change},
        "want_draft": quoted,
        "cause": Cause(caller.source, "rest.draft"),
    }


def _draft_of(made: CommitAnswer) -> dict[str, Any]:
    wanted = list(made.wanted)
    return {
        name.decode(): values.load(stored) for name, stored in zip(wanted[::2], wanted[1::2], strict=True)
    }


def _merged(api: Api, feature: str, patch: Draft, present: Draft) -> DraftChange:
    merged = merge(present, patch)
    wanted = {name: merged[name] for name in patch if name in merged}
    return _change(api, feature, wanted, delete=[name for name in patch if name not in merged])


def merge(target: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """
    Return *target* with *patch* merged into it.

    https://www.rfc-editor.org/rfc/rfc7396
    """
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value) if isinstance(value, dict) else value
    return merged


def _change(
    api: Api, feature: str, draft: Draft, *, clear: bool = False, delete: Sequence[str] = ()
) -> DraftChange:
    """
    Return what storing these fields takes.

    Raises:
        Rejected: a field is nested too deeply, or is not what the feature's model says.
    """
    terms = api.drafts.get(feature, DraftTerms())
    stored: dict[str, bytes] = {}
    faults = []
    for name, value in draft.items():
        try:
            stored[name] = values.dump(_checked(terms, name, value))
        except FieldInvalid as error:
            faults.append({"pointer": pointer(name), "problem": error.reason})
    if faults:
        raise Rejected(
            Problem("draft-invalid", 422, "The draft is not what its feature says", extra={"errors": faults})
        )
    lasts = terms.expires_after
    ttl_ms = int(lasts.total_seconds() * 1000) if lasts is not None else None
    return DraftChange(clear=clear, set=stored, delete=delete, ttl_ms=ttl_ms)


def _checked(terms: DraftTerms, name: str, value: Any) -> Any:
    if not is_shallow(value):
        raise FieldInvalid(name, f"is nested deeper than {DEEPEST} levels")
    return terms.shape.dump(name, value)
