"""Certificates that come with a call: who vouches for them, for which name, and until when."""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import example, given
from hypothesis import strategies as st

from routers.payments.examples.authority import ExampleAuthority
from routers.refusal import RefusalReason, Refused
from routers.verification.certificate import CertificateCheck, public_roots
from tests.unit.calls import NOW

NAME = "signs.provider.example"
KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
ROOT = ExampleAuthority("Root")
BETWEEN = ExampleAuthority("Between", above=ROOT)
STRANGER = ExampleAuthority("Root")
CHECK = CertificateCheck((NAME,), (load_pem_x509_certificate(ROOT.certificate_pem().encode()),))
DAY = timedelta(days=1)


def refusal(written: bytes, check: CertificateCheck = CHECK) -> str:
    """Why *written* is refused."""
    with pytest.raises(Refused) as caught:
        check.check(written, NOW)
    assert caught.value.reason is RefusalReason.KEY_UNUSABLE
    return caught.value.detail


def b64pem(der: bytes) -> bytes:
    """Bytes in the dress of a certificate."""
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


def test_what_a_trusted_authority_issued_is_believed() -> None:
    """Itself, or by way of another whose certificate comes behind."""
    CHECK.check(ROOT.issued(NAME, KEY), NOW)
    CHECK.check(BETWEEN.issued(NAME, KEY) + BETWEEN.certificate_pem().encode(), NOW)


def test_a_link_that_is_missing_is_not_guessed() -> None:
    """Until the operator trusts the one between by name."""
    leaf = BETWEEN.issued(NAME, KEY)
    trusting = CertificateCheck((NAME,), (load_pem_x509_certificate(BETWEEN.certificate_pem().encode()),))

    assert refusal(leaf) == f"no trusted authority has issued it for {NAME}"
    trusting.check(leaf, NOW)


@pytest.mark.parametrize(
    "written",
    [
        STRANGER.issued(NAME, KEY),
        STRANGER.issued(NAME, KEY) + STRANGER.certificate_pem().encode(),
        STRANGER.issued(NAME, KEY) + ROOT.certificate_pem().encode(),
        ROOT.issued("another.provider.example", KEY),
        ROOT.issued("signs.provider.example.evil.example", KEY),
        ROOT.certificate_pem().encode(),
    ],
    ids=["foreign", "foreign-with-its-root", "foreign-with-ours", "another-name", "longer-name", "root"],
)
def test_what_another_issued_or_for_another_is_refused(written: bytes) -> None:
    """A namesake of our authority with another key, and a right one that speaks for somebody else."""
    assert refusal(written) == f"no trusted authority has issued it for {NAME}"


@pytest.mark.parametrize("begins, ends", [(-2, -1), (1, 2)], ids=["expired", "not yet valid"])
@pytest.mark.parametrize("authorities", [CHECK.authorities, ()], ids=["chain", "host"])
def test_only_what_is_valid_now_is_believed(begins: int, ends: int, authorities: tuple[object, ...]) -> None:
    """With whoever's word, and the refusal says from when to when it is valid."""
    written = ROOT.issued(NAME, KEY, not_before=NOW + begins * DAY, not_after=NOW + ends * DAY)
    check = CHECK if authorities else CertificateCheck((NAME,), ())

    from_day, to_day = NOW + begins * DAY, NOW + ends * DAY
    assert (
        refusal(written, check) == f"the certificate is valid from {from_day:%Y-%m-%d} to {to_day:%Y-%m-%d}"
    )
    check.check(written, from_day)
    check.check(written, to_day)


def test_an_authority_must_be_valid_too() -> None:
    """What it issued for longer than itself ends with it."""
    later = NOW + timedelta(days=20 * 365)
    written = ROOT.issued(NAME, KEY, not_after=later + DAY)

    CHECK.check(written, NOW)
    with pytest.raises(Refused):
        CHECK.check(written, later)


def test_without_authorities_only_the_dates_count() -> None:
    """For a certificate that is believed because of where it was fetched."""
    CertificateCheck((NAME,), ()).check(STRANGER.issued("whoever.example", KEY), NOW)


def test_the_public_authorities_are_at_hand() -> None:
    """All that `certifi` lists, and none of them has issued an example."""
    assert len(public_roots()) > 50
    assert refusal(ROOT.issued(NAME, KEY), CertificateCheck((NAME,), public_roots()))


GENUINE = ROOT.issued(NAME, KEY)
LETTERS = [
    place
    for place in range(GENUINE.index(b"\n"), GENUINE.rindex(b"\n-----END"))
    if GENUINE[place : place + 1] not in b"=\n" and GENUINE[place + 1 : place + 2] != b"="
]


@pytest.mark.parametrize("letter", [b"A", b"/"])
def test_no_other_letter_of_it_is_believed(letter: bytes) -> None:
    """Each letter of the certificate in turn: version, dates, name, key, extensions, signature."""
    CHECK.check(GENUINE, NOW)
    for place in LETTERS:
        if GENUINE[place : place + 1] != letter:
            assert refusal(GENUINE[:place] + letter + GENUINE[place + 1 :])


@given(st.binary(max_size=60) | st.binary(max_size=60).map(b64pem))
@example(b64pem(b"\x30\x03\x02\x01\x01"))
def test_no_bytes_break_the_check(written: bytes) -> None:
    """Nor any content of a PEM."""
    assert refusal(written)
