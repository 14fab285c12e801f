"""
Links that carry an expectation's token to a provider, which sends it back with each of its calls.

https://docs.stripe.com/payment-links/url-parameters
https://cal.com/help/embedding/prefill-booking-form-embed
"""

from urllib.parse import urlencode

PAYMENT_LINK = "https://buy.stripe.com/test_sea_view"
BOOKING_LINK = "https://cal.com/demo-hotels/arrival"


def payment_link(token: str) -> str:
    """Stripe returns it as the checkout session's ``client_reference_id``."""
    return f"{PAYMENT_LINK}?{urlencode({'client_reference_id': token})}"


def booking_link(token: str) -> str:
    """Cal.com returns it in ``payload.metadata``."""
    return f"{BOOKING_LINK}?{urlencode({'metadata[token]': token})}"
