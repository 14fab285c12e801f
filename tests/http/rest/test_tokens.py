"""Tokens of an identity provider, as the alternative to a key."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pydantic import HttpUrl

from gateway.settings.jwt import JwtSettings
from tests.http.rest.conftest import USER, Rest

ISSUER, AUDIENCE = "https://id.example", "the-gateway"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())


class Provider:
    """An identity provider that publishes two keys, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        keys = [
            {**json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "rsa", "alg": "RS256", "use": "sig"},
            {**json.loads(ECAlgorithm.to_jwk(EC.public_key())), "kid": "ec", "alg": "ES256", "use": "sig"},
        ]
        body = json.dumps({"keys": keys}).encode()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            """Answers everything with the keys."""

            def do_GET(self) -> None:
                """Answer."""
                provider.asked += 1
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where the keys are."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/jwks.json"


@pytest.fixture
def provider() -> Iterator[Provider]:
    """The running provider."""
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, daemon=True)
    thread.start()
    yield provider
    provider.server.shutdown()
    thread.join()
    provider.server.server_close()


@pytest.fixture
def configured(provider: Provider) -> dict[str, Any]:
    """The gateway believes the provider."""
    section = JwtSettings(jwks_url=HttpUrl(provider.url), issuer=ISSUER, audience=AUDIENCE)
    return {"jwt": section}


def token(key: Any = EC, kid: str = "ec", algorithm: str = "ES256", **claims: Any) -> dict[str, str]:
    """The header that carries a token."""
    said = {"sub": "crm|7", "iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 300, "scope": "state:read"}
    said = {name: value for name, value in {**said, **claims}.items() if value is not None}
    text = jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid})
    return {"Authorization": f"Bearer {text}"}


def confused() -> dict[str, str]:
    """A token signed with the public key as if it were a shared secret."""
    secret = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header, claims, _ = token(RSA, "rsa", "RS256")["Authorization"].removeprefix("Bearer ").split(".")
    header = _base64(json.dumps({"alg": "HS256", "kid": "rsa", "typ": "JWT"}).encode())
    signature = hmac.digest(secret, f"{header}.{claims}".encode(), "sha256")
    return {"Authorization": f"Bearer {header}.{claims}.{_base64(signature)}"}


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def test_a_token_opens_what_its_scopes_say(rest: Rest, provider: Provider) -> None:
    """With either kind of key; the provider is asked for its keys once."""
    for headers in (token(), token(RSA, "rsa", "RS256"), token(scope=["state:read"])):
        assert (await rest.client.get("/v1/bots", headers=headers)).status_code == 200
        assert (await rest.client.get("/v1/parked", headers=headers)).status_code == 403

    assert provider.asked == 1


async def test_what_a_token_changes_stands_under_its_subject(rest: Rest) -> None:
    """So that a history says which service it was, and no key can pretend to be it."""
    home = f"/v1/bots/main/users/{USER}"
    moved = await rest.client.put(
        f"{home}/state", json={"state": "Shop:paid"}, headers=token(scope="state:write")
    )
    history = await rest.client.get(f"{home}/history", headers=token())

    assert moved.status_code == 200
    assert history.json()["transitions"][0]["source"] == "api:jwt:crm%7C7"


async def test_a_token_for_certain_bots_sees_those(rest: Rest) -> None:
    """By name or id; one for bots that are not here opens nothing."""
    theirs = await rest.client.get("/v1/bots", headers=token(bots=["main"]))
    none = await rest.client.get("/v1/bots", headers=token(bots=["other"]))

    assert [each["name"] for each in theirs.json()["bots"]] == ["main"]
    assert none.status_code == 401


@pytest.mark.parametrize(
    "audience", ["another", ["another", "a third"], "the-gateway-2", "the", "", [], None]
)
async def test_a_token_for_another_audience_opens_nothing(rest: Rest, audience: Any) -> None:
    """It was given to be shown elsewhere; whoever received it there must not come here with it."""
    assert (await rest.client.get("/v1/bots", headers=token(aud=audience))).status_code == 401


async def test_a_token_for_several_audiences_opens_if_we_are_one(rest: Rest) -> None:
    """As RFC 7519 has it."""
    assert (await rest.client.get("/v1/bots", headers=token(aud=["another", AUDIENCE]))).status_code == 200


async def test_what_does_not_prove_who_sent_it_is_refused_alike(rest: Rest, provider: Provider) -> None:
    """Another audience, issuer or time, a stranger's key, a confused algorithm, no signature at all."""
    forged = [
        token(aud="another"),
        token(iss="https://other.example"),
        token(exp=time.time() - 60),
        token(nbf=time.time() + 600),
        token(exp=None),
        token(sub=None),
        token(STRANGER),
        token(STRANGER, "unknown"),
        confused(),
        token(None, "ec", "none"),
        token(sub="x" * 200),
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer .."},
    ]

    answers = [await rest.client.get("/v1/bots", headers=headers) for headers in forged]

    unknown = await rest.client.get("/v1/bots", headers={"Authorization": "Bearer nonsense"})
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, unknown.content)}
    assert provider.asked <= 2, "strangers must not make us ask each time"


async def test_without_the_providers_keys_no_token_opens_anything(rest: Rest, provider: Provider) -> None:
    """Keys of the gateway's own still do."""
    provider.server.shutdown()
    provider.server.server_close()

    assert (await rest.client.get("/v1/bots", headers=token())).status_code == 401
    assert (await rest.ask("GET", "/v1/bots")).status_code == 200
