"""`[sources.<name>.options]`: what each kind of source takes there, as its provider declares it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from gateway.settings.errors import told_all


def check_options(
    sources: Any,
    models: Mapping[str, type[BaseModel]],
    from_environment: Collection[str],
    problems: list[str],
) -> None:
    """Put checked options in place of the raw ones in *sources*; what is wrong is told in *problems*."""
    if not isinstance(sources, dict):
        return
    for name, source in sources.items():
        if not isinstance(source, dict) or source.get("kind") not in models:
            continue
        model = models[source["kind"]]
        try:
            checked = model.model_validate(source.get("options", {}))
        except ValidationError as error:
            prefix = ("sources", name, "options")
            told = told_all(error.errors(include_url=False), model, from_environment, prefix)
            problems += list(told)
            source.pop("options", None)
        else:
            source["options"] = {field: getattr(checked, field) for field in checked.model_fields_set}


def secret_texts(options: Any) -> Iterator[str]:
    """Every secret among checked *options*."""
    if isinstance(options, SecretStr):
        yield options.get_secret_value()
    elif isinstance(options, BaseModel):
        yield from secret_texts({name: getattr(options, name) for name in type(options).model_fields})
    elif isinstance(options, Mapping):
        for value in options.values():
            yield from secret_texts(value)
    elif isinstance(options, list | tuple):
        for value in options:
            yield from secret_texts(value)
