"""Where a booking can stand."""

from aiogram.fsm.state import State, StatesGroup


class Booking(StatesGroup):
    """From the first look to the end of the stay."""

    choosing_hotel = State()
    confirming = State()
    awaiting_payment = State()
    confirmed = State()
    cancelled = State()
