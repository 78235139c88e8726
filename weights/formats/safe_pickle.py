"""Pickle streams read without running anything: a machine with the instructions that checkpoints use.

The standard unpickler, restricted by `find_class`, still isn't bounded: one instruction of five bytes
makes its memo 64 GB long, a key of nested tuples takes 2⁵⁰ steps to hash, BUILD and APPEND call methods
of whatever lies on the stack. This one makes None, numbers, strings, views of bytes, lists, tuples,
dicts and sets; a name is a `Global`, which is nothing but the name; and what a Global "called" makes is
decided by a table of our own functions, in `pickled.py`. All else is refused.
"""

import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping

from photodrag.weights.formats.budget import Budget, Refused, damaged
from photodrag.weights.formats.inert import Global, Maker, Pending, Shell

NAME_BYTES = 256
KEYS = (str, int, float, bool, type(None))
"""What a dict's keys and a set's members may be: hashed in no time, whatever the file says."""


class Machine:
    """Follows one pickle in `data`, from byte `start` on: `run()` gives the value, then `position` is
    the byte after the pickle.

    `known` says which names the pickle may use, as "module.name"; each has a function that is given
    the pickle's own arguments, so it must check them, or None, and then may only be named. `shells`
    are the starts of further names, whose objects become Shells. `persistent` makes a value of a
    persistent id. Raises Refused for everything else."""

    def __init__(
        self,
        data: memoryview,
        budget: Budget,
        known: Mapping[str, Maker | None],
        shells: tuple[str, ...] = (),
        persistent: Maker | None = None,
        start: int = 0,
    ) -> None:
        self.data, self.budget, self.position = data, budget, start
        self.known, self.shells, self.persistent = known, shells, persistent
        self.stack: list = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}

    def run(self) -> object:
        try:
            while (op := bytes(self.take(1))) != pickle.STOP:
                self.budget.step()
                self.follow(op)
            return self.stack.pop()
        except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
            # An empty stack, a missing memo entry, a list for a number: of one kind for whoever has the file.
            raise damaged("its pickle makes no sense") from error

    def follow(self, op: bytes) -> None:
        stack, memo = self.stack, self.memo
        match op:
            case pickle.MEMOIZE:
                self.keep(len(memo))
            case pickle.BINPUT:
                self.keep(self.number(1))
            case pickle.LONG_BINPUT:
                self.keep(self.number(4))
            case pickle.BINGET:
                stack.append(memo[self.number(1)])
            case pickle.LONG_BINGET:
                stack.append(memo[self.number(4)])
            case pickle.SHORT_BINUNICODE:
                stack.append(self.text(1))
            case pickle.BINUNICODE:
                stack.append(self.text(4))
            case pickle.BINUNICODE8:
                stack.append(self.text(8))
            case pickle.SHORT_BINBYTES:
                stack.append(self.take(self.number(1)))
            case pickle.BINBYTES:
                stack.append(self.take(self.number(4)))
            case pickle.BINBYTES8 | pickle.BYTEARRAY8:
                stack.append(self.take(self.number(8)))
            case pickle.NONE:
                stack.append(None)
            case pickle.NEWTRUE:
                stack.append(True)
            case pickle.NEWFALSE:
                stack.append(False)
            case pickle.BININT1:
                stack.append(self.number(1))
            case pickle.BININT2:
                stack.append(self.number(2))
            case pickle.BININT:
                stack.append(self.integer(4))
            case pickle.LONG1:
                stack.append(self.integer(self.number(1)))
            case pickle.BINFLOAT:
                stack.append(struct.unpack(">d", self.take(8))[0])
            case pickle.MARK:
                self.marks.append(len(stack))
            case pickle.POP:
                stack.pop()
            case pickle.POP_MARK:
                self.since_mark()
            case pickle.EMPTY_TUPLE:
                stack.append(())
            case pickle.TUPLE1 | pickle.TUPLE2 | pickle.TUPLE3:
                self.marks.append(len(stack) - (op[0] - pickle.TUPLE1[0] + 1))
                stack.append(tuple(self.since_mark()))
            case pickle.TUPLE:
                stack.append(tuple(self.since_mark()))
            case pickle.EMPTY_LIST:
                stack.append([])
            case pickle.APPEND:
                self.extend([stack.pop()])
            case pickle.APPENDS:
                self.extend(self.since_mark())
            case pickle.EMPTY_DICT:
                stack.append({})
            case pickle.SETITEM:
                value = stack.pop()
                self.set_items([stack.pop(), value])
            case pickle.SETITEMS:
                self.set_items(self.since_mark())
            case pickle.EMPTY_SET:
                stack.append(set())
            case pickle.ADDITEMS:
                self.add_items(self.since_mark())
            case pickle.GLOBAL:
                module = self.line()
                self.name(module, self.line())
            case pickle.STACK_GLOBAL:
                name = stack.pop()
                self.name(stack.pop(), name)
            case pickle.REDUCE | pickle.NEWOBJ:
                arguments = stack.pop()
                stack.append(self.make(stack.pop(), arguments))
            case pickle.BUILD:
                self.build(stack.pop())
            case pickle.BINPERSID if self.persistent:
                stack.append(self.persistent(stack.pop()))
            case pickle.PROTO:
                self.number(1)
            case pickle.FRAME:
                self.number(8)
            case _:
                raise Refused(f"it uses the instruction {op!r}, which no checkpoint needs; get one from another source")

    def take(self, count: int) -> memoryview:
        if count > len(self.data) - self.position:
            raise Refused("it ends too early, so it's damaged or was not fetched to its end; fetch it again")
        self.position += count
        return self.data[self.position - count : self.position]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def integer(self, size: int) -> int:
        if size > 8:  # longer ones could be chosen to collide in a dict
            raise damaged("a number of more than 64 bits")
        return int.from_bytes(self.take(size), "little", signed=True)

    def text(self, size: int) -> str:
        return str(self.take(self.number(size)), "utf-8", "surrogatepass")

    def line(self) -> str:
        rest = self.data[self.position : self.position + NAME_BYTES]
        line, end, _ = bytes(rest).partition(b"\n")
        self.take(len(line) + 1)
        if not end:
            raise damaged("a name that is none")
        return line.decode()

    def keep(self, place: int) -> None:
        self.memo[place] = value = self.stack[-1]
        if type(value) is Pending:
            value.places.append(place)

    def since_mark(self) -> list:
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def extend(self, items: list) -> None:
        if type(self.stack[-1]) is not list:
            raise damaged("items of something that is no list")
        self.stack[-1].extend(items)

    def set_items(self, items: list) -> None:
        if type(self.stack[-1]) not in (dict, OrderedDict):
            raise damaged("entries of something that is no dict")
        keys, values = checked_keys(items[::2]), items[1::2]
        self.stack[-1].update(zip(keys, values, strict=True))

    def add_items(self, items: list) -> None:
        if type(self.stack[-1]) is not set:
            raise damaged("members of something that is no set")
        self.stack[-1].update(checked_keys(items))

    def name(self, module: object, name: object) -> None:
        if type(module) is not str or type(name) is not str or len(module) + len(name) > NAME_BYTES:
            raise damaged("a name that is none")
        named = Global(module, name)
        key = f"{module}.{name}"
        if key not in self.known and not key.startswith(self.shells):
            raise asks_to_run(named)
        self.stack.append(named)

    def make(self, function: object, arguments: object) -> object:
        if type(function) is not Global or type(arguments) is not tuple:
            raise damaged("a call of something that is no function")
        key = f"{function.module}.{function.name}"
        if key not in self.known:
            return Shell(function.module, function.name, arguments)
        maker = self.known[key]
        if maker is None:
            raise asks_to_run(function)
        return maker(*arguments)

    def build(self, state: object) -> None:
        value = self.stack[-1]
        match value:
            case Shell():
                value.state = state
            case Pending():
                self.stack[-1] = finished = value.finish(state)
                for place in value.places:
                    self.memo[place] = finished
            case dict() if type(state) is dict and list(state) in ([], ["_metadata"]):
                pass  # nothing, or the versions of modules, which state_dict() hangs onto its result
            case _:
                raise Refused("it sets attributes of something that has none; get it from another source")


def checked_keys(keys: list) -> list:
    """The keys, where each is a scalar. Raises Refused otherwise."""
    if any(type(key) not in KEYS for key in keys):
        raise damaged("a key that is neither text nor a number")
    return keys


def asks_to_run(named: Global) -> Refused:
    return Refused(f"it asks to run {named}, which no checkpoint needs; get one from another source")
