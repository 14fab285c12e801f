"""Drafts of a pydantic model's shape: checked in both directions, field by field."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.fsm.storage.redis import RedisStorage
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from redis.asyncio import Redis

from state import BaseStateManager, ConversationStorage
from state.conversation import Conversation
from state.errors import DraftInvalid
from state.scripts import Committed

CONVERSATION = Conversation.private(42, 501)


class BookingDraft(BaseModel):
    """A draft as a bot author describes it."""

    model_config = ConfigDict(frozen=True)

    hotel_id: int
    nights: int = Field(default=1, ge=1)
    arrives: date | None = None
    guests: list[str] = Field(default_factory=list)
    price: Decimal = Decimal("0.00")

    @field_validator("guests")
    @classmethod
    def _named(cls, guests: list[str]) -> list[str]:
        if not all(guests):
            raise ValueError("a guest has a name")
        return guests


class Booking(BaseStateManager[BookingDraft]):
    """The manager of it."""

    feature_key = "booking"


class Untyped(BaseStateManager):
    """The same draft without its model: what an older version or a careless writer left."""

    feature_key = "booking"


@pytest.fixture(params=["ours", "aiogram's memory", "aiogram's Redis"])
def state(request: pytest.FixtureRequest, redis: Redis) -> FSMContext:
    """A context on our storage, and on those of aiogram's."""
    storages: dict[str, BaseStorage] = {
        "ours": ConversationStorage(redis),
        "aiogram's memory": MemoryStorage(),
        "aiogram's Redis": RedisStorage(redis, state_ttl=60, data_ttl=60),
    }
    return FSMContext(storages[request.param], CONVERSATION.storage_key())


async def test_values_come_back_as_the_models_types(state: FSMContext) -> None:
    """One by one, as a dictionary, and as the model; stored as JSON."""
    booking = Booking(state)
    assert await booking.update(hotel_id=7, arrives=date(2026, 12, 1), price=Decimal("12.50")) == {
        "hotel_id": 7,
        "nights": 1,
        "arrives": date(2026, 12, 1),
        "guests": [],
        "price": Decimal("12.50"),
    }

    assert await booking.get_value("arrives") == date(2026, 12, 1)
    assert await booking.draft() == BookingDraft(
        hotel_id=7, arrives=date(2026, 12, 1), price=Decimal("12.50")
    )
    assert await Untyped(state).get_payload() == {
        "hotel_id": 7,
        "arrives": "2026-12-01",
        "price": "12.50",
    }


async def test_a_field_that_is_not_there_has_the_models_default(state: FSMContext) -> None:
    """Unless the caller gives another; a required one has none."""
    booking = Booking(state)

    assert await booking.get_value("nights") == 1
    assert await booking.get_value("nights", 3) == 3
    assert await booking.get_value("hotel_id") is None
    assert "hotel_id" not in await booking.get_payload()
    with pytest.raises(DraftInvalid) as refusal:
        await booking.draft()
    assert refusal.value.field == "hotel_id"


async def test_a_whole_draft_is_saved(state: FSMContext) -> None:
    """Defaults are stored then."""
    booking = Booking(state)
    draft = BookingDraft(hotel_id=7, guests=["Ada"])

    await booking.save(draft)

    assert await booking.draft() == draft
    assert (await Untyped(state).get_payload())["nights"] == 1


@pytest.mark.parametrize(
    "field, value",
    [("nights", 0), ("nights", "many"), ("guests", [""]), ("arrives", "tomorrow"), ("hotle_id", 7)],
)
async def test_what_does_not_fit_is_not_written(state: FSMContext, field: str, value: Any) -> None:
    """The error names feature, field and conversation; nothing of the call is stored."""
    booking = Booking(state)

    with pytest.raises(DraftInvalid, match="booking") as refusal:
        await booking.update(**{"hotel_id": 7, field: value})

    error = refusal.value
    assert (error.feature, error.field, error.conversation) == ("booking", field, CONVERSATION.encode())
    for fact in (error.feature, error.field, error.conversation):
        assert fact in str(error)
    assert await state.get_data() == {}


async def test_a_stored_value_that_no_longer_fits_spoils_nothing_else(state: FSMContext) -> None:
    """The other fields are read and written, the other features too, and the bad one can be put right."""
    await Untyped(state).update(hotel_id=7, nights="three", guests=["Ada"])
    booking, profile = Booking(state), BaseStateManager(state, "profile")

    for reading in (booking.get_payload(), booking.draft(), booking.get_value("nights")):
        with pytest.raises(DraftInvalid) as refusal:
            await reading
        assert (refusal.value.feature, refusal.value.field) == ("booking", "nights")
    assert await booking.get_value("hotel_id") == 7
    assert await booking.append("guests", "Bob") == ["Ada", "Bob"]
    updated = await booking.update(hotel_id=8)
    assert (updated["hotel_id"], updated["nights"]) == (8, "three")
    assert await profile.update(name="Ada") == {"name": "Ada"}
    assert (await state.get_data())["draft:booking"]["hotel_id"] == 8

    await booking.set_value("nights", 3)

    assert (await booking.draft()).nights == 3


async def test_numbers_and_lists_change_within_their_types(state: FSMContext) -> None:
    """From the default on; a sum or an item that does not fit is refused and not stored."""
    booking = Booking(state)

    assert await booking.increment("nights") == 2
    assert await booking.increment("price", Decimal("0.10")) == Decimal("0.10")
    assert await booking.append("guests", "Ada") == ["Ada"]
    assert await booking.compare_and_set("arrives", None, date(2026, 12, 1))
    assert not await booking.compare_and_set("arrives", date(2026, 12, 2), None)
    with pytest.raises(DraftInvalid):
        await booking.increment("nights", -2)
    with pytest.raises(DraftInvalid):
        await booking.append("guests", "")

    assert await booking.get_value("nights") == 2
    assert await booking.get_value("guests") == ["Ada"]


async def test_fields_of_an_older_shape_that_the_model_ignores_are_not_shown(state: FSMContext) -> None:
    """As pydantic's own default has it; a model may forbid or allow them instead."""

    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")
        hotel_id: int

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        hotel_id: int

    await Untyped(state).update(hotel_id=7, breakfast=True)

    assert "breakfast" not in await Booking(state).get_payload()
    assert (await BaseStateManager[Open](state, "booking").get_payload())["breakfast"] is True
    with pytest.raises(DraftInvalid, match="breakfast"):
        await BaseStateManager[Strict](state, "booking").get_payload()


async def test_a_rule_over_several_fields_is_checked_when_the_whole_is_read(state: FSMContext) -> None:
    """One field alone cannot be judged by it."""

    class Stay(BaseModel):
        arrives: date
        leaves: date

        @model_validator(mode="after")
        def _in_order(self) -> "Stay":
            if self.leaves <= self.arrives:
                raise ValueError("leaves before it arrives")
            return self

    stay = BaseStateManager[Stay](state, "stay")
    await stay.update(arrives=date(2026, 12, 2))
    with pytest.raises(DraftInvalid, match="arrives"):
        await stay.update(arrives="tomorrow")
    await stay.update(leaves=date(2026, 12, 1))

    with pytest.raises(DraftInvalid, match="leaves before"):
        await stay.draft()
    await stay.update(leaves=date(2026, 12, 3))
    assert (await stay.draft()).leaves - (await stay.draft()).arrives == timedelta(days=1)


async def test_a_manager_without_a_model_has_no_draft_to_give(state: FSMContext) -> None:
    """It says what to write instead."""
    with pytest.raises(TypeError, match=r"BaseStateManager\[Model\]"):
        await Untyped(state).draft()


class Guest(BaseModel):
    """Today's shape."""

    full_name: str
    visits: int = 0


class Guests(BaseStateManager[Guest]):
    """It used to keep two names and a counter as text."""

    feature_key = "guest"

    @classmethod
    def migrate(cls, stored: dict[str, Any]) -> dict[str, Any]:
        """Return the draft in today's shape."""
        if "first" in stored:
            stored["full_name"] = f"{stored.pop('first')} {stored.pop('last')}"
        if isinstance(stored.get("visits"), str):
            stored["visits"] = int(stored["visits"])
        return stored


@pytest.fixture
async def old(state: FSMContext) -> FSMContext:
    """A context whose draft has the older shape."""
    await BaseStateManager(state, "guest").update(first="Ada", last="Lovelace", visits="2")
    return state


async def test_a_draft_of_an_older_shape_is_read_in_todays(old: FSMContext) -> None:
    """Whole and field by field."""
    guests = Guests(old)

    assert await guests.draft() == Guest(full_name="Ada Lovelace", visits=2)
    assert await guests.get_payload() == {"full_name": "Ada Lovelace", "visits": 2}
    assert await guests.get_value("full_name") == "Ada Lovelace"


@pytest.mark.parametrize("write", ["update", "increment", "delete", "set_value"])
async def test_the_first_write_stores_todays_shape(old: FSMContext, write: str) -> None:
    """So what was written is not undone by what is left of the older one."""
    guests = Guests(old)
    match write:
        case "update":
            await guests.update(full_name="Ada King")
        case "increment":
            assert await guests.increment("visits") == 3
        case "delete":
            await guests.delete("visits")
        case "set_value":
            await guests.set_value("full_name", "Ada King")

    stored = await BaseStateManager(old, "guest").get_payload()
    assert "first" not in stored
    assert stored["full_name"] == ("Ada King" if write in {"update", "set_value"} else "Ada Lovelace")
    assert stored.get("visits") == {"increment": 3, "delete": None}.get(write, 2)


async def test_a_migration_in_a_handler_is_committed_with_it(redis: Redis) -> None:
    """Or not at all."""
    storage = ConversationStorage(redis)
    state = FSMContext(storage, CONVERSATION.storage_key())
    await BaseStateManager(state, "guest").update(first="Ada", last="Lovelace", visits="2")
    unit = await storage.unit_of_work(CONVERSATION)
    with unit.current():
        await Guests(state).increment("visits")
        assert await Guests(state).draft() == Guest(full_name="Ada Lovelace", visits=3)
    assert "first" in await BaseStateManager(state, "guest").get_payload()

    assert (await storage.commit(unit)).outcome is Committed.COMMITTED

    stored = await BaseStateManager(state, "guest").get_payload()
    assert stored == {"full_name": "Ada Lovelace", "visits": 3}
