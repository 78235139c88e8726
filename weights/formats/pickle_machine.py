"""The stack and the memo of a pickle, and what may be made there: plain values and inert placeholders.

The standard unpickler, restricted by `find_class`, still isn't bounded: one instruction of five bytes
makes its memo 64 GB long, a key of nested tuples takes 2⁵⁰ steps to hash, BUILD and APPEND call methods
of whatever lies on the stack. This one makes None, numbers, strings, views of bytes, lists, tuples,
dicts and sets; a name is a `Global`, which is nothing but the name; and what a Global "called" makes is
decided by a table of our own functions, in `pickled.py`. All else is refused.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from photodrag.weights.formats.budget import Refused, damaged
from photodrag.weights.formats.pickle_stream import NAME_BYTES
from photodrag.weights.formats.placeholders import Constructor, Global, Pending, Shell

SCALARS = (str, int, float, bool, type(None))
"""What a dict's keys and a set's members may be: hashed in no time, whatever the file says."""


class PickleMachine:
    """What the instructions of a pickle work on; each method is what one of them does.

    `known` says which names the pickle may use, as "module.name"; each has a function that is given
    the pickle's own arguments, so it must check them, or None, and then may only be named. `shells`
    are the starts of further names, whose objects become Shells. `persistent` makes a value of a
    persistent id.

    Every method raises Refused for what no checkpoint does, and IndexError, KeyError, TypeError or
    ValueError where the pickle makes no sense."""

    def __init__(
        self, known: Mapping[str, Constructor | None], shells: tuple[str, ...], persistent: Constructor | None
    ) -> None:
        self.known, self.shells, self.persistent = known, shells, persistent
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}

    def push(self, value: object) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def mark(self) -> None:
        """Remember the stack's height, for `pop_mark`."""
        self.marks.append(len(self.stack))

    def pop_mark(self) -> list[Any]:
        """What was put on the stack since the last mark, taken from it."""
        return self._pop_from(self.marks.pop())

    def pop_last(self, count: int) -> list[Any]:
        """The last `count` values, taken from the stack."""
        if count > len(self.stack):
            raise IndexError
        return self._pop_from(len(self.stack) - count)

    def memoize(self, index: int) -> None:
        """Keep the stack's last value in the memo."""
        self.memo[index] = value = self.stack[-1]
        if type(value) is Pending:
            value.memo_indices.append(index)

    def append(self, items: list[Any]) -> None:
        """Append items to the list that is last on the stack (APPEND, APPENDS)."""
        if type(self.stack[-1]) is not list:
            raise damaged("items of something that is no list")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Give entries, a key and a value in turn, to the dict that is last on the stack (SETITEM, SETITEMS)."""
        if type(self.stack[-1]) not in (dict, OrderedDict):
            raise damaged("entries of something that is no dict")
        keys, values = scalar_keys(items[::2]), items[1::2]
        self.stack[-1].update(zip(keys, values, strict=True))

    def add_items(self, items: list[Any]) -> None:
        """Add members to the set that is last on the stack (ADDITEMS)."""
        if type(self.stack[-1]) is not set:
            raise damaged("members of something that is no set")
        self.stack[-1].update(scalar_keys(items))

    def push_global(self, module: object, name: object) -> None:
        """Put a class's or a function's name on the stack (GLOBAL, STACK_GLOBAL). Nothing is imported."""
        if type(module) is not str or type(name) is not str or len(module) + len(name) > NAME_BYTES:
            raise damaged("a name that is none")
        named = Global(module, name)
        key = f"{module}.{name}"
        if key not in self.known and not key.startswith(self.shells):
            raise _asks_to_run(named)
        self.push(named)

    def reduce(self, function: object, arguments: object) -> None:
        """Put on the stack what stands for the call of a named function (REDUCE, NEWOBJ)."""
        if type(function) is not Global or type(arguments) is not tuple:
            raise damaged("a call of something that is no function")
        key = f"{function.module}.{function.name}"
        if key not in self.known:
            self.push(Shell(function.module, function.name, arguments))
            return
        constructor = self.known[key]
        if constructor is None:
            raise _asks_to_run(function)
        self.push(constructor(*arguments))

    def build(self, state: object) -> None:
        """Give the value that is last on the stack its state (BUILD)."""
        value = self.stack[-1]
        match value:
            case Shell():
                value.state = state
            case Pending():
                self.stack[-1] = finished = value.finish(state)
                for index in value.memo_indices:
                    self.memo[index] = finished
            case dict() if type(state) is dict and list(state) in ([], ["_metadata"]):
                pass  # nothing, or the versions of modules, which state_dict() hangs onto its result
            case _:
                raise Refused("it sets attributes of something that has none; get it from another source")

    def _pop_from(self, height: int) -> list[Any]:
        values = self.stack[height:]
        del self.stack[height:]
        return values


def scalar_keys(keys: list[Any]) -> list[Any]:
    """The keys, where each is a scalar. Raises Refused otherwise."""
    if any(type(key) not in SCALARS for key in keys):
        raise damaged("a key that is neither text nor a number")
    return keys


def _asks_to_run(named: Global) -> Refused:
    return Refused(f"it asks to run {named}, which no checkpoint needs; get one from another source")
