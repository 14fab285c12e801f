"""How aiogram's one dictionary of data is laid out as fields of a conversation's hash."""

from collections.abc import Mapping
from typing import Any

from state import values
from state.changes import DraftChange
from state.snapshot import Fields

STATE = b"s"
REVISION = b"r"
#: The key under which a feature's draft shows in aiogram's data, as codex-bot names it.
DRAFT = "draft:"


def data_field(key: str) -> str:
    """Return the field of one value of the data."""
    if key.startswith(DRAFT):
        return f"d:{DRAFT}{quote_feature(key.removeprefix(DRAFT))}"
    return f"d:{key}"


def draft_field(feature: str, name: str) -> str:
    """Return the field of one value of a draft."""
    return f"f:{quote_feature(feature)}:{name}"


def quote_feature(feature: str) -> str:
    """Return *feature* without the colon that ends it in a field's name."""
    return feature.replace("%", "%25").replace(":", "%3A")


def unquote_feature(quoted: str) -> str:
    """Return the feature that `quote_feature` was given."""
    return quoted.replace("%3A", ":").replace("%25", "%")


def is_of_a_draft(field: bytes) -> bool:
    """Tell whether *field* belongs to a feature's draft."""
    return field.startswith((b"f:", b"i:", b"e:", b"d:draft:"))


def is_of_draft(field: bytes, feature: str) -> bool:
    """Tell whether *field* belongs to *feature*'s draft."""
    quoted = quote_feature(feature).encode()
    return field.startswith(b"f:%b:" % quoted) or field in {
        b"i:" + quoted,
        b"e:" + quoted,
        b"d:draft:" + quoted,
    }


def read_data(fields: Fields) -> dict[str, Any]:
    """Return aiogram's view: every value, and each draft as one dictionary under ``draft:<feature>``."""
    data: dict[str, Any] = {}
    drafts: dict[str, dict[str, Any]] = {}
    for field, stored in fields.items():
        if field.startswith(b"d:"):
            key = field[2:].decode()
            if key.startswith(DRAFT):
                key = DRAFT + unquote_feature(key.removeprefix(DRAFT))
            data[key] = values.load(stored)
        elif field.startswith(b"f:"):
            feature, _, name = field[2:].decode().partition(":")
            drafts.setdefault(DRAFT + unquote_feature(feature), {})[name] = values.load(stored)
    return data | drafts if drafts else data


def read_draft(fields: Fields, feature: str) -> dict[str, Any]:
    """Return one draft out of a conversation's fields."""
    prefix = draft_field(feature, "").encode()
    return {
        field[len(prefix) :].decode(): values.load(stored)
        for field, stored in fields.items()
        if field.startswith(prefix)
    }


def draft_of(key: str, value: object) -> str | None:
    """
    Return the feature whose draft *key* names, if *value* can be kept field by field.

    An empty dictionary has no field to be kept in, so it stays one value.
    """
    if key.startswith(DRAFT) and isinstance(value, dict) and value and all(isinstance(k, str) for k in value):
        return key.removeprefix(DRAFT)
    return None


def split(
    data: Mapping[str, Any], draft_ttl_ms: int | None = None
) -> tuple[dict[str, bytes], dict[str, DraftChange]]:
    """Return what storing *data* key by key takes: fields to set; drafts to replace, which live so long."""
    plain: dict[str, bytes] = {}
    drafts: dict[str, DraftChange] = {}
    for key, value in data.items():
        feature = draft_of(key, value)
        if feature is not None:
            items = {name: values.dump(item) for name, item in value.items()}
            drafts[quote_feature(feature)] = DraftChange(clear=True, set=items, ttl_ms=draft_ttl_ms)
            continue
        if key.startswith(DRAFT):
            drafts[quote_feature(key.removeprefix(DRAFT))] = DraftChange(clear=True)
        plain[data_field(key)] = values.dump(value)
    return plain, drafts
