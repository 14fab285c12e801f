"""What a service of your own tells a conversation."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from routers.event import Event


class ServiceEvent(Event):
    """An event whose type is the service's own word; *payload* is all that it says."""

    payload: Mapping[str, Any] = Field(default_factory=dict)
