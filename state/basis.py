"""What a unit of work rests on: what was read of its conversation, and what of that was looked at."""

from state import fields
from state.snapshot import Fields, Needs, Snapshot

#: A handler has looked at all data and drafts.
EVERYTHING = b"*"
_DATA_AND_DRAFTS = (b"d:", b"f:", b"i:", b"e:")


class Basis:
    """
    A snapshot that grows by need, and knows whether a newer one says the same.

    Of a large conversation it is a part; the storage asks what is missing and lets it `take` that.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.fields: Fields = snapshot.fields
        self.whole = snapshot.whole
        self._drafts: set[str] = set()
        self._fields: set[str] = set()
        self._looked_at: set[bytes] = set()

    @property
    def revision(self) -> int:
        """The conversation's revision at the first look."""
        return int(self.fields.get(fields.REVISION, b"0"))

    def look_at(self, name: bytes) -> None:
        """Note that a decision may rest on the field *name*; one that ends in a colon stands for a draft."""
        self._looked_at.add(name)

    def missing_draft(self, feature: str) -> Needs | None:
        """Return what must be taken before *feature*'s draft can be read."""
        if self.whole or feature in self._drafts:
            return None
        return Needs(features=[feature])

    def missing_fields(self, *names: str) -> Needs | None:
        """Return what must be taken before fields of the hash can be read."""
        if self.whole or self._fields.issuperset(names):
            return None
        return Needs(fields=names)

    def take(self, snapshot: Snapshot, needs: Needs) -> None:
        """
        Take what was missing.

        It may be newer than the rest. What is known already stays as it was first seen, so that the commit,
        which finds a conflict then, compares what was looked at.
        """
        missed = {name: stored for name, stored in snapshot.fields.items() if not self._knows(name)}
        self.fields = {**self.fields, **missed}
        self.whole = self.whole or snapshot.whole
        self._drafts.update(needs.features)
        self._fields.update(needs.fields)

    def _knows(self, name: bytes) -> bool:
        if not name.startswith(_DATA_AND_DRAFTS) or name.decode() in self._fields:
            return True
        return any(fields.is_of_draft(name, feature) for feature in self._drafts)

    def needs(self) -> Needs | None:
        """Return what was taken; None: all."""
        if self.whole:
            return None
        quoted = [fields.quote_feature(feature) for feature in self._drafts]
        return Needs(quoted, sorted(self._fields))

    def move_to(self, snapshot: Snapshot) -> bool:
        """Take *snapshot* instead, if nothing that was looked at differs in it; tell whether it did."""
        if not all(_same(name, self.fields, snapshot.fields) for name in self._looked_at):
            return False
        self.fields = snapshot.fields
        return True


def _same(name: bytes, before: Fields, after: Fields) -> bool:
    if name == EVERYTHING:
        return _of(before, (b"d:", b"f:")) == _of(after, (b"d:", b"f:"))
    if name.startswith(b"f:") and name.endswith(b":"):
        return _of(before, (name,)) == _of(after, (name,))
    return before.get(name) == after.get(name)


def _of(snapshot: Fields, prefixes: tuple[bytes, ...]) -> dict[bytes, bytes]:
    return {name: stored for name, stored in snapshot.items() if name.startswith(prefixes)}
