"""Where settings come from: the file, over it the environment, then what `env:NAME` points to."""

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from gateway.settings.errors import SettingsError, dotted, nearest, told_all
from gateway.settings.models import Settings
from gateway.settings.source_options import check_options

_INDIRECT: Final = "env:"


def load_settings(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    source_kinds: Collection[str] | None = None,
    source_options: Mapping[str, type[BaseModel]] | None = None,
) -> Settings:
    """
    Read *path* (None: no file), then every `GATEWAY_SECTION__KEY` of *environ*, which wins.

    A value `env:NAME` stands for the variable NAME. *source_kinds*: what `sources.<name>.kind` may be;
    *source_options*: what a source of each kind takes as `options`.

    Raises:
        SettingsError: with all problems at once.
    """
    values = _merged(_from_file(path), _from_environment(environ))
    problems = _unknown_variables(environ)
    values = _resolved(values, environ, (), problems)
    problems += _unknown_kinds(values.get("sources"), source_kinds)
    check_options(values.get("sources"), source_options or {}, environ, problems)
    # What is unset has been told; it must not be told again as a wrong value.
    told_already = tuple(problem.partition(":")[0] for problem in problems)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        lines = told_all(error.errors(include_url=False), Settings, environ)
        problems += [line for line in lines if not line.startswith(told_already)]
        raise SettingsError(problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problem = f"{path}: there is no such file; write one, or name another with --config"
    except OSError as error:
        problem = f"{path}: cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        problem = f"{path}: is not UTF-8; save it as that"
    except tomllib.TOMLDecodeError as error:
        problem = f"{path}: is not TOML: {error}"
    raise SettingsError([problem]) from None


class _Environment(EnvSettingsSource):
    """pydantic-settings' reading of the environment, on the one that is given to us."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo | None, value: Any) -> Any:
        """Take what is not JSON as it is; the model says what it wants instead."""
        try:
            return super().decode_complex_value(field_name, field, value)  # type: ignore[arg-type] # None is usual
        except ValueError:
            return value


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = _Environment(environ)()
    return values


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A misspelt section in a variable's name, which pydantic-settings would not notice."""
    problems = []
    sections = tuple(Settings.model_fields)
    for name in environ:
        section, nested, _ = name.lower().removeprefix("gateway_").partition("__")
        if nested and name.lower().startswith("gateway_") and section not in sections:
            problems.append(f"{name}: is not a setting; {nearest(section, sections)}")
    return problems


def _unknown_kinds(sources: Any, known: Collection[str] | None) -> list[str]:
    """Looked for in the raw values, so that it is told together with all else that is wrong."""
    if known is None or not isinstance(sources, dict):
        return []
    kinds = {name: source.get("kind") for name, source in sources.items() if isinstance(source, dict)}
    return [
        f"sources.{name}.kind: is not a kind of source; {nearest(kind, known)}"
        for name, kind in kinds.items()
        if isinstance(kind, str) and kind and kind not in known
    ]


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        beneath = merged.get(key)
        if isinstance(value, dict) and isinstance(beneath, dict):
            merged[key] = _merged(beneath, value)
        else:
            merged[key] = value
    return merged


def _resolved(
    value: Any, environ: Mapping[str, str], path: tuple[str | int, ...], problems: list[str]
) -> Any:
    """*value* with each `env:NAME` replaced; what is not set becomes a problem."""
    if isinstance(value, dict):
        return {key: _resolved(inner, environ, (*path, key), problems) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, environ, (*path, place), problems) for place, inner in enumerate(value)]
    if not (isinstance(value, str) and value.startswith(_INDIRECT)):
        return value
    name = value.removeprefix(_INDIRECT)
    found = environ.get(name, "")
    if not found:
        state = "empty" if name in environ else "not set"
        problems.append(f"{dotted(path)}: the environment variable {name} is {state}; export {name}=...")
    return found
