"""A sender that is only described: the example's options, with changes."""

import copy
from collections.abc import Callable
from typing import Any

import orjson

from routers.event import Event
from routers.generic.examples.hmac_source import OPTIONS
from routers.generic.hmac_source import PROVIDER
from routers.provider import Provider
from tests.unit.calls import NOW, call

Change = Callable[[dict[str, Any]], object]


def described(*changes: Change) -> Provider:
    """The example's sender with changed options."""
    options = copy.deepcopy(dict(OPTIONS))
    for change in changes:
        change(options)
    return PROVIDER.configured(options)


def signature(**members: Any) -> Change:
    """Another way to sign."""
    return lambda options: options.update(signature=members)


def read(**members: Any) -> Change:
    """Facts in other places; None takes one away."""

    def change(options: dict[str, Any]) -> None:
        options["read"] = {
            name: value for name, value in {**options["read"], **members}.items() if value is not None
        }

    return change


def events(**mapped: Any) -> Change:
    """Other meanings."""
    return lambda options: options.update(
        events={name.replace("__", "."): each for name, each in mapped.items()}
    )


def told(provider: Provider, **members: Any) -> Event:
    """What *provider* makes of a body with these members beside the usual ones."""
    body = {"id": "1", "type": "order.paid", "data": {"total": 42.5, "currency": "EUR"}, **members}
    return provider.translate(call(orjson.dumps(body)), NOW).event
