"""JSON and forms as they are signed: read without a change, written in one order."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.form import parse_form
from routers.literal_json import canonical, parse_literal


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
def test_keys_are_sorted_and_numbers_left_alone(body: bytes, written: bytes) -> None:
    """Python would write 1e-8 as 1e-08, and a float loses digits."""
    assert canonical(parse_literal(body)) == written


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=20,
    )
)
def test_what_is_written_means_the_same(value: object) -> None:
    """Nothing is lost or changed but the order of keys."""
    assert json.loads(canonical(parse_literal(json.dumps(value).encode()))) == value


@given(st.binary(max_size=200))
def test_no_bytes_break_the_readers(body: bytes) -> None:
    """A form and literal JSON end in a value or in `ValueError`."""
    for read in (parse_form, parse_literal):
        try:
            read(body)
        except ValueError:
            continue
