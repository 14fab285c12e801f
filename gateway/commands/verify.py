"""`gateway verify`: why one delivery was refused: which check, which of the secrets, how many seconds off."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from gateway.commands.configuration import configured
from gateway.commands.trigger import source_named
from gateway.refusal import FAILED, CommandRefused
from gateway.settings.errors import nearest
from routers.asker import ApiUnavailable, open_asker
from routers.call import Call
from routers.dependencies import WebhookEndpoint
from routers.refusal import RefusalReason, Refused
from routers.registry import providers
from routers.verification import Secret


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it came: what was sent, where to, from where, and when."""

    body: bytes
    headers: Sequence[str]
    query: str
    method: str
    url: str | None
    remote_address: str
    path_secret: str
    at: datetime | None


#: What to look at, for each reason. The provider never gets to read it.
ADVICE: Final = {
    RefusalReason.NO_USABLE_SECRET: "no secret is valid at that time",
    RefusalReason.HEADER_MISSING: "a header is missing; did a proxy take it away?",
    RefusalReason.HEADER_REPEATED: "a header came more than once; does a proxy add it again?",
    RefusalReason.HEADER_MALFORMED: "a header is not in the provider's form; is this the right kind?",
    RefusalReason.UNSIGNED_BY_SENDER: "the sender has no secret set; enter one there",
    RefusalReason.SIGNATURE_WRONG: "no secret fits these bytes",
    RefusalReason.TOO_OLD: "the signature fits; the call is too old, or our clock is fast",
    RefusalReason.IN_FUTURE: "the signature fits; the call is from the future: our clock is slow",
}


def verify(config: Path | None, named: str, delivery: Delivery, secrets: Sequence[bytes]) -> int:
    """
    Check *delivery* as the source or kind *named* would, with *secrets* (without: the configured ones).

    Raises:
        CommandRefused: the command is wrong, or, with exit code 1, the delivery is not genuine.
    """
    endpoint = _endpoint(config, named, secrets)
    now = delivery.at or datetime.now(UTC)
    call = _call(delivery, endpoint)
    call = asyncio.run(_with_evidence(call, endpoint, now))
    try:
        endpoint.provider.verify(call, endpoint.secrets, now)
    except Refused as refused:
        raise CommandRefused(list(_explained(refused, call, endpoint, now)), FAILED) from refused
    sys.stdout.write(f"genuine: {_fitting(call, endpoint, now)}\n")
    return 0


def _endpoint(config: Path | None, named: str, secrets: Sequence[bytes]) -> WebhookEndpoint:
    given = [Secret(secret) for secret in secrets]
    if not given:
        return source_named(configured(config), named)
    kind = providers().get(named)
    if kind is None and config is None:
        raise CommandRefused([f"{named}: is no kind; {nearest(named, providers())}"])
    try:
        # With secrets of its own, a kind that needs no options needs no configuration either.
        if kind is not None:
            return WebhookEndpoint(named, kind.configured({}), given)
    except ValidationError:
        return replace(source_named(configured(config), named), secrets=given)
    return replace(source_named(configured(config), named), secrets=given)


def _call(delivery: Delivery, endpoint: WebhookEndpoint) -> Call:
    headers = []
    for line in delivery.headers:
        name, colon, value = line.partition(":")
        if not colon or not name.strip().isascii():
            raise CommandRefused([f"--header: has no colon; write it as 'Name: value' ({name[:40]})"])
        headers.append((name.strip().lower().encode(), value.strip().encode("utf-8", "surrogateescape")))
    return Call(
        delivery.body,
        headers,
        delivery.query.encode(),
        delivery.remote_address,
        delivery.method,
        public_url=endpoint.public_url if delivery.url is None else delivery.url,
        path_secret=delivery.path_secret,
    )


async def _with_evidence(call: Call, endpoint: WebhookEndpoint, now: datetime) -> Call:
    asking = endpoint.provider.evidence
    if asking is None:
        return call
    try:
        question = asking(call, endpoint.secrets, now)
        if question is None:
            return call
        async with open_asker() as asker:
            answer = await asker.ask(question)
    except Refused as refused:
        raise CommandRefused([_line(refused)], FAILED) from refused
    except ApiUnavailable as error:
        raise CommandRefused([f"{error.host}: cannot be asked for its key ({error.why})"], FAILED) from error
    return call if answer is None else replace(call, evidence=answer)


def _line(refused: Refused) -> str:
    advice = ADVICE.get(refused.reason, "")
    told = f"refused, {refused.reason.value}"
    told += f": {advice}" if advice else ""
    return f"{told} ({refused.detail})" if refused.detail else told


def _explained(refused: Refused, call: Call, endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    lines = [_line(refused)]
    if refused.reason is RefusalReason.SIGNATURE_WRONG:
        lines += [hint for changed, hint in _changed(call) if _fits(changed, endpoint, now)]
    elif refused.reason in {RefusalReason.TOO_OLD, RefusalReason.IN_FUTURE}:
        fitting = [
            number
            for number, secret in enumerate(endpoint.secrets, 1)
            if _reason(call, endpoint, secret, now) is refused.reason
        ]
        lines += [f"it is signed with secret {number} of {len(endpoint.secrets)}" for number in fitting]
    return lines


def _changed(call: Call) -> list[tuple[Call, str]]:
    """What is often done to a body on its way, undone."""
    body = call.body
    return [
        (
            replace(call, body=body.rstrip(b"\r\n")),
            "it fits without the line end: the body was saved with one more",
        ),
        (
            replace(call, body=body + b"\n"),
            "it fits with a line end: the body was saved without its last one",
        ),
        (replace(call, body=body.replace(b"\r\n", b"\n")), "it fits with plain line ends: they were changed"),
        (
            replace(call, public_url=call.public_url.rstrip("/") + "/"),
            "it fits for the address with a / at its end",
        ),
    ]


def _fits(call: Call, endpoint: WebhookEndpoint, now: datetime) -> bool:
    try:
        endpoint.provider.verify(call, endpoint.secrets, now)
    except Refused as refused:
        return refused.reason in {RefusalReason.TOO_OLD, RefusalReason.IN_FUTURE}
    return True


def _reason(call: Call, endpoint: WebhookEndpoint, secret: Secret, now: datetime) -> RefusalReason | None:
    try:
        endpoint.provider.verify(call, [secret], now)
    except Refused as refused:
        return refused.reason
    return None


def _fitting(call: Call, endpoint: WebhookEndpoint, now: datetime) -> str:
    for number, secret in enumerate(endpoint.secrets, 1):
        if _reason(call, endpoint, secret, now) is None:
            return f"secret {number} of {len(endpoint.secrets)} fits"
    return "proven without a secret"
