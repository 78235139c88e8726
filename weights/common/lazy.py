"""A package whose names are imported on first use, so that `photodrag --help` needn't wait for torch."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], list[str]]:
    """What a package whose names are imported on first use needs: its `__getattr__` (PEP 562), and its `__all__`.

    package: its `__name__`.
    modules: for each module, by its path in the package, the names that come from there, with spaces between them.
    No module may be called like one of these names."""
    places = {name: f"{package}.{module}" for module, names in modules.items() for name in names.split()}

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(places[name]), name)

    return get, sorted(places)
