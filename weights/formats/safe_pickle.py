"""Pickle streams read without running anything: the instructions that checkpoints use, and no others."""

import pickle
import struct
from collections.abc import Callable, Mapping

from photodrag.weights.formats.budget import Budget, Refused, damaged
from photodrag.weights.formats.pickle_machine import PickleMachine
from photodrag.weights.formats.pickle_stream import PickleStream
from photodrag.weights.formats.placeholders import Constructor

Instruction = Callable[[PickleMachine, PickleStream], object]
"""What an instruction does: it reads its arguments from the stream and works on the machine."""


def _set_item(machine: PickleMachine, stream: PickleStream) -> None:
    machine.set_items(machine.pop_last(2))


def _global(machine: PickleMachine, stream: PickleStream) -> None:
    module = stream.line()
    machine.push_global(module, stream.line())


def _stack_global(machine: PickleMachine, stream: PickleStream) -> None:
    machine.push_global(*machine.pop_last(2))


def _reduce(machine: PickleMachine, stream: PickleStream) -> None:
    machine.reduce(*machine.pop_last(2))


def _persistent_id(machine: PickleMachine, stream: PickleStream) -> None:
    if machine.persistent is None:
        raise _unknown(pickle.BINPERSID)
    machine.push(machine.persistent(machine.stack.pop()))


INSTRUCTIONS: dict[bytes, Instruction] = {
    # What is kept in the memo, and put on the stack again.
    pickle.MEMOIZE: lambda machine, stream: machine.memoize(len(machine.memo)),
    pickle.BINPUT: lambda machine, stream: machine.memoize(stream.unsigned(1)),
    pickle.LONG_BINPUT: lambda machine, stream: machine.memoize(stream.unsigned(4)),
    pickle.BINGET: lambda machine, stream: machine.push(machine.memo[stream.unsigned(1)]),
    pickle.LONG_BINGET: lambda machine, stream: machine.push(machine.memo[stream.unsigned(4)]),
    # Texts and bytes.
    pickle.SHORT_BINUNICODE: lambda machine, stream: machine.push(stream.text(1)),
    pickle.BINUNICODE: lambda machine, stream: machine.push(stream.text(4)),
    pickle.BINUNICODE8: lambda machine, stream: machine.push(stream.text(8)),
    # Those of Python 2, which are bytes and texts alike.
    pickle.SHORT_BINSTRING: lambda machine, stream: machine.push(stream.text(1, "latin1")),
    pickle.BINSTRING: lambda machine, stream: machine.push(stream.text(4, "latin1")),
    pickle.SHORT_BINBYTES: lambda machine, stream: machine.push(stream.counted(1)),
    pickle.BINBYTES: lambda machine, stream: machine.push(stream.counted(4)),
    pickle.BINBYTES8: lambda machine, stream: machine.push(stream.counted(8)),
    pickle.BYTEARRAY8: lambda machine, stream: machine.push(stream.counted(8)),
    # None, bools and numbers.
    pickle.NONE: lambda machine, stream: machine.push(None),
    pickle.NEWTRUE: lambda machine, stream: machine.push(True),
    pickle.NEWFALSE: lambda machine, stream: machine.push(False),
    pickle.BININT1: lambda machine, stream: machine.push(stream.unsigned(1)),
    pickle.BININT2: lambda machine, stream: machine.push(stream.unsigned(2)),
    pickle.BININT: lambda machine, stream: machine.push(stream.signed(4)),
    pickle.LONG1: lambda machine, stream: machine.push(stream.signed(stream.unsigned(1))),
    pickle.BINFLOAT: lambda machine, stream: machine.push(struct.unpack(">d", stream.take(8))[0]),
    # The stack itself.
    pickle.MARK: lambda machine, stream: machine.mark(),
    pickle.POP: lambda machine, stream: machine.stack.pop(),
    pickle.POP_MARK: lambda machine, stream: machine.pop_mark(),
    # Tuples, lists, dicts and sets.
    pickle.EMPTY_TUPLE: lambda machine, stream: machine.push(()),
    pickle.TUPLE1: lambda machine, stream: machine.push(tuple(machine.pop_last(1))),
    pickle.TUPLE2: lambda machine, stream: machine.push(tuple(machine.pop_last(2))),
    pickle.TUPLE3: lambda machine, stream: machine.push(tuple(machine.pop_last(3))),
    pickle.TUPLE: lambda machine, stream: machine.push(tuple(machine.pop_mark())),
    pickle.EMPTY_LIST: lambda machine, stream: machine.push([]),
    pickle.APPEND: lambda machine, stream: machine.append(machine.pop_last(1)),
    pickle.APPENDS: lambda machine, stream: machine.append(machine.pop_mark()),
    pickle.EMPTY_DICT: lambda machine, stream: machine.push({}),
    pickle.SETITEM: _set_item,
    pickle.SETITEMS: lambda machine, stream: machine.set_items(machine.pop_mark()),
    pickle.EMPTY_SET: lambda machine, stream: machine.push(set()),
    pickle.ADDITEMS: lambda machine, stream: machine.add_items(machine.pop_mark()),
    # Names, and what stands for calls of them.
    pickle.GLOBAL: _global,
    pickle.STACK_GLOBAL: _stack_global,
    pickle.REDUCE: _reduce,
    pickle.NEWOBJ: _reduce,
    pickle.BUILD: lambda machine, stream: machine.build(machine.stack.pop()),
    pickle.BINPERSID: _persistent_id,
    # What tells a reader how to read, and changes nothing here.
    pickle.PROTO: lambda machine, stream: stream.take(1),
    pickle.FRAME: lambda machine, stream: stream.take(8),
}
"""By their opcodes, with the names of Python's module `pickletools`. Any other is refused."""


def load_pickle(
    data: memoryview,
    budget: Budget,
    known: Mapping[str, Constructor | None],
    shells: tuple[str, ...] = (),
    persistent: Constructor | None = None,
    start: int = 0,
) -> tuple[object, int]:
    """The value of the pickle in `data` that starts at byte `start`, and the position of the byte after it.

    See PickleMachine for `known`, `shells` and `persistent`. Raises Refused for whatever else it asks for."""
    machine, stream = PickleMachine(known, shells, persistent), PickleStream(data, start)
    try:
        while (opcode := bytes(stream.take(1))) != pickle.STOP:
            budget.count_instruction()
            if opcode not in INSTRUCTIONS:
                raise _unknown(opcode)
            INSTRUCTIONS[opcode](machine, stream)
        return machine.stack.pop(), stream.position
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        # An empty stack, a missing memo entry, a list for a number: of one kind for whoever has the file.
        raise damaged("its pickle makes no sense") from error


def _unknown(opcode: bytes) -> Refused:
    return Refused(f"it uses the instruction {opcode!r}, which no checkpoint needs; get one from another source")
