"""
No input breaks a verifier or a translator, and none opens without the secret.

How many inputs each of them sees is GATEWAY_FUZZ_INPUTS: a thousand by default, a hundred thousand in
`make chaos`. Each input is a step of a seeded walk, the same in every run: genuine calls with something
changed, and bytes, JSON and forms out of the words that the provider uses.
"""

import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from routers.call import Call
from routers.document import Unreadable
from routers.provider import Proof, Provider, Received, Translation, unreadable
from routers.refusal import Refused
from routers.verification import Secret
from tests.unit.calls import NOW, TOKEN, genuine, known, registered

INPUTS = int(os.environ.get("GATEWAY_FUZZ_INPUTS", "1000"))
OTHERS_SECRET = Secret(b"whsec_bm90IHRoZSBzZWNyZXQ=")
PROVIDERS = [pytest.param(provider, id=kind) for kind, provider in registered().items()]

NUMBERS = [0, -1, 1, 2**63, 10**40, 1.5, 1e-8, 1e400, float("nan")]
TEXTS = [
    "",
    "0",
    "-1",
    "1e3",
    "42.00",
    "٣",
    "\ud800",
    "\x00",
    "é" * 300,
    "a" * 5000,
    TOKEN,
    "EUR",
    "jpy",
    "tr_abcd",
]
TIMES = ["2026-11-24T12:00:00Z", "2026-13-99", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
NESTED: list[object] = [[], {}, [[]], [{}], [None], {"": {}}, {"value": "1.00", "currency": "EUR"}]
ODD: list[object] = [None, True, False, *NUMBERS, *TEXTS, *TIMES, *NESTED]


def words_of(value: object) -> Iterator[str]:
    """Every name that stands in *value*."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from words_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words_of(inner)


class Walk:
    """Inputs for one provider, made out of its own examples."""

    def __init__(self, provider: Provider, chance: random.Random) -> None:
        self._chance = chance
        self._genuine = [genuine(provider, own_type) for own_type in provider.examples]
        self._documents = [document for call in self._genuine for document in _documents(call)]
        self._words = sorted({word for each in self._documents for word in words_of(each)} | {"id", "type"})

    def call(self) -> Call:
        """The next input."""
        start = self._chance.choice(self._genuine)
        changes: list[Callable[[Call], Call]] = [
            self._other_body,
            self._other_fact,
            self._other_header,
            self._other_query,
            self._other_way,
            self._no_headers,
        ]
        for change in self._chance.choices(changes, k=self._chance.randint(1, 2)):
            start = change(start)
        return start

    def _other_body(self, call: Call) -> Call:
        return replace(call, body=self._content(call.body))

    def _other_fact(self, call: Call) -> Call:
        if call.fetched is None and not call.evidence:
            return self._other_body(call)
        fetched = None if call.fetched is None else self._content(call.fetched)
        return replace(call, fetched=fetched, evidence=self._content(call.evidence))

    def _other_header(self, call: Call) -> Call:
        headers = list(call.headers)
        if not headers:
            return self._other_body(call)
        place = self._chance.randrange(len(headers))
        name, value = headers[place]
        match self._chance.randrange(4):
            case 0:
                headers.append((name, value))
            case 1:
                headers[place] = (name, self._damaged(value))
            case 2:
                headers[place] = (name, b"x" * 5000)
            case _:
                headers[place] = (
                    name,
                    self._chance.choice([b"", b"\xff", b"t=1,v1=", b"sha256=", b"Basic =", b"0"]),
                )
        return replace(call, headers=headers)

    def _other_query(self, call: Call) -> Call:
        return replace(call, query=self._damaged(call.query or call.body), method="GET")

    def _other_way(self, call: Call) -> Call:
        return replace(
            call,
            remote_address=self._chance.choice(
                ["", "::", "1.2.3.4", "x", "::ffff:185.71.76.1", "185.71.76.1"]
            ),
            path_secret=self._chance.choice(["", "\udcff", "secret", "a" * 1000]),
            public_url=self._chance.choice(["", "https://elsewhere.example"]),
        )

    def _no_headers(self, call: Call) -> Call:
        return replace(call, headers=())

    def _content(self, content: bytes) -> bytes:
        match self._chance.randrange(5):
            case 0:
                return self._chance.randbytes(self._chance.randint(0, 60))
            case 1:
                return self._damaged(content)
            case 2:
                fields = {word: str(self._chance.choice(ODD)) for word in self._some_words()}
                return urlencode(fields, errors="replace").encode()
            case _:
                return json.dumps(self._document()).encode()

    def _damaged(self, content: bytes) -> bytes:
        damaged = bytearray(content)
        for _ in range(self._chance.randint(1, 3)):
            place = self._chance.randint(0, len(damaged))
            damaged[place : place + self._chance.randint(0, 4)] = self._chance.randbytes(
                self._chance.randint(0, 3)
            )
        return bytes(damaged)

    def _document(self) -> object:
        """One of the examples with some values changed, or something made of the provider's words."""
        if not self._documents or self._chance.random() < 0.2:
            return {word: self._chance.choice(ODD) for word in self._some_words()}
        return self._changed(self._chance.choice(self._documents))

    def _changed(self, value: object) -> object:
        if self._chance.random() < 0.08:
            return self._chance.choice(ODD)
        if isinstance(value, dict):
            return {
                name: self._changed(inner) for name, inner in value.items() if self._chance.random() > 0.03
            }
        if isinstance(value, list):
            return [self._changed(inner) for inner in value]
        return value

    def _some_words(self) -> list[str]:
        return self._chance.sample(self._words, min(len(self._words), self._chance.randint(0, 8)))


def _documents(call: Call) -> Iterator[object]:
    for content in (call.body, call.fetched or b""):
        try:
            yield json.loads(content)
        except ValueError:
            continue


def outcome(provider: Provider, call: Call) -> Translation:
    """What a translator makes of a call that is believed; all else than these two ends the test."""
    try:
        translation = provider.translate(call, NOW)
    except Unreadable:
        return unreadable(provider.kind, call, NOW)
    assert len(translation.idempotency_key) <= 200
    translation.event.encode()
    return translation


@pytest.mark.timeout(0)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_input_breaks_a_provider(provider: Provider) -> None:
    """
    Verifying ends with nothing or with the one refusal, translating with an event or as unreadable.

    And an answer can be written for whatever was taken.
    """
    secrets = [OTHERS_SECRET, known(provider)]
    walk = Walk(provider, random.Random(1))
    for _ in range(INPUTS):
        call = walk.call()
        try:
            provider.verify(call, secrets, NOW)
            for ask in (provider.evidence, provider.lookup):
                if ask is not None:
                    ask(call, secrets, NOW)
        except Refused:
            pass
        translation = outcome(provider, call)
        provider.answer(Received(call, translation, secrets, NOW))


ASKABLE = [
    pytest.param(provider, id=kind) for kind, provider in registered().items() if provider.inquiry is not None
]
assert ASKABLE


@pytest.mark.timeout(0)
@pytest.mark.parametrize("provider", ASKABLE)
def test_no_answer_of_an_api_breaks_an_inquiry(provider: Provider) -> None:
    """It is a page of calls that can be translated, or unreadable."""
    assert provider.inquiry is not None
    walk = Walk(provider, random.Random(2))
    for step in range(INPUTS):
        content = walk.call().content
        for name in (b"items", b"data", b"Payments", b"Model", b"payments"):
            wrapped = b'{"%b":%b%b%b,"_embedded":{"payments":[%b]}}' % (
                name, b"[" * (step % 2), content, b"]" * (step % 2), content
            )  # fmt: skip
            try:
                page = provider.inquiry.read(wrapped)
            except Unreadable:
                continue
            for call in page.calls:
                outcome(provider, call)


#: Not those that ask the API for what happened, or for the key: there a secret of ours proves nothing.
HELD_TO_THEIR_SECRET = [
    pytest.param(provider, id=kind)
    for kind, provider in registered().items()
    if provider.proof is not Proof.API and provider.example_evidence is None
]
assert HELD_TO_THEIR_SECRET


@pytest.mark.timeout(0)
@pytest.mark.parametrize("provider", HELD_TO_THEIR_SECRET)
def test_no_input_opens_without_the_secret(provider: Provider) -> None:
    """Genuine calls, changed and unchanged, against a secret that their sender does not hold."""
    walk = Walk(provider, random.Random(0))
    for _ in range(INPUTS):
        with pytest.raises(Refused):
            provider.verify(walk.call(), [OTHERS_SECRET], NOW)
