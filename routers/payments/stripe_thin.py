"""Stripe's thin events: they name an object, and its facts are asked for."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import orjson
from pydantic import HttpUrl, SecretStr

from routers.call import Call
from routers.document import Document, Unreadable
from routers.inquiry import Inquiry, Page
from routers.provider import Asking, Options
from routers.question import Question, bearer
from routers.verification import Secret

#: https://docs.stripe.com/event-destinations#thin-payload: where the object is, as a path of the API.
_PATH: Final = re.compile(r"/v[12]/[A-Za-z0-9_/]{1,200}")

#: https://docs.stripe.com/context: the accounts that lead to the object.
_CONTEXT: Final = re.compile(r"[A-Za-z0-9_/]{1,200}")


class StripeOptions(Options):
    api_key: SecretStr | None = None
    """A restricted key that may read what thin events are about; without it they keep Stripe's type."""
    api_base: HttpUrl = HttpUrl("https://api.stripe.com")


def is_thin(event: Document) -> bool:
    """Tell whether the body holds no facts but where they are."""
    return event.find_text("object") == "v2.core.event"


def snapshot_type(own_type: str) -> str:
    """The type of the snapshot event that tells the same: thin ones of v1's objects have a prefix."""
    return own_type.removeprefix("v1.")


def related_id(event: Document) -> str | None:
    """The id of the object that a thin event is about."""
    return event.find_text("related_object", "id")


def inquiry(options: StripeOptions, api_version: str) -> Inquiry | None:
    """
    What lists the account's last events; None without a key.

    https://docs.stripe.com/api/events/list: up to 30 days back, each as its webhook would bring it.
    """
    if options.api_key is None:
        return None
    headers = (bearer(options.api_key.get_secret_value()), ("Stripe-Version", api_version))
    base = str(options.api_base).rstrip("/")

    def recent(_: Sequence[Secret], __: datetime, since: datetime, cursor: str | None) -> Question:
        query = {"limit": "100", "created[gte]": str(int(since.timestamp()))}
        query |= {"starting_after": cursor} if cursor else {}
        return Question(f"{base}/v1/events?{urlencode(query)}", headers)

    return Inquiry(_page, recent)


def _page(answer: bytes) -> Page:
    body = Document.from_json(answer)
    events = body.find_objects("data")
    more = body.find("has_more") is True and events
    calls = [Call(orjson.dumps(event.raw)) for event in events]
    return Page(calls, events[-1].find_text("id") if more else None)


def asking(options: StripeOptions, api_version: str) -> Asking | None:
    """What looks up the object of a thin event; None without a key."""
    if options.api_key is None:
        return None
    key = options.api_key.get_secret_value()
    base = str(options.api_base).rstrip("/")

    def lookup(call: Call, _: Sequence[Secret], __: datetime) -> Question | None:
        try:
            event = Document.from_json(call.body)
        except Unreadable:
            return None
        path = event.find_text("related_object", "url")
        if not is_thin(event) or path is None or _PATH.fullmatch(path) is None:
            return None
        headers = [bearer(key), ("Stripe-Version", api_version)]
        context = event.find_text("context")
        if context is not None and _CONTEXT.fullmatch(context):
            headers.append(("Stripe-Context", context))
        return Question(base + path, tuple(headers))

    return lookup
