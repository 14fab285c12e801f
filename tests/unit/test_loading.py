"""Garbage is looked for again after a long import, however that has ended."""

import gc
from collections.abc import Iterator

import pytest

from gateway.loading import loading


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """No test leaves this process without a search for garbage."""
    yield
    gc.enable()


def test_nothing_is_searched_meanwhile_and_all_is_afterwards() -> None:
    """A process that never searched again would grow for ever."""
    with loading():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_an_import_that_fails_ends_it_too() -> None:
    """Its mistake is told, and the process may go on."""
    with pytest.raises(ImportError), loading():
        raise ImportError

    assert gc.isenabled()


def test_who_searches_for_nothing_is_left_so() -> None:
    """It is not ours to turn on."""
    gc.disable()
    with loading():
        pass

    assert not gc.isenabled()
