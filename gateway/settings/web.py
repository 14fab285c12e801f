"""`[web]`: what the world reaches."""

from pydantic import Field, HttpUrl, IPvAnyNetwork

from gateway.settings.section import Section


class WebSettings(Section):
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8080, ge=0, le=65_535)
    """0: any free one, which is logged."""
    body_limit_bytes: int = Field(default=1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    drain_notice_seconds: float = Field(default=0, ge=0, le=300)
    """How long a stopping process goes on taking calls while `/readyz` says that it leaves.

    For a load balancer that looks now and then and passes a 503 on."""
    public_url: HttpUrl | None = None
    """How the world reaches us; what webhooks are registered under."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Whose `X-Forwarded-For` is believed. Without them a caller's address is that of the connection."""
