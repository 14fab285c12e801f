"""`IsGarbageStateFilter`: in a gateway, and in a bot that only polls."""

from datetime import UTC, datetime

from aiogram.types import Chat, Message

from gateway.garbage_filter import IsGarbageStateFilter
from state.garbage import GarbageStateRegistry

MESSAGE = Message(message_id=1, date=datetime.now(UTC), chat=Chat(id=501, type="private"))


async def test_in_a_gateway_its_own_garbage_states_pass() -> None:
    """The dispatcher passes the gateway's registry along."""
    passes = IsGarbageStateFilter()

    assert await passes(MESSAGE, raw_state="Shop:paying", garbage=GarbageStateRegistry("Shop:paying"))
    assert not await passes(MESSAGE, raw_state="Shop:done", garbage=GarbageStateRegistry("Shop:paying"))
    assert not await passes(MESSAGE, raw_state=None, garbage=GarbageStateRegistry("Shop:paying"))


async def test_codex_bots_registration_on_the_class_passes_everywhere() -> None:
    """Also in a bot without a gateway."""
    GarbageStateRegistry.register("Polled:paying")

    assert await IsGarbageStateFilter()(MESSAGE, raw_state="Polled:paying")
    assert await IsGarbageStateFilter()(MESSAGE, raw_state="Polled:paying", garbage=GarbageStateRegistry())


async def test_a_registry_that_is_named_counts_alone_besides_the_class() -> None:
    """It takes the place of the gateway's."""
    named = IsGarbageStateFilter(GarbageStateRegistry("Named:state"))

    assert await named(MESSAGE, raw_state="Named:state")
    assert not await named(MESSAGE, raw_state="Other:state", garbage=GarbageStateRegistry("Other:state"))
