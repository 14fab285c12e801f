"""The providers, by kind."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from routers import bookings, generic, payments
from routers.provider import Provider


@cache
def providers() -> Mapping[str, Provider]:
    """
    Every `PROVIDER` of a module in `routers.payments`, `routers.bookings` and `routers.generic`.

    Raises:
        RuntimeError: two modules claim one kind.
    """
    found: dict[str, Provider] = {}
    for package in (payments, bookings, generic):
        for module in iter_modules(package.__path__, f"{package.__name__}."):
            provider = getattr(import_module(module.name), "PROVIDER", None)
            if not isinstance(provider, Provider):
                continue
            if provider.kind in found:
                raise RuntimeError(
                    f"two providers are called {provider.kind}; rename the one in {module.name}"
                )
            found[provider.kind] = provider
    return MappingProxyType(found)
