"""Tokens of an identity provider (JWT), verified with the public keys that it publishes (JWKS)."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import jwt
import structlog
from jwt import PyJWK, PyJWKClient

from routers.rest.caller import Caller

log: Final = structlog.get_logger("routers.rest")

#: Public keys only: with a shared secret, whoever can verify could also sign.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
#: Clocks differ.
LEEWAY_SECONDS: Final = 30
#: A key that the provider has taken back opens nothing after that.
KEYS_LAST_SECONDS: Final = 300
#: A token with a key id that nobody knows makes us look, but not each one: strangers can write such tokens.
LOOK_AGAIN_AFTER_SECONDS: Final = 30
_LONGEST_SUBJECT: Final = 128


class Tokens:
    """
    Reads tokens. Their ``scope`` has the scopes of keys, ``bots`` (optional) the bots that they are for.

    The caller is ``jwt:<sub>``.
    """

    def __init__(
        self,
        jwks_url: str,
        *,
        issuer: str,
        audience: str,
        bots: Mapping[str, int],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = PyJWKClient(jwks_url, cache_jwk_set=False, timeout=5)
        self._issuer = issuer
        self._audience = audience
        self._bots = bots
        self._now = now
        self._keys: dict[str, PyJWK] = {}
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def read(self, text: str) -> Caller | None:
        """Return who the token *text* stands for; None: it proves nothing."""
        try:
            key = await self._key(jwt.get_unverified_header(text).get("kid", ""))
            if key is None:
                return None
            claims = jwt.decode(
                text,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.InvalidTokenError:
            return None
        return self._caller(claims)

    async def _key(self, key_id: str) -> PyJWK | None:
        async with self._looking:
            age = self._now() - self._looked_at
            known = self._keys.get(key_id)
            if age > (KEYS_LAST_SECONDS if known is not None else LOOK_AGAIN_AFTER_SECONDS):
                self._looked_at = self._now()
                await self._look()
            return self._keys.get(key_id)

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(self._client.get_jwk_set, refresh=True)
        except jwt.PyJWTError as error:
            # Without its keys no token can be believed, and none is.
            log.warning("the keys of the identity provider cannot be had", reason=type(error).__name__)
            self._keys = {}
            return
        self._keys = {key.key_id: key for key in found.keys if key.key_id is not None}

    def _caller(self, claims: Mapping[str, Any]) -> Caller | None:
        subject, scope, names = claims["sub"], claims.get("scope", ""), claims.get("bots")
        scopes = scope.split() if isinstance(scope, str) else scope
        if not isinstance(scopes, list) or len(subject) > _LONGEST_SUBJECT:
            return None
        if names is not None and not isinstance(names, list):
            return None
        bots = frozenset(self._bots[str(name)] for name in names or () if str(name) in self._bots)
        if names is not None and not bots:
            return None
        return Caller(f"jwt:{quote(subject, safe='')}", frozenset(map(str, scopes)), bots)
