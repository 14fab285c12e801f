"""What can be booked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hotel:
    """A hotel and the price of one night, in minor units of its currency."""

    id: int
    name: str
    price_minor: int
    currency: str = "EUR"

    @property
    def price(self) -> str:
        """The price as people write it; the demo's currencies have two decimals."""
        return f"{self.price_minor // 100}.{self.price_minor % 100:02d} {self.currency}"


HOTELS = {hotel.id: hotel for hotel in (Hotel(7, "Sea View", 4200), Hotel(8, "Old Town", 3850))}
