"""The channels that Teiji can speak to: every module in this folder with an Adapter in it."""

import importlib
import inspect
import pkgutil
from functools import cache

from channels.adapters.base import Adapter


@cache
def registry() -> dict[str, type[Adapter]]:
    """Adapter classes by kind, found in this folder: a new channel edits nothing else."""
    found: dict[str, type[Adapter]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _name, candidate in inspect.getmembers(module, inspect.isclass):
            is_ours = candidate.__module__ == module.__name__ and not inspect.isabstract(candidate)
            if is_ours and issubclass(candidate, Adapter):
                found[candidate.kind] = candidate
    return found


def adapter_class(kind: str) -> type[Adapter]:
    """The adapter of this kind. Raises KeyError for one that is not installed."""
    return registry()[kind]
