"""`[jwt]`: tokens of an identity provider, beside the gateway's own keys."""

from pydantic import Field, HttpUrl

from gateway.settings.section import Section


class JwtSettings(Section):
    jwks_url: HttpUrl
    """Where the provider publishes its public keys."""
    issuer: str = Field(min_length=1)
    """What a token must say in `iss`."""
    audience: str = Field(min_length=1)
    """What a token must say in `aud`, so that one made for another service opens nothing here."""
