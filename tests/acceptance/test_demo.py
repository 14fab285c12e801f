"""The first thing that a newcomer does."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.demo.callers import stripe_call
from gateway.demo.scenario import Scenario, Step
from gateway.demo.stage import USER_ID, Stage, open_stage
from gateway.demo.user import User
from tests.waiting import wait_until


async def test_the_demo_plays_one_booking_and_finds_everything_as_promised() -> None:
    """Any miss raises; what is told of each step is what is in Redis and in the chat."""
    steps: list[Step] = []

    async with open_stage() as stage:
        await Scenario(stage, steps.append).play()

    assert [step.state for step in steps] == [
        "Booking:choosing_hotel",
        "Booking:awaiting_payment",
        "Booking:confirmed",
        "Booking:confirmed",
        "Booking:cancelled",
        "Booking:cancelled",
    ]
    assert all(step.checked for step in steps)


async def test_the_demo_speaks_json_to_machines() -> None:
    """One object a line, nothing else on standard output, and exit code 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "demo", "--json", stdout=PIPE
    )
    out, _ = await process.communicate()

    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0
    assert len(lines) == 6
    assert all(line.keys() == {"step", "state", "drafts", "chat"} for line in lines)
    assert lines[2]["drafts"]["booking"]["paid"] is True


async def test_a_miss_is_named_and_the_command_fails() -> None:
    """A demo that cannot fail would show nothing: here a hotel has another price than the scenario knows."""
    dearer = (
        "import sys; from gateway.cli import main; from gateway.demo.bot.hotels import HOTELS, Hotel;"
        "HOTELS[7] = Hotel(7, 'Sea View', 4300); sys.argv = ['gateway', 'demo', '--json']; main()"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", dearer, stdout=PIPE, stderr=PIPE)
    out, said = await process.communicate()

    assert process.returncode == 1
    assert len(out.splitlines()) == 1
    assert said.decode().startswith("gateway: demo: the chat: expected [")
    assert "43.00 EUR" in said.decode()
    assert "Traceback" not in said.decode()


async def test_what_the_demo_prints_to_play_on_pays_the_booking() -> None:
    """The printed call is genuine; SIGTERM then ends everything in good order."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "demo", "--serve", stdout=PIPE
    )
    assert process.stdout is not None
    try:
        printed = (await process.stdout.readuntil(b"Ctrl-C ends it.")).decode()
        answers = await pay_by(printed)
    finally:
        process.send_signal(signal.SIGTERM)

    assert answers == [b'{"received":true}'] * 2
    assert await process.wait() == 0


async def pay_by(printed: str) -> list[bytes]:
    """Run the call that was *printed* until the chat shows what it brought; return the answers to it."""
    script = printed.partition("<<'EOF'\n")[2].partition("\nEOF\n")[0]
    [chat] = (line.split()[1] for line in printed.splitlines() if line.startswith("chat  "))

    payer = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=PIPE)
    answers, _ = await payer.communicate()
    async with httpx.AsyncClient() as http:

        async def paid() -> bool:
            return "Your room at Old Town is booked." in (await http.get(chat)).text

        await wait_until(paid, description="the chat shows the booking")
    return answers.split()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Everything at work, and nothing played yet."""
    async with open_stage() as stage:
        yield stage


@pytest.fixture
def user(stage: Stage) -> User:
    """Whoever books."""
    return User(stage)


async def test_a_link_that_is_paid_after_another_was_made_books_what_it_was_for(
    stage: Stage, user: User
) -> None:
    """The user has two payment pages open; the money decides, not the page that came last."""
    await user.book(7)
    token = user.token_in_link("client_reference_id")
    await user.book(8)

    await stripe_call(stage, "payment_intent.succeeded", token).deliver()
    await stage.settled()

    assert stage.texts()[1:] == ["Paid. Your room at Sea View is booked."]
    assert (await stage.data())["draft:booking"] == {
        "hotel_id": 7,
        "paid": True,
        "paid_minor": 4200,
        "currency": "EUR",
    }


async def test_another_amount_than_was_asked_for_is_not_taken_for_the_payment(
    stage: Stage, user: User
) -> None:
    """The booking stays where it is, the user is told, and the right amount still counts."""
    await user.book(8)
    token = user.token_in_link("client_reference_id")

    await stripe_call(stage, "payment_intent.succeeded", token, amount_minor=4200).deliver()
    await stage.settled()

    assert await stage.state() == "Booking:awaiting_payment"
    assert stage.texts()[-1] == "We received 4200 EUR (minor units). We will call you."


async def test_a_name_is_shown_as_it_is_written(stage: Stage, user: User) -> None:
    """Names are not ours: what looks like markup in one must neither be refused by Telegram nor obeyed."""
    stage.api.chats.open(USER_ID, name="<b>Ada</b> & <3")

    await user.write("/start")

    assert stage.texts()[0] == "Demo Hotels · <b>Ada</b> & <3"
