"""What was read is a tree of bounded size, so that whoever walks it needs no care."""

from collections import OrderedDict
from collections.abc import Iterable

from photodrag.weights.formats.budget import Refused, damaged
from photodrag.weights.formats.placeholders import Pending, Shell

MAX_DEPTH = 200
"""NVIDIA's networks nest some thirty deep; a walk by recursion may go a thousand deep in Python."""

MAX_NODES = 2_000_000
"""NVIDIA's largest have some hundred thousand."""


def check_tree(root: object) -> None:
    """See that a walk from `root` ends: MAX_DEPTH levels and MAX_NODES nodes at most.

    A pickle refers to what it already holds, so 50 lists of two references each stand for 2⁵⁰ nodes.
    They are counted as a walk would meet them, but each is visited once. Raises Refused."""
    measured: dict[int, tuple[int, int]] = {}
    deep = Refused(f"it nests deeper than {MAX_DEPTH} levels, or contains itself; get one from another source")

    def measure(node: object, depth: int) -> tuple[int, int]:
        """The levels and the nodes from `node` on. What contains itself never gets there: MAX_DEPTH ends it."""
        if id(node) in measured:
            return measured[id(node)]
        levels = nodes = 1
        for child in _children(node):
            if depth == MAX_DEPTH:  # before the child, for what contains itself
                raise deep
            below, count = measure(child, depth + 1)
            levels, nodes = max(levels, below + 1), nodes + count
            if depth + levels > MAX_DEPTH + 1:  # after it, for what was measured elsewhere
                raise deep
            if nodes > MAX_NODES:
                raise Refused(f"it unfolds to more than {MAX_NODES} values; get one from another source")
        measured[id(node)] = levels, nodes
        return levels, nodes

    measure(root, 1)


def _children(node: object) -> Iterable[object]:
    match node:
        case list() | tuple():
            return node
        case dict() | OrderedDict():
            return node.values()
        case Shell():
            return node.arguments, node.state
        case Pending():
            raise damaged("an array without numbers")
        case _:  # keys and members of sets are scalars
            return ()
