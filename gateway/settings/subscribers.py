"""`[subscribers]`: services that are told of changes of state."""

import base64
import binascii
from typing import Annotated, Self

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, field_validator, model_validator

from gateway.settings.section import Section

_PREFIX = "whsec_"
#: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
_SECRET_BYTES = (24, 64)


class SubscriberSettings(Section):
    url: HttpUrl
    """Where each word is posted to."""
    secret: SecretStr
    """``whsec_`` and 24 to 64 random bytes in base64: the subscriber proves our calls with it."""
    on: tuple[Annotated[str, StringConstraints(min_length=4, max_length=300)], ...] = Field(min_length=1)
    """Changes of state: ``* -> Booking:confirmed``, ``booking: * -> confirmed``, ``Booking:* -> none``."""
    allow_private_network: bool = False
    """Its address may be one of a private network, and without TLS."""
    timeout_seconds: float = Field(default=10, gt=0, le=60)
    attempts: int = Field(default=16, ge=1, le=100)
    """With the default about a day passes before a word is given up."""
    concurrency: int = Field(default=8, ge=1, le=256)
    """Words on their way at once, from one process."""

    @field_validator("secret")
    @classmethod
    def _is_a_signing_secret(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            key = b""
        least, most = _SECRET_BYTES
        if not text.startswith(_PREFIX) or not least <= len(key) <= most:
            raise ValueError(
                'must be whsec_ and 24 to 64 bytes in base64: echo "whsec_$(openssl rand -base64 32)"'
            )
        return secret

    @model_validator(mode="after")
    def _speaks_tls(self) -> Self:
        if self.url.scheme != "https" and not self.allow_private_network:
            raise ValueError("url must be https; set allow_private_network for a service inside your network")
        return self
