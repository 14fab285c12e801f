"""The fields of a form: of a POST's body, or of a GET's query."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from routers.call import Call

MAX_FIELDS: Final = 200


def form_of(call: Call) -> Mapping[str, str]:
    """
    The fields of *call*, each of which may stand there once.

    Raises:
        ValueError: it is no form in UTF-8, one field came twice, or there are more than `MAX_FIELDS`.
    """
    return parse_form(call.query if call.method == "GET" else call.body)


def parse_form(encoded: bytes) -> Mapping[str, str]:
    """
    The fields of an `application/x-www-form-urlencoded` text.

    Raises:
        ValueError: as `form_of`.
    """
    # Another charset than UTF-8 is not guessed at: its bytes are no UTF-8 and end here (UnicodeError).
    pairs = parse_qsl(
        encoded.decode("ascii"),
        keep_blank_values=True,
        strict_parsing=bool(encoded),
        errors="strict",
        max_num_fields=MAX_FIELDS,
    )
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field came twice")
    return fields
