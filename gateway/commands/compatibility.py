"""What would break callers: an OpenAPI description against an earlier one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
METHODS = ("get", "put", "post", "patch", "delete")


def breaks(before: Document, after: Document) -> list[str]:
    """
    Return a line for each thing that a caller of *before* can no longer rely on in *after*.

    What a caller may send must stay allowed, and what it may read must stay there; more of either is none.
    """
    return list(_Comparison(before, after).lines())


@dataclass(frozen=True, slots=True)
class _Comparison:
    before: Document
    after: Document

    def lines(self) -> Iterator[str]:
        for path, operations in self.before["paths"].items():
            for method in METHODS:
                if method not in operations:
                    continue
                name = f"{method.upper()} {path}"
                now = self.after["paths"].get(path, {}).get(method)
                if now is None:
                    yield f"{name}: is gone"
                    continue
                yield from (f"{name}: {what}" for what in self._operation(operations[method], now))

    def _operation(self, old: Document, new: Document) -> Iterator[str]:
        if old.get("security") != new.get("security"):
            yield "needs another key or scope"
        yield from self._parameters(old, new)
        for kind, media in old.get("requestBody", {}).get("content", {}).items():
            now = new.get("requestBody", {}).get("content", {}).get(kind)
            if now is None:
                yield f"takes no {kind} any more"
            else:
                yield from self._sent(media.get("schema", {}), now.get("schema", {}), "body")
        for status, answer in old.get("responses", {}).items():
            if not status.startswith("2"):
                continue
            now = new.get("responses", {}).get(status)
            if now is None:
                yield f"never answers {status} any more"
                continue
            for kind, media in answer.get("content", {}).items():
                shown = now.get("content", {}).get(kind, {}).get("schema", {})
                yield from self._read(media.get("schema", {}), shown, f"answer {status}")

    def _parameters(self, old: Document, new: Document) -> Iterator[str]:
        known = {(each["in"], each["name"]): each for each in old.get("parameters", ())}
        for each in new.get("parameters", ()):
            was = known.pop((each["in"], each["name"]), None)
            if each.get("required") and not (was or {}).get("required"):
                yield f"needs the {each['in']} parameter {each['name']}"
            if was is not None:
                yield from self._sent(was.get("schema", {}), each.get("schema", {}), each["name"])
        for place, name in known:
            yield f"knows no {place} parameter {name} any more"

    def _sent(self, old: Document, new: Document, where: str, depth: int = 0) -> Iterator[str]:
        """What was right to send must stay right."""
        old, new = self._resolved(old, self.before), self._resolved(new, self.after)
        if depth > _DEEPEST:
            return
        if "enum" in new and set(map(str, new["enum"])) < set(map(str, old.get("enum", ()))):
            yield f"{where}: allows fewer values"
        if old.get("type") is not None and new.get("type") is not None and old["type"] != new["type"]:
            yield f"{where}: is {new['type']}, was {old['type']}"
        for name in new.get("required", ()):
            if name not in old.get("required", ()):
                yield f"{where}: needs {name}"
        for name, schema in old.get("properties", {}).items():
            now = new.get("properties", {}).get(name)
            if now is not None:
                yield from self._sent(schema, now, f"{where}.{name}", depth + 1)
            elif new.get("additionalProperties") is False:
                yield f"{where}: takes no {name} any more"

    def _read(self, old: Document, new: Document, where: str, depth: int = 0) -> Iterator[str]:
        """What was there to read must stay there."""
        old, new = self._resolved(old, self.before), self._resolved(new, self.after)
        if depth > _DEEPEST:
            return
        if old.get("type") is not None and old.get("type") != new.get("type"):
            yield f"{where}: is {new.get('type')}, was {old['type']}"
        if "items" in old:
            yield from self._read(old["items"], new.get("items", {}), f"{where}[]", depth + 1)
        for name, schema in old.get("properties", {}).items():
            now = new.get("properties", {}).get(name)
            if now is None:
                yield f"{where}: {name} is gone"
            else:
                yield from self._read(schema, now, f"{where}.{name}", depth + 1)

    def _resolved(self, schema: Document, document: Document) -> Document:
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


#: No schema of ours is deeper; one that holds itself ends here.
_DEEPEST = 12
