"""MessagePack, the form of what is stored and of what scripts are told."""

from typing import Any, Final

import msgpack  # type: ignore[import-untyped]  # the package carries no types

# Made once: to make one takes as long as to pack what an event has.
_STORED: Final = msgpack.Packer()
_FOR_LUA: Final = msgpack.Packer(use_bin_type=False)


def pack(value: Any) -> bytes:
    """Return the stored form of plain data; text and bytes stay apart."""
    packed: bytes = _STORED.pack(value)
    return packed


def unpack(packed: bytes) -> Any:
    """Return the plain data of a stored form."""
    return msgpack.unpackb(packed, strict_map_key=False)


def pack_for_lua(value: Any) -> bytes:
    """Return *value* as Redis's ``cmsgpack`` reads it, which knows one kind of string only."""
    packed: bytes = _FOR_LUA.pack(value)
    return packed


def unpack_from_lua(packed: bytes) -> Any:
    """Return the plain data that Redis's ``cmsgpack`` packed, whose strings are all bytes."""
    return msgpack.unpackb(packed, raw=True, strict_map_key=False)
