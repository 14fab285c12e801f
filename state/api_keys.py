"""Keys of services that call the REST interface: shown once, kept as digests."""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from state.grouping import GroupedCalls
from state.keys import Keys
from state.packing import pack, unpack
from state.snapshot import pairs

_FORM: Final = re.compile(r"gwk_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_NO_DIGEST: Final = bytes(32)
_QUOTA_SECONDS: Final = 10


class Scope(Enum):
    """What a key may do."""

    STATE_READ = "state:read"
    STATE_WRITE = "state:write"
    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_WRITE = "operations:write"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One service's key, without its secret."""

    id: str
    name: str
    """Its events come from the source ``api:<name>``, within which their idempotency keys are unique."""
    scopes: frozenset[Scope]
    bots: frozenset[int]
    """Empty: every bot."""
    created_at_ms: int
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None
    per_second: int | None = None

    def usable(self, now_ms: int) -> bool:
        """Tell whether it opens anything now."""
        return self.revoked_at_ms is None and (self.expires_at_ms is None or now_ms < self.expires_at_ms)


class ApiKeys:
    """Makes, finds and revokes keys."""

    def __init__(self, calls: GroupedCalls, keys: Keys) -> None:
        self._calls = calls
        self._keys = keys

    async def create(
        self,
        name: str | None,
        scopes: frozenset[Scope],
        *,
        bots: frozenset[int] = frozenset(),
        now_ms: int,
        expires_at_ms: int | None = None,
        per_second: int | None = None,
    ) -> tuple[ApiKey, str]:
        """
        Return a new key and its text, which is known to nobody afterwards.

        *name* is the key's id unless given. Two keys of one name are one source: so a key is replaced by the
        next without a gap.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
        key_id = "".join(secrets.choice(alphabet) for _ in range(12))
        secret = secrets.token_urlsafe(32)
        key = ApiKey(key_id, name or key_id, scopes, bots, now_ms, expires_at_ms, None, per_second)
        await self._save(key, _digest(secret))
        return key, f"gwk_{key_id}_{secret}"

    async def find(self, text: str) -> ApiKey | None:
        """
        Return the key whose text is *text*, revoked and expired ones too; compared in constant time.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        match = _FORM.fullmatch(text)
        key_id, secret = (match[1], match[2]) if match else ("", "")
        stored = await self._calls.command("HGET", self._keys.api_keys, key_id)
        key, digest = _unpack(key_id, stored) if stored is not None else (None, _NO_DIGEST)
        return key if hmac.compare_digest(digest, _digest(secret)) else None

    async def all(self) -> Sequence[ApiKey]:
        """Return every key, the oldest first."""
        rows = await self._calls.command("HGETALL", self._keys.api_keys)
        keys = [_unpack(key_id.decode(), stored)[0] for key_id, stored in pairs(rows).items()]
        return sorted(keys, key=lambda key: (key.created_at_ms, key.id))

    async def revoke(self, key_id: str, *, now_ms: int) -> bool:
        """Let the key open nothing from now on; False: there is none of that id."""
        stored = await self._calls.command("HGET", self._keys.api_keys, key_id)
        if stored is None:
            return False
        key, digest = _unpack(key_id, stored)
        await self._save(replace(key, revoked_at_ms=key.revoked_at_ms or now_ms), digest)
        return True

    async def within_limit(self, key: ApiKey, now_ms: int) -> bool:
        """Count one call; False: the key has used up its calls of this second."""
        if key.per_second is None:
            return True
        name = self._keys.quota(key.id, now_ms // 1000)
        # In this order within one round trip: the counter has its expiry before it counts.
        _, count = await asyncio.gather(
            self._calls.command("SET", name, 0, "NX", "EX", _QUOTA_SECONDS),
            self._calls.command("INCR", name),
        )
        return int(count) <= key.per_second

    async def _save(self, key: ApiKey, digest: bytes) -> None:
        packed = pack(
            (
                key.name,
                digest,
                sorted(scope.value for scope in key.scopes),
                sorted(key.bots),
                key.created_at_ms,
                key.expires_at_ms,
                key.revoked_at_ms,
                key.per_second,
            )
        )
        await self._calls.command("HSET", self._keys.api_keys, key.id, packed)


def _digest(secret: str) -> bytes:
    # The secret is 256 random bits, so one round of a plain digest cannot be guessed backwards.
    return hashlib.sha256(secret.encode()).digest()


def _unpack(key_id: str, stored: bytes) -> tuple[ApiKey, bytes]:
    name, digest, scopes, bots, created, expires, revoked, per_second = unpack(stored)
    key = ApiKey(
        key_id, name, frozenset(map(Scope, scopes)), frozenset(bots), created, expires, revoked, per_second
    )
    return key, digest
