"""How much a file may make of itself while it is opened, and how it is refused."""

from collections.abc import Sequence

MAX_DIMENSIONS = 8
MAX_INSTRUCTIONS = 1_000_000
"""StyleGAN2's largest pickles have some thirty thousand; each makes one small object."""

SLACK = 1 << 16
"""Bytes, for small files whose few numbers are stored tersely."""


class Refused(Exception):
    """Why a file isn't opened, and what to do: the end of the sentence "FILE was not opened: …"."""


def damaged(what: str) -> Refused:
    """The refusal of a file whose content disagrees with itself."""
    return Refused(f"it is damaged ({what}); get it anew from where it came from")


class Budget:
    """What is left to a file of `size` bytes: instructions to follow, and bytes of numbers to make.

    A number passes at most twice from the file into memory (as bytes, then as an array), so that a file
    of n bytes which asks for much more than 2 n repeats itself."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.bytes = 2 * size + SLACK
        self.instructions = MAX_INSTRUCTIONS

    def spend(self, count: int) -> None:
        """Account for `count` bytes, before they are made. Raises Refused where they are too many."""
        self.bytes -= count
        if self.bytes < 0:
            raise Refused("it claims to hold more numbers than its size allows; get it anew from another source")

    def count_instruction(self) -> None:
        """Account for an instruction. Raises Refused where there are too many."""
        self.instructions -= 1
        if self.instructions < 0:
            raise Refused(f"it has more than {MAX_INSTRUCTIONS} instructions, far more than any checkpoint needs")

    def elements(self, shape: Sequence[object]) -> int:
        """The number of elements of a declared shape; what is no size of a tensor is refused, too.

        Raises Refused where no such tensor fits the file; a dimension of 0 doesn't excuse the others, since whoever
        walks along them would never end."""
        if len(shape) > MAX_DIMENSIONS:
            raise damaged("a shape that no tensor has")
        sizes = [n for n in shape if type(n) is int and n >= 0]
        if len(sizes) != len(shape):
            raise damaged("a shape that no tensor has")
        product = 1
        for n in sizes:
            product *= n or 1
            if product > self.size:
                raise damaged("a shape larger than the file")
        return 0 if 0 in sizes else product
