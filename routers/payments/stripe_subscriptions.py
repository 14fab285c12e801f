"""Stripe's subscriptions and the invoices of their periods."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from routers.document import Document
from routers.payments.stripe_money import money
from routers.payments.subscriptions import (
    SubscriptionCanceled,
    SubscriptionEvent,
    SubscriptionExpired,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStarted,
)

Step = tuple[type[SubscriptionEvent] | None, dict[str, Any]]

# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
_STARTED: Final = frozenset({"active", "trialing"})
_MISSING: Final = frozenset({"past_due", "unpaid"})


def subscription_id(subject: Document) -> str | None:
    """
    The subscription that an invoice is of.

    https://docs.stripe.com/changelog/basil/2025-03-31/adds-new-parent-field-to-invoicing-objects: it moved.
    """
    return subject.find_text("parent", "subscription_details", "subscription") or subject.find_text(
        "subscription"
    )


def subscription_token(subject: Document) -> str | None:
    """The metadata's token of the subscription, as an invoice repeats it."""
    return subject.find_text("parent", "subscription_details", "metadata", "token") or subject.find_text(
        "subscription_details", "metadata", "token"
    )


def _created(subject: Document) -> Step:
    started = subject.find_text("status") in _STARTED
    return (SubscriptionStarted if started else None), {"ends_at": _period_end(subject)}


def _updated(subject: Document) -> Step:
    # The event does not say what changed; only what is unambiguous in the subscription itself is told.
    if subject.find_text("status") in _MISSING:
        return SubscriptionPastDue, {"ends_at": _period_end(subject)}
    if subject.find("cancel_at_period_end") is True or subject.find_time("cancel_at") is not None:
        ends_at = subject.find_time("cancel_at") or _period_end(subject)
        return SubscriptionCanceled, {"ends_at": ends_at}
    return None, {}


def _step(model: type[SubscriptionEvent]) -> Callable[[Document], Step]:
    return lambda subject: (model, {"ends_at": subject.find_time("ended_at") or _period_end(subject)})


def _invoice(model: type[SubscriptionEvent], amount_field: str) -> Callable[[Document], Step]:
    def facts(invoice: Document) -> Step:
        # https://docs.stripe.com/api/invoices/object#invoice_object-billing_reason: the first one is told by
        # the checkout session or the payment intent.
        if subscription_id(invoice) is None or invoice.find_text("billing_reason") != "subscription_cycle":
            return None, {}
        lines = invoice.find_objects("lines", "data")
        return model, {
            **money(invoice, amount_field),
            "ends_at": lines[0].find_time("period", "end") if lines else None,
        }

    return facts


def _period_end(subscription: Document) -> datetime | None:
    # https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end
    items = subscription.find_objects("items", "data")
    of_item = items[0].find_time("current_period_end") if items else None
    return of_item or subscription.find_time("current_period_end")


# https://docs.stripe.com/billing/subscriptions/webhooks
SUBSCRIPTION_TRANSLATIONS: Final[Mapping[str, Callable[[Document], Step]]] = {
    "customer.subscription.created": _created,
    "customer.subscription.updated": _updated,
    "customer.subscription.paused": _step(SubscriptionPaused),
    "customer.subscription.resumed": _step(SubscriptionResumed),
    "customer.subscription.deleted": _step(SubscriptionExpired),
    "invoice.paid": _invoice(SubscriptionRenewed, "amount_paid"),
    "invoice.payment_failed": _invoice(SubscriptionPastDue, "amount_due"),
}
