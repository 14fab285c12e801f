"""Secrets that are shown."""

import base64
from collections.abc import Callable

import pytest

from routers.call import Call
from routers.refusal import RefusalReason
from routers.verification import Secret, SharedToken, in_basic, in_header, in_path
from tests.unit.calls import NOW, SECRET, call, refusal

SECRETS = [Secret(SECRET)]


@pytest.mark.parametrize(
    "token, sent",
    [
        (SharedToken(in_header("x-token")), call(b"", [("X-Token", SECRET.decode())])),
        (SharedToken(in_path), Call(b"", path_secret=SECRET.decode())),
        (
            SharedToken(in_basic),
            call(b"", [("Authorization", "Basic " + base64.b64encode(SECRET).decode())]),
        ),
    ],
    ids=["header", "path", "basic"],
)
def test_a_shown_secret_opens(token: SharedToken, sent: Call) -> None:
    """And another does not."""
    token.verify(sent, [Secret(b"old"), *SECRETS], NOW)

    assert refusal(token.verify, sent, Secret(b"other")) is RefusalReason.SIGNATURE_WRONG


@pytest.mark.parametrize(
    "token, sent, reason",
    [
        (in_path, Call(b""), RefusalReason.HEADER_MISSING),
        (in_path, Call(b"", path_secret="\udcff"), RefusalReason.SIGNATURE_WRONG),
        (in_basic, call(b"", [("Authorization", "Bearer x")]), RefusalReason.HEADER_MALFORMED),
        (in_basic, call(b"", [("Authorization", "Basic %")]), RefusalReason.HEADER_MALFORMED),
        (in_basic, call(b"", [("Authorization", "Basic /w==")]), RefusalReason.HEADER_MALFORMED),
        (in_basic, call(b""), RefusalReason.HEADER_MISSING),
    ],
)
def test_each_way_to_fail(token: Callable[[Call], str], sent: Call, reason: RefusalReason) -> None:
    """Nothing there, another scheme, not base64, not UTF-8."""
    assert refusal(SharedToken(token).verify, sent) is reason
