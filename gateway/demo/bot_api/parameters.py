"""The parameters of one call, whichever way the client encoded them."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.demo.bot_api.refusals import bad_request

_SECRET = frozenset({"secret_token", "provider_token"})


class Parameters:
    """
    Typed access to a call's parameters.

    Forms carry nested values as JSON strings, JSON bodies carry them as they are; both read alike here.
    """

    def __init__(self, values: Mapping[str, Any], files: Mapping[str, str] | None = None) -> None:
        self._values = dict(values)
        self._files = dict(files or {})

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """The value as a string, empty if absent."""
        value = self._values.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def required(self, name: str) -> str:
        """
        The value as a non-empty string.

        Raises:
            Refusal: it is absent or empty.
        """
        if not (value := self.text(name)):
            raise bad_request(f'parameter "{name}" is required')
        return value

    def integer(self, name: str) -> int | None:
        """The value as an integer; None if it is absent or none."""
        try:
            return int(self.text(name))
        except ValueError:
            return None

    def flag(self, name: str) -> bool:
        """Whether the value says yes."""
        return self.text(name).strip().lower() in {"true", "yes", "1"}

    def json(self, name: str) -> Any:
        """
        The value with its structure; None if absent.

        Raises:
            Refusal: it is not JSON.
        """
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise bad_request(f"can't parse {name} JSON object") from error

    def file_name(self, reference: str) -> str | None:
        """The name of the uploaded file that *reference*, `attach://<part>` or a part's name, stands for."""
        return self._files.get(reference.removeprefix("attach://"))

    def for_the_log(self) -> dict[str, Any]:
        """All parameters, decoded, with secrets masked."""
        return {name: "***" if name in _SECRET else self._decoded(name) for name in self._values}

    def _decoded(self, name: str) -> Any:
        value = self._values[name]
        if isinstance(value, str) and value[:1] in {"{", "["} and name not in {"text", "caption"}:
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value
