"""The schemes beyond HMAC over a body: fields, canonical JSON, public keys, tokens, networks."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.call import Call
from routers.form import parse_form
from routers.literal_json import canonical, parse_literal
from routers.refusal import RefusalReason, Refused
from routers.verification import (
    AllowedNetworks,
    FieldScheme,
    HmacScheme,
    KeyForm,
    PublicKeyScheme,
    Secret,
    SharedToken,
    Verifier,
    all_of,
    any_of,
    form_fields,
    in_basic,
    in_header,
    in_path,
    joined,
)
from routers.verification.public_key import ec_p256, rsa_certificate
from tests.unit.calls import NOW, SECRET, call

BODY = b'{"id":"evt_1"}'
SECRETS = [Secret(SECRET)]
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)

SORTED = FieldScheme(
    "Token",
    lambda fields, secret: (
        "".join(fields[name] for name in sorted(fields) if name != "Token").encode() + secret
    ),
)
CHOSEN = FieldScheme(
    "sign", joined(";", ["a", "b"]), fields=form_fields, digest="md5", keyed=True, any_case=True
)
ECDSA = PublicKeyScheme("X-Sign", ec_p256, lambda each: each.body)
RSA = PublicKeyScheme("x-sig", rsa_certificate, lambda each: each.body, fetched=True)


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, as a PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def certificate(key: rsa.RSAPrivateKey) -> bytes:
    """A certificate of the public half, as a PEM."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def refusal(verify: Verifier, refused: Call, *secrets: Secret) -> RefusalReason:
    """The reason for which *verify* refuses *refused*."""
    with pytest.raises(Refused) as caught:
        verify(refused, secrets or SECRETS, NOW)
    return caught.value.reason


class TestFields:
    """A digest over fields, which is one of them."""

    def test_sorted_values_with_the_secret(self) -> None:
        """Numbers count as their literal text, true and false as words, nested values not at all."""
        token = hashlib.sha256(b"1.50trueab" + SECRET).hexdigest()
        body = b'{"b":1.50,"c":true,"d":"ab","e":{"x":1},"f":null,"Token":"%b"}' % token.encode()

        SORTED.verify(call(body), SECRETS, NOW)
        assert refusal(SORTED.verify, call(body.replace(b"1.50", b"1.5"))) is RefusalReason.SIGNATURE_WRONG

    def test_chosen_fields_of_a_form_by_hmac(self) -> None:
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
    def test_each_way_to_fail_is_the_one_refusal(
        self, scheme: FieldScheme, body: bytes, reason: RefusalReason
    ) -> None:
        """Absent, empty, repeated, in another charset, nested too deeply, too many."""
        assert refusal(scheme.verify, call(body)) is reason

    def test_an_old_and_a_new_secret_count(self) -> None:
        """While it is rolled, both do."""
        body = json.dumps({"Token": hashlib.sha256(b"old").hexdigest()}).encode()

        SORTED.verify(call(body), [Secret(b"new"), Secret(b"old")], NOW)
        assert refusal(SORTED.verify, call(body), Secret(b"old", not_after=NOW - timedelta(1))) is (
            RefusalReason.NO_USABLE_SECRET
        )


class TestCanonicalJson:
    """JSON as it is signed."""

    @pytest.mark.parametrize(
        "body, written",
        [
            (b'{"b":1,"a":[{"d":2,"c":3}]}', b'{"a":[{"c":3,"d":2}],"b":1}'),
            (b'{"x": 1e-8, "y": 10.0, "z": -0}', b'{"x":1e-8,"y":10.0,"z":-0}'),
            ('{"é":"\\u20ac"}'.encode(), '{"é":"€"}'.encode()),
            (b'{"t":true,"f":false,"n":null}', b'{"f":false,"n":null,"t":true}'),
            (b'{"q":"a\\"\\\\\\n\\u0001/"}', b'{"q":"a\\"\\\\\\n\\u0001/"}'),
        ],
    )
    def test_keys_are_sorted_and_numbers_left_alone(self, body: bytes, written: bytes) -> None:
        """Python would write 1e-8 as 1e-08, and a float loses digits."""
        assert canonical(parse_literal(body)) == written

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=20,
        )
    )
    def test_what_is_written_means_the_same(self, value: object) -> None:
        """Nothing is lost or changed but the order of keys."""
        assert json.loads(canonical(parse_literal(json.dumps(value).encode()))) == value


class TestKeys:
    """HMAC keys that are written in another form than text."""

    @pytest.mark.parametrize("key, written", [(KeyForm.HEX, b"6B6579"), (KeyForm.BASE64, b"whsec_a2V5")])
    def test_a_key_is_read_in_its_form(self, key: KeyForm, written: bytes) -> None:
        """And a secret in another form opens nothing."""
        scheme = HmacScheme("x-sig", key=key)
        sent = call(BODY, [("x-sig", hmac.new(b"key", BODY, "sha256").hexdigest())])

        scheme.verify(sent, [Secret(written)], NOW)
        assert refusal(scheme.verify, sent, Secret(b"whsec_%%%")) is RefusalReason.KEY_UNUSABLE

    def test_another_form_of_the_body_can_be_signed(self) -> None:
        """For those who sign what they have parsed."""
        scheme = HmacScheme("x-sig", digest="sha512", signed_body=lambda body: canonical(parse_literal(body)))
        signature = hmac.new(SECRET, b'{"a":1e-8,"b":2}', "sha512").hexdigest()

        scheme.verify(call(b'{"b": 2, "a": 1e-8}', [("x-sig", signature)]), SECRETS, NOW)


class TestPublicKeys:
    """Keys of the provider."""

    @pytest.mark.parametrize("written", [pem(EC_KEY), base64.b64encode(pem(EC_KEY))])
    def test_ecdsa(self, written: bytes) -> None:
        """The key as a PEM or as the base64 of one."""
        signature = base64.b64encode(EC_KEY.sign(BODY, ec.ECDSA(SHA256()))).decode()

        ECDSA.verify(call(BODY, [("X-Sign", signature)]), [Secret(b"other"), Secret(written)][1:], NOW)

    def test_rsa_by_a_fetched_certificate(self) -> None:
        """The key comes with the call's evidence."""
        signature = base64.b64encode(RSA_KEY.sign(BODY, padding.PKCS1v15(), SHA256())).decode()
        sent = call(BODY, [("x-sig", signature)])
        proven = Call(sent.body, sent.headers, evidence=certificate(RSA_KEY))

        RSA.verify(proven, SECRETS, NOW)
        assert refusal(RSA.verify, sent) is RefusalReason.KEY_UNUSABLE

    @pytest.mark.parametrize(
        "written",
        [
            b"x",
            b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            pem(ec.generate_private_key(ec.SECP384R1())),
            RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        ],
    )
    def test_another_key_opens_nothing(self, written: bytes) -> None:
        """Garbage, another curve, another algorithm."""
        assert refusal(ECDSA.verify, call(BODY, [("X-Sign", "AAAA")]), Secret(written)) is (
            RefusalReason.KEY_UNUSABLE
        )

    @pytest.mark.parametrize("signature", ["", "x", "AAAA", "%%%%", base64.b64encode(b"0" * 70).decode()])
    def test_another_signature_is_refused(self, signature: str) -> None:
        """Not base64, not DER, not by this key."""
        assert refusal(ECDSA.verify, call(BODY, [("X-Sign", signature)]), Secret(pem(EC_KEY))) is (
            RefusalReason.SIGNATURE_WRONG
        )


class TestTokensAndNetworks:
    """Secrets that are shown, addresses that are known."""

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
    def test_a_shown_secret_opens(self, token: SharedToken, sent: Call) -> None:
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
    def test_each_way_to_fail(self, token: Callable[[Call], str], sent: Call, reason: RefusalReason) -> None:
        """Nothing there, another scheme, not base64, not UTF-8."""
        assert refusal(SharedToken(token).verify, sent) is reason

    def test_verifiers_can_be_combined(self) -> None:
        """All of them, or any of them."""
        network, token = AllowedNetworks.of("10.0.0.1").verify, SharedToken(in_path).verify
        both = Call(b"", remote_address="10.0.0.1", path_secret=SECRET.decode())
        one = Call(b"", remote_address="10.0.0.1")

        all_of(network, token)(both, SECRETS, NOW)
        any_of(token, network)(one, SECRETS, NOW)
        assert refusal(all_of(network, token), one) is RefusalReason.HEADER_MISSING
        assert refusal(any_of(token, network), Call(b"")) is RefusalReason.ADDRESS_NOT_ALLOWED


SCHEMES: dict[str, tuple[Verifier, bytes]] = {
    "sorted": (SORTED.verify, SECRET),
    "chosen": (CHOSEN.verify, SECRET),
    "ecdsa": (ECDSA.verify, pem(EC_KEY)),
    "rsa": (RSA.verify, SECRET),
    "path": (SharedToken(in_path).verify, SECRET),
    "basic": (SharedToken(in_basic).verify, SECRET),
}
header_names = st.sampled_from(
    [
        b"webhook-signature",
        b"svix-signature",
        b"webhook-id",
        b"webhook-timestamp",
        b"x-sign",
        b"x-sig",
        b"authorization",
    ]
)
header_values = st.binary(max_size=60) | st.sampled_from(
    [b"v1,AAAA", b"v1a,AAAA", b"Basic AAAA", b"1795521600"]
)
bodies = (
    st.binary(max_size=100)
    | st.dictionaries(
        st.sampled_from(["Token", "a", "b"]), st.text(max_size=9) | st.floats() | st.none()
    ).map(orjson.dumps)
    | st.dictionaries(st.sampled_from(["sign", "a", "b"]), st.text(max_size=9)).map(
        lambda fields: "&".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8")
    )
)
any_call = st.builds(
    Call,
    bodies,
    st.lists(st.tuples(header_names, header_values), max_size=4),
    st.binary(max_size=40),
    st.ip_addresses(v=6).map(str) | st.text(max_size=20),
    st.sampled_from(["GET", "POST"]),
    path_secret=st.text(max_size=20),
    evidence=st.binary(max_size=60),
)


@pytest.mark.parametrize("name", SCHEMES)
def test_no_input_opens_or_breaks_a_scheme(name: str) -> None:
    """Whatever comes without the secret ends in `Refused` and in nothing else."""
    verify, secret = SCHEMES[name]

    @given(any_call)
    @settings(max_examples=200, deadline=None)
    def refused(sent: Call) -> None:
        with pytest.raises(Refused):
            verify(sent, [Secret(secret)], NOW)

    run: Callable[[], None] = refused
    run()


@given(st.binary(max_size=200))
def test_no_bytes_break_the_readers(body: bytes) -> None:
    """A form and literal JSON end in a value or in `ValueError`."""
    for read in (parse_form, parse_literal):
        try:
            read(body)
        except ValueError:
            continue
