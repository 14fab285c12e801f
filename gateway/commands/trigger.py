"""`gateway trigger`: a genuine, signed example of a provider's call, sent to a running gateway."""

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from gateway.commands.configuration import configured
from gateway.refusal import FAILED, CommandRefused
from gateway.settings import Settings
from gateway.settings.errors import nearest
from gateway.sources import webhook_endpoints
from routers.dependencies import WebhookEndpoint
from routers.document import find_token
from routers.provider import Example, Provider, as_it_is
from routers.refusal import Refused
from routers.registry import providers
from routers.sent import Sent
from routers.verification import Secret

PATIENCE_SECONDS: Final = 30
SHOWN_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: *named* is a source or a kind; without *body* the provider's own example is made."""

    named: str
    own_type: str
    token: str
    amount_minor: int
    currency: str
    object_id: str
    body: Path | None


def trigger(config: Path | None, order: Order, *, url: str | None, secret: bytes | None) -> int:
    """
    Send what *order* says to *url*, signed with *secret*, and print the answer.

    Without *url* it goes to the gateway of *config*; without *secret* it is signed with the configured one.

    Raises:
        CommandRefused: there is no such source or type, nothing to sign with, or the call was not taken.
    """
    if find_token(order.token) is None:
        raise CommandRefused(["--token: is not a token; director.expect(...) gives one of 26 characters"])
    if secret is not None and url is not None and order.named in providers():
        # Nothing of the configuration is needed then: the gateway may be elsewhere.
        kind = providers()[order.named]
        endpoint = WebhookEndpoint(order.named, kind.configured(kind.example_options), [Secret(secret)], url)
    else:
        settings = configured(config)
        endpoint = source_named(settings, order.named)
        url = url or _local(settings, endpoint.name)
    now = datetime.now(UTC)
    body = _body(endpoint.provider, order, now)
    sent = _signed(endpoint, body, secret or _usable(endpoint, now), now)
    return _told(_delivered(sent, url))


def source_named(settings: Settings, named: str) -> WebhookEndpoint:
    """
    The source that is called *named*, or the only one of that kind.

    Raises:
        CommandRefused: there is none, or there are several.
    """
    endpoints = webhook_endpoints(settings)
    if named in endpoints:
        return endpoints[named]
    of_kind = [endpoint for endpoint in endpoints.values() if endpoint.provider.kind == named]
    if len(of_kind) == 1:
        return of_kind[0]
    if of_kind:
        names = ", ".join(endpoint.name for endpoint in of_kind)
        raise CommandRefused([f"{named}: several sources are of this kind; name one of {names}"])
    if named in providers():
        raise CommandRefused(
            [f"{named}: no source is of this kind; add [sources.{named}], or give --secret and --url"]
        )
    raise CommandRefused([f"{named}: is no source and no kind; {nearest(named, [*endpoints, *providers()])}"])


def _local(settings: Settings, name: str) -> str:
    if settings.web.port == 0:
        raise CommandRefused(["web.port: is 0, so any; say with --url where the gateway listens"])
    host = settings.web.host
    host = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.web.port}/webhooks/{name}"


def _body(provider: Provider, order: Order, now: datetime) -> bytes:
    if order.body is not None:
        try:
            return order.body.read_bytes()
        except OSError as error:
            raise CommandRefused([f"{order.body}: cannot be read ({error.strerror})"]) from error
    make = provider.examples.get(order.own_type)
    if make is None:
        remedy = nearest(order.own_type, provider.examples) if provider.examples else "give one with --body"
        raise CommandRefused([f"{order.own_type}: {provider.kind} has no example of it; {remedy}"])
    return make(Example(order.token, now, order.amount_minor, order.currency.upper(), order.object_id))


def _usable(endpoint: WebhookEndpoint, now: datetime) -> bytes:
    provider = endpoint.provider
    if provider.known_half is not as_it_is:
        raise CommandRefused(
            [f"{endpoint.name}: signs with a key that only the provider holds; give a test key with --secret"]
        )
    for secret in endpoint.secrets:
        if secret.usable_at(now):
            return secret.value
    raise CommandRefused([f"sources.{endpoint.name}.secrets: none is valid now"])


def _signed(endpoint: WebhookEndpoint, body: bytes, secret: bytes, now: datetime) -> Sent:
    try:
        sent = endpoint.provider.signed(body, secret, now, url=endpoint.public_url)
    except (LookupError, ValueError) as error:
        raise CommandRefused([f"{endpoint.name}: {error}"]) from error
    except Refused as refused:
        raise CommandRefused([f"{endpoint.name}: the secret cannot be used; {refused.detail}"]) from refused
    if sent.remote_address:
        # Believed only by a gateway that trusts this machine as a proxy.
        sent = replace(sent, headers=(*sent.headers, ("X-Forwarded-For", sent.remote_address)))
    return sent


def _delivered(sent: Sent, url: str) -> httpx.Response:
    try:
        return httpx.request(
            sent.method,
            sent.target(url),
            content=sent.body,
            headers=list(sent.headers),
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise CommandRefused([f"--url: is not an address ({error})"]) from error
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise CommandRefused(
            [f"{url}: cannot be reached ({why}); is the gateway running?"], FAILED
        ) from error


def _told(response: httpx.Response) -> int:
    said = response.text[:SHOWN_CHARS]
    if response.is_success:
        sys.stdout.write(f"{response.status_code} {said}\n")
        return 0
    hint = "; see `gateway sources check` and the gateway's log" if response.status_code == 401 else ""
    raise CommandRefused([f"answered {response.status_code}: {said}{hint}"], FAILED)
