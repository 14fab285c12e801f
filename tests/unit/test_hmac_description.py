"""The kind `hmac`: how a described sender signs, and what is wrong with a description."""

import base64
import hashlib
import hmac
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook

from gateway.settings import SettingsError, load_settings
from routers.call import Call
from routers.generic.hmac_source import PROVIDER
from routers.provider import Example
from routers.refusal import RefusalReason, Refused
from routers.verification import Secret
from tests.unit.calls import NOW, SECRET, TOKEN, URL, call, genuine
from tests.unit.described import Change, described, events, read, signature


def mac(message: bytes, digest: str = "sha256") -> bytes:
    """The HMAC with the tests' secret."""
    return hmac.digest(SECRET, message, digest)


class TestSignature:
    """Every way to sign that options can describe, computed here by hand."""

    @pytest.mark.parametrize(
        "options, headers",
        [
            ({"header": "X-Sig"}, {"X-Sig": mac(b"BODY").hex()}),
            ({"header": "X-Sig", "prefix": "sha256="}, {"X-Sig": "sha256=" + mac(b"BODY").hex()}),
            (
                {"header": "X-Sig", "algorithm": "sha512", "encoding": "base64"},
                {"X-Sig": base64.b64encode(mac(b"BODY", "sha512")).decode()},
            ),
            (
                {"header": "X-Sig", "key": "sha256_of_text"},
                {"X-Sig": hmac.digest(hashlib.sha256(SECRET).digest(), b"BODY", "sha256").hex()},
            ),
            (
                {"header": "X-Sig", "signed": "{url}|{body}"},
                {"X-Sig": mac(URL.encode() + b"|BODY").hex()},
            ),
            (
                {
                    "header": "X-Sig",
                    "signed": "{id}.{timestamp}.{body}",
                    "id_header": "X-Id",
                    "timestamp_header": "X-Time",
                    "tolerance_seconds": 60,
                },
                {
                    "X-Sig": mac(b"7.%d.BODY" % NOW.timestamp()).hex(),
                    "X-Id": "7",
                    "X-Time": str(int(NOW.timestamp())),
                },
            ),
            (
                {
                    "header": "X-Sig",
                    "pairs": {"separator": ";", "timestamp": "ts", "signature": "h1"},
                    "signed": "{timestamp}:{body}",
                },
                {"X-Sig": f"ts=5;h1={mac(b'5:BODY').hex()}"},
            ),
        ],
        ids=["plain", "prefix", "sha512-base64", "derived-key", "url", "id-and-time", "pairs"],
    )
    def test_a_signature_is_taken_and_another_body_refused(
        self, options: dict[str, Any], headers: dict[str, str]
    ) -> None:
        """By the description alone."""
        verify = described(signature(**options)).verify
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

        verify(Call(b"BODY", raw, public_url=URL), [Secret(b"another"), Secret(SECRET)], NOW)
        with pytest.raises(Refused) as caught:
            verify(Call(b"BODY ", raw, public_url=URL), [Secret(SECRET)], NOW)
        assert caught.value.reason is RefusalReason.SIGNATURE_WRONG

    def test_the_standard_scheme_needs_no_more_words(self) -> None:
        """So that a sender of Standard Webhooks can have amounts, too."""
        provider = described(signature(scheme="standardwebhooks"))
        body = b'{"type":"order.paid"}'
        secret = "whsec_" + base64.b64encode(b"a secret").decode()
        headers = [
            ("webhook-id", "m"),
            ("webhook-timestamp", str(int(NOW.timestamp()))),
            ("webhook-signature", Webhook(secret).sign("m", NOW, body.decode())),
        ]

        provider.verify(call(body, headers), [Secret(secret.encode())], NOW)

    @pytest.mark.parametrize("seconds, fits", [(59, True), (61, False), (-61, False)])
    def test_the_tolerance_holds_both_ways(self, seconds: int, fits: bool) -> None:
        """As many seconds as the options say."""
        provider = described(lambda options: options["signature"].update(tolerance_seconds=60))
        sent = genuine(provider, "order.paid", Example(TOKEN, NOW - timedelta(seconds=seconds)))

        if fits:
            provider.verify(sent, [Secret(SECRET)], NOW)
        else:
            with pytest.raises(Refused):
                provider.verify(sent, [Secret(SECRET)], NOW)


@pytest.mark.parametrize(
    "change, where, remedy",
    [
        (signature(header="X", prefix="a", pairs={}), "signature", "one form"),
        (signature(), "signature", "needs header"),
        (signature(header="X", signed="{timestamp}"), "signature", "{body}"),
        (signature(header="X", signed="{timestamp}.{body}"), "signature", "timestamp_header or pairs"),
        (signature(header="X", signed="{id}.{body}"), "signature", "id_header"),
        (signature(header="X", signed="{nonce}.{body}"), "signature", "possible are body"),
        (signature(header="X", signed="{body"), "signature", "brace"),
        (signature(header="X", signed="{body}{}"), "signature", "possible are body"),
        (signature(header="X", tolerance_seconds=5), "signature", "{timestamp} into signed"),
        (signature(header="X Y"), "signature.header", ""),
        (signature(scheme="standardwebhooks", header="X"), "signature", "remove it"),
        (read(type=None), "read", "needs one of type"),
        (read(type_header="X"), "read", "needs one of type"),
        (read(object="data["), "read.object", "is not JMESPath"),
        (read(amount=None), "", "events.order.paid: payment.succeeded is about money"),
        (events(a="payment.won"), "events.a", "possible are booking.canceled"),
        (events(a="payment.mismatched"), "events.a", "is not an event"),
        (events(a={"event": "booking.created", "reason": "x"}), "events.a", "possible are ends_at"),
        (events(a={"event": "booking.created", "title": "x["}), "events.a.title", "is not JMESPath"),
    ],
)
def test_a_wrong_description_is_told_with_its_place_and_remedy(
    change: Change, where: str, remedy: str
) -> None:
    """At the start, not with the first call."""
    with pytest.raises(ValidationError) as caught:
        described(change)

    [error] = caught.value.errors()
    assert ".".join(str(part) for part in error["loc"]) == where
    assert remedy in error["msg"]


def test_an_operator_reads_a_line_for_each_mistake(tmp_path: Path) -> None:
    """With its place in the file and what to do, before anything listens."""
    file = tmp_path / "gateway.toml"
    file.write_text(
        """
[telegram.bots.main]
token = "1:a"
secret_token = "s"
[sources.shop]
kind = "hmac"
secrets = ["s"]
[sources.shop.options]
signature = {header = "X-Sig", signed = "{timestamp}.{body}"}
read = {type = "data[", id = "id"}
"""
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {}, source_kinds=["hmac"], source_options={"hmac": PROVIDER.options})

    signature, read = sorted(caught.value.problems, reverse=True)
    assert signature.startswith("sources.shop.options.signature: signed: holds {timestamp}; say where")
    assert read.startswith("sources.shop.options.read.type: is not JMESPath")
