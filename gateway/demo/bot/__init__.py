"""
The demo's bot: book a hotel room and pay for it.

It is meant to be copied. `booking.py` has all of its handlers; `scenes.py` what they show; `managers.py` what
they remember. Run it with ``gateway serve gateway.demo.bot:gateway``.
"""

from gateway import Gateway
from gateway.demo.bot.booking import booking
from gateway.demo.bot.profile import profile

gateway = Gateway(booking, profile)
