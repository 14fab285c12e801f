"""The booking feature: what the user presses, what the payment and booking services say."""

from aiogram import F
from aiogram.filters import CommandStart
from aiogram.types import CallbackQuery, Message

from gateway import Director, Feature, View, park
from gateway.demo.bot import scenes
from gateway.demo.bot.hotels import HOTELS
from gateway.demo.bot.managers import BookingStateManager, ProfileStateManager
from gateway.demo.bot.states import Booking
from routers.bookings.events import BookingCanceled
from routers.payments.events import PaymentMismatched, PaymentSucceeded
from state.expectations import Expectation

booking = Feature(
    "booking",
    states=Booking,
    garbage=[Booking.awaiting_payment],
    scene=scenes.HotelsScene(expected_state=Booking.choosing_hotel),
    managers=[BookingStateManager],
)


@booking.chat.message(CommandStart())
async def start(message: Message, director: Director) -> View | None:
    """Begin, or begin again."""
    if message.from_user is not None:
        await ProfileStateManager(director.state).save_name(message.from_user.full_name)
    await BookingStateManager(director.state).clear()
    return await director.set_scene("booking")


@booking.chat.callback_query(Booking.choosing_hotel, F.data.startswith("hotel:"))
async def choose_hotel(query: CallbackQuery, director: Director) -> View:
    """Remember the hotel and ask to confirm it."""
    manager = BookingStateManager(director.state)
    await manager.save_hotel(int(str(query.data).removeprefix("hotel:")))
    hotel = await manager.get_hotel()
    if hotel is None:
        return View(alert="This hotel is no longer offered.")
    await director.state.set_state(Booking.confirming)
    return View(content=scenes.offer(hotel))


@booking.chat.callback_query(Booking.confirming, F.data == "confirm")
async def confirm(_: CallbackQuery, director: Director) -> View:
    """Ask for the money, and say what will be accepted: this amount, in this currency, for this user."""
    hotel = await BookingStateManager(director.state).get_hotel()
    if hotel is None:
        return View(alert="Please choose a hotel first: /start")
    token = director.expect(
        payment=str(hotel.id), amount_minor=hotel.price_minor, currency=hotel.currency, feature="booking"
    )
    await director.state.set_state(Booking.awaiting_payment)
    director.notice(f"Pay {hotel.price} here:", scenes.payment_keyboard(hotel, token))
    director.notice("This page need not stay open: we see here when you have paid.")
    return View(content=f"Waiting for your payment of {hotel.price}.")


@booking.on("payment.succeeded", state=Booking.awaiting_payment, otherwise=park(hours=1))
async def paid(event: PaymentSucceeded, expectation: Expectation, director: Director) -> View:
    """The money is there: no chat handler runs now, and none is needed."""
    # An older link may be paid after another hotel was chosen: what counts is what the payment was for.
    hotel = HOTELS[int(expectation.name)]
    await BookingStateManager(director.state).save_payment(hotel, event.amount_minor, event.currency)
    await director.state.set_state(Booking.confirmed)
    token = director.expect(booking="room", feature="booking")
    return View(content=scenes.confirmed(hotel, token))


@booking.on("payment.mismatched")
async def mismatched(event: PaymentMismatched, director: Director) -> None:
    """Somebody paid something else; the booking stays where it is, and a person has to look."""
    director.notice(f"We received {event.amount_minor} {event.currency} (minor units). We will call you.")


@booking.on("booking.canceled", state=Booking.confirmed)
async def cancelled(_: BookingCanceled, director: Director) -> View:
    """The booking service says that the user will not come."""
    await director.state.set_state(Booking.cancelled)
    return View(content="Your booking is cancelled. /start begins a new one.")
