"""A module that isn't imported before something of it is used."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands where the module will be."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import machinery's own questions
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def import_later(name: str) -> None:
    """Let an `import` of the module `name`, anywhere in this process, wait until something of it is used; nothing
    happens where it was imported already. Only for modules that others import for what importing them does."""
    sys.modules.setdefault(name, _Later(name))
