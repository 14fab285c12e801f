"""Webhooks: verifying and translating a body of 4 KB, in CPU time, beside the providers' own libraries."""

import hashlib
import hmac
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import orjson
import stripe
from standardwebhooks import Webhook

from routers.call import Call
from routers.provider import Example, Provider
from routers.registry import providers
from routers.verification import Secret
from tests.benchmarks.report import Report

RUNS: Final = 7
CALLS: Final = 1000
BODY_BYTES: Final = 4096
#: A microsecond budget for one call, as the project promises it.
BUDGET_US: Final = 100
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOKEN: Final = "0a" + "k7" * 12
URL: Final = "https://bot.example/webhooks/source"
#: Kinds whose calls are proven by an HMAC over the body, with the type that is measured.
KINDS: Final[Mapping[str, str]] = {
    "stripe": "checkout.session.completed",
    "standardwebhooks": "invoice.paid",
    "hmac": "order.paid",
    "paddle": "transaction.completed",
    "lemonsqueezy": "order_created",
    "square": "payment.updated",
    "razorpay": "payment.captured",
    "cryptopay": "invoice_paid",
    "calcom": "BOOKING_CREATED",
    "calendly": "invitee.created",
    "github": "repository_dispatch",
}


def run() -> None:
    """Measure each kind in turn, and again, so that a machine that drifts is unjust to none."""
    now = datetime.now(UTC)
    calls = {kind: _call(providers()[kind], own_type, now) for kind, own_type in KINDS.items()}
    work: dict[str, Callable[[], object]] = {}
    for kind, call in calls.items():
        work[kind] = _ours(providers()[kind], call, now)
        work[f"{kind}, bare"] = _bare(call.body)
    work["stripe, official"] = _official_stripe(calls["stripe"])
    work["standardwebhooks, official"] = _official_standard(calls["standardwebhooks"])
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(RUNS):
        for name, each in work.items():
            taken[name].append(_microseconds(each))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    report = Report("providers", f"Verify and translate one webhook of {BODY_BYTES} bytes")
    for kind in KINDS:
        ours, official = medians[kind], medians.get(f"{kind}, official")
        report.row(
            what=kind,
            official_to_ours=official / ours if official else "-",
            ours_to_bare=ours / medians[f"{kind}, bare"],
            ours_us=ours,
            official_us=official or "-",
            bare_us=medians[f"{kind}, bare"],
            within_budget="yes" if ours < BUDGET_US else "NO",
        )
    report.close(runs=RUNS)


def _call(provider: Provider, own_type: str, now: datetime) -> Call:
    body = provider.examples[own_type](Example(TOKEN, now))
    padding = BODY_BYTES - len(body) - len(b',"padding":""')
    padded = body[:-1] + b',"padding":"' + b"x" * max(0, padding) + b'"}'
    return provider.signed(padded, SECRET.encode(), now, url=URL).as_call(public_url=URL)


def _ours(provider: Provider, call: Call, now: datetime) -> Callable[[], object]:
    secrets = [Secret(SECRET.encode())]

    def verified_and_translated() -> bytes:
        # Another object each time, as the edge has one.
        fresh = replace(call)
        provider.verify(fresh, secrets, now)
        return provider.translate(fresh, now).event.encode()

    return verified_and_translated


def _bare(body: bytes) -> Callable[[], object]:
    key = SECRET.encode()

    def signed_and_read() -> object:
        hmac.compare_digest(hmac.digest(key, body, hashlib.sha256), b"0" * 32)
        return orjson.loads(body)

    return signed_and_read


def _official_stripe(call: Call) -> Callable[[], object]:
    header = call.header("Stripe-Signature")
    return lambda: stripe.Webhook.construct_event(call.body, header, SECRET)


def _official_standard(call: Call) -> Callable[[], object]:
    webhook = Webhook(SECRET)
    headers = {name: call.header(name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    return lambda: webhook.verify(call.body, headers)


def _microseconds(each: Callable[[], object]) -> float:
    began = time.thread_time_ns()
    for _ in range(CALLS):
        each()
    return (time.thread_time_ns() - began) / CALLS / 1000
