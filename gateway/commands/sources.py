"""`gateway sources`: what is configured, whether it can work, and what to enter at the provider."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from gateway.commands.configuration import configured
from gateway.refusal import FAILED, CommandRefused
from gateway.settings import Settings
from gateway.sources import webhook_endpoints
from routers.dependencies import WebhookEndpoint
from routers.provider import Example, Provider
from routers.refusal import RefusalReason, Refused
from routers.sent import Sent

#: Of a token, so that an example can be made; it is never sent.
_NOBODY: Final = "00" + "a" * 24
_SOME_KEY: Final = b"whsec_b2YgYW4gZXhhbXBsZQ=="
#: A secret that ends so soon, with none to follow, is told.
ENDS_SOON: Final = timedelta(days=7)

_UNUSABLE: Final = frozenset({RefusalReason.KEY_UNUSABLE, RefusalReason.NO_USABLE_SECRET})


def show(config: Path | None) -> int:
    """
    List the sources.

    Raises:
        CommandRefused: the configuration is wrong.
    """
    endpoints = webhook_endpoints(configured(config))
    table = Table(box=None, header_style="", pad_edge=False)
    for title in ("NAME", "KIND", "SECRETS", "ADDRESS"):
        table.add_column(title, overflow="fold")
    for name, endpoint in endpoints.items():
        address = address_to_paste(endpoint) or f"/webhooks/{name}"
        table.add_row(name, endpoint.provider.kind, str(len(endpoint.secrets)), address)
    Console(soft_wrap=True).print(table, highlight=False)
    return 0


def check(config: Path | None, name: str | None) -> int:
    """
    Say for each source (or for *name* alone) what to enter at the provider, and what keeps it from working.

    Raises:
        CommandRefused: the configuration is wrong, or a source cannot work.
    """
    settings = configured(config)
    endpoints = chosen(webhook_endpoints(settings), name)
    out = Console(soft_wrap=True, highlight=False, markup=False)
    problems = []
    for endpoint in endpoints.values():
        out.print(f"{endpoint.name} ({endpoint.provider.kind})")
        out.print(f"  address to paste: {address_to_paste(endpoint) or 'not known yet'}")
        out.print(f"  events to tick:   {', '.join(events_to_tick(endpoint.provider)) or 'all'}")
        out.print(f"  documentation:    {endpoint.provider.documentation}")
        found = list(found_wrong(endpoint, settings, datetime.now(UTC)))
        for line in found or ["in order"]:
            out.print(f"  {line}")
        problems += [f"sources.{endpoint.name}: {line}" for line in found if not line.startswith("note: ")]
    if problems:
        raise CommandRefused(problems, FAILED)
    return 0


def chosen(endpoints: Mapping[str, WebhookEndpoint], name: str | None) -> Mapping[str, WebhookEndpoint]:
    """
    All of them, or the one that is called *name*.

    Raises:
        CommandRefused: there is none.
    """
    if name is None:
        if not endpoints:
            raise CommandRefused(["sources: there is none; add [sources.<name>] with kind and secrets"])
        return endpoints
    if name not in endpoints:
        there = ", ".join(endpoints) or "none"
        raise CommandRefused([f"{name}: is not a configured source; there are {there}"])
    return {name: endpoints[name]}


def address_to_paste(endpoint: WebhookEndpoint) -> str:
    """The address as the provider must have it; a secret in the path is not shown. Empty: not known."""
    if not endpoint.public_url:
        return ""
    sent = _example_of(endpoint.provider, endpoint.public_url, datetime.now(UTC))
    if sent is None:
        return endpoint.public_url
    address = f"{endpoint.public_url}/<the secret>" if sent.path_secret else endpoint.public_url
    # Where the address says what a call is, there is one for each event.
    return f"{address}?{sent.query.partition('=')[0]}=<event>" if sent.query else address


def events_to_tick(provider: Provider) -> list[str]:
    """The provider's types that have a word of ours; after a colon examples only tell a status."""
    return list(dict.fromkeys(own_type.partition(":")[0] for own_type in provider.examples))


def found_wrong(endpoint: WebhookEndpoint, settings: Settings, now: datetime) -> Iterator[str]:
    """A line for each thing that keeps the source from working; one that begins with `note: ` does not."""
    if settings.web.public_url is None:
        yield "web.public_url: is missing; set it to the address under which the world reaches the gateway"
    elif settings.web.public_url.scheme != "https":
        yield "web.public_url: is not https; providers call no other address"
    yield from _about_secrets(endpoint, now)
    sent = _example_of(endpoint.provider, endpoint.public_url, now)
    if sent is not None:
        yield from _about_verification(endpoint, sent, now)
        if sent.remote_address and not settings.web.trusted_proxies:
            yield "note: looks at the caller's address; behind a proxy, set web.trusted_proxies"


def _about_verification(endpoint: WebhookEndpoint, sent: Sent, now: datetime) -> Iterator[str]:
    if endpoint.provider.evidence is not None:
        return  # the key that verifies comes from the provider's API, and is not one of ours
    # Nobody has our secrets' other half here: a call that is signed by another one must be found wrong,
    # and not the secret itself.
    genuine = sent.as_call(public_url=endpoint.public_url)
    for number, secret in enumerate(endpoint.secrets):
        if not secret.usable_at(now):
            continue
        try:
            endpoint.provider.verify(genuine, [secret], now)
        except Refused as refused:
            if refused.reason in _UNUSABLE:
                yield f"secrets[{number}]: cannot be used; {refused.detail}"


def _about_secrets(endpoint: WebhookEndpoint, now: datetime) -> Iterator[str]:
    if not any(secret.usable_at(now) for secret in endpoint.secrets):
        yield "secrets: none is valid now; every call would be refused"
    elif not any(secret.usable_at(now + ENDS_SOON) for secret in endpoint.secrets):
        yield f"note: no secret is valid in {ENDS_SOON.days} days; list its successor beside it"


def _example_of(provider: Provider, url: str, now: datetime) -> Sent | None:
    for body in provider.examples.values():
        try:
            key = provider.example_key() if provider.example_key else _SOME_KEY
            return provider.signed(body(Example(_NOBODY, now)), key, now, url=url)
        except (LookupError, ValueError, Refused):
            return None  # this key is not in the form that the signer takes
    return None
