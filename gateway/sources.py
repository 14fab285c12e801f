"""The configured sources, as the edge serves them and as the command line shows them."""

from collections.abc import Mapping
from datetime import timedelta

from gateway.reconciler import Pace
from gateway.settings import Settings
from gateway.settings.callers import SourceSettings
from routers.allowance import Allowance
from routers.dependencies import WebhookEndpoint
from routers.registry import providers
from routers.verification import Secret


def webhook_endpoints(settings: Settings) -> Mapping[str, WebhookEndpoint]:
    """Return one endpoint for each source."""
    return {name: _endpoint(settings, name, source) for name, source in settings.sources.items()}


def paces(settings: Settings) -> Mapping[str, Pace]:
    """Return how often each source's provider is asked for what never came."""
    return {
        name: Pace(timedelta(minutes=source.ask_every_minutes), timedelta(hours=source.ask_back_hours))
        for name, source in settings.sources.items()
    }


def public_address(settings: Settings, name: str) -> str:
    """Return what the provider calls for the source *name*; empty without `web.public_url`."""
    if settings.web.public_url is None:
        return ""
    return f"{str(settings.web.public_url).rstrip('/')}/webhooks/{name}"


def _endpoint(settings: Settings, name: str, source: SourceSettings) -> WebhookEndpoint:
    per_second = source.rate_per_second
    return WebhookEndpoint(
        name,
        providers()[source.kind].configured(source.options),
        [
            Secret(secret.value.get_secret_value().encode(), secret.not_before, secret.not_after)
            for secret in source.secrets
        ],
        public_url=public_address(settings, name),
        body_limit_bytes=settings.web.body_limit_bytes,
        allowance=Allowance(per_second) if per_second is not None else None,
    )
