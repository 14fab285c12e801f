"""A digest over fields, which is one of them."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from routers.call import Call
from routers.refusal import RefusalReason
from routers.verification import FieldScheme, Secret
from tests.unit.calls import NOW, SECRET, call, refusal
from tests.unit.schemes import CHOSEN, SORTED

SECRETS = [Secret(SECRET)]


def test_sorted_values_with_the_secret() -> None:
    """Numbers count as their literal text, true and false as words, nested values not at all."""
    token = hashlib.sha256(b"1.50trueab" + SECRET).hexdigest()
    body = b'{"b":1.50,"c":true,"d":"ab","e":{"x":1},"f":null,"Token":"%b"}' % token.encode()

    SORTED.verify(call(body), SECRETS, NOW)
    assert refusal(SORTED.verify, call(body.replace(b"1.50", b"1.5"))) is RefusalReason.SIGNATURE_WRONG


def test_chosen_fields_of_a_form_by_hmac() -> None:
    """In their order, whatever the form's; the signature's case does not matter where it is said so."""
    sign = hmac.digest(SECRET, "é;".encode(), "md5").hex().upper()

    CHOSEN.verify(call(f"x=1&a=%C3%A9&sign={sign}".encode()), SECRETS, NOW)
    CHOSEN.verify(Call(b"", query=f"sign={sign}&a=%C3%A9".encode(), method="GET"), SECRETS, NOW)


@pytest.mark.parametrize(
    "scheme, body, reason",
    [
        (SORTED, b"", RefusalReason.BODY_MALFORMED),
        (SORTED, b"[1]", RefusalReason.BODY_MALFORMED),
        (SORTED, b"{}", RefusalReason.BODY_MALFORMED),
        (SORTED, b'{"Token":""}', RefusalReason.BODY_MALFORMED),
        (SORTED, b'{"Token":"\xff"}', RefusalReason.BODY_MALFORMED),
        (SORTED, b'{"Token":NaN}', RefusalReason.BODY_MALFORMED),
        (SORTED, b'{"Token":"x","a":"\\ud800"}', RefusalReason.BODY_MALFORMED),
        (SORTED, b'{"Token":"\xc3\xa9"}', RefusalReason.SIGNATURE_WRONG),
        (SORTED, b'{"Token":{"x":1}}', RefusalReason.BODY_MALFORMED),
        (SORTED, b"[" * 100_000, RefusalReason.BODY_MALFORMED),
        (SORTED, b'{"a":' * 70 + b"1" + b"}" * 70, RefusalReason.BODY_MALFORMED),
        (CHOSEN, b"sign=1&sign=2", RefusalReason.BODY_MALFORMED),
        (CHOSEN, b"sign=%FF", RefusalReason.BODY_MALFORMED),
        (CHOSEN, b"sign=\xff", RefusalReason.BODY_MALFORMED),
        (CHOSEN, b"sign", RefusalReason.BODY_MALFORMED),
        (CHOSEN, b"&".join(b"f%d=1" % each for each in range(201)), RefusalReason.BODY_MALFORMED),
        (CHOSEN, b"a=1&b=2&sign=00", RefusalReason.SIGNATURE_WRONG),
    ],
)
def test_each_way_to_fail_is_the_one_refusal(scheme: FieldScheme, body: bytes, reason: RefusalReason) -> None:
    """Absent, empty, repeated, in another charset, nested too deeply, too many."""
    assert refusal(scheme.verify, call(body)) is reason


def test_an_old_and_a_new_secret_count() -> None:
    """While it is rolled, both do."""
    body = json.dumps({"Token": hashlib.sha256(b"old").hexdigest()}).encode()

    SORTED.verify(call(body), [Secret(b"new"), Secret(b"old")], NOW)
    assert refusal(SORTED.verify, call(body), Secret(b"old", not_after=NOW - timedelta(1))) is (
        RefusalReason.NO_USABLE_SECRET
    )
