"""Mistakes that people make, put into a file by its syntax tree: each a place of it and what stands there instead."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult}
FLIPPED = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

UNSEEN = {None, "device", "strict"}
"""Keywords of calls that no test on a CPU, or of what is right, can see."""


@dataclass(frozen=True)
class Change:
    """What stands in a line of a file, and what instead."""

    line: int
    before: str
    after: str
    text: str
    """The whole file with it."""


def changes(path: Path) -> Iterator[Change]:
    """All single mistakes that can be put into a Python file, in its order."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    silent = [node for node in ast.walk(tree) if _says_nothing(node)]
    silent += [decorator for node in ast.walk(tree) for decorator in getattr(node, "decorator_list", [])]
    skipped = {id(inner) for node in silent for inner in ast.walk(node)}
    nodes = [node for node in ast.walk(tree) if id(node) not in skipped and hasattr(node, "lineno")]
    found = [(node, other) for node in nodes for other in wrong(node)]
    found += [(node.test, ast.Constant(taken)) for node in nodes if isinstance(node, ast.If) for taken in (True, False)]
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    data = text.encode()
    for node, other in sorted(found, key=lambda pair: (pair[0].lineno, pair[0].col_offset)):
        begin, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        after = ast.unparse(ast.fix_missing_locations(other))
        after = f"({after})" if isinstance(other, ast.expr) else after
        whole = (data[:begin] + after.encode() + data[end:]).decode()
        yield Change(node.lineno, " ".join(data[begin:end].decode().split()), after, whole)


def wrong(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand by mistake in a node's place."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in FLIPPED:
            yield ast.Compare(node.left, [FLIPPED[type(op)]()], node.comparators)
        case ast.BinOp() if type(node.op) in SWAPPED and not _of_text(node):
            yield ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1 if value < 4 else 2 * value)
        case ast.Constant(value=float(value)):
            yield ast.Constant(value * 2 if value else 1.0)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield node.operand
        case ast.BoolOp(op=ast.And()):
            yield ast.BoolOp(ast.Or(), node.values)
        case ast.BoolOp(op=ast.Or()):
            yield ast.BoolOp(ast.And(), node.values)
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.Return(value=ast.expr()):
            yield from _inputs_given_back(node)
        case ast.Call():
            if node.keywords and node.keywords[-1].arg not in UNSEEN:
                yield ast.Call(node.func, node.args, node.keywords[:-1])
            if len(node.args) > 1 and not any(isinstance(arg, ast.Starred) for arg in node.args):
                yield ast.Call(node.func, node.args[:-1], node.keywords)
            if isinstance(node.func, ast.Attribute) and len(node.args) <= 1 and not node.keywords:
                yield node.func.value  # x.clip(…) as x


def _inputs_given_back(node: ast.Return) -> Iterator[ast.AST]:
    names = [inner for inner in ast.walk(node.value) if isinstance(inner, ast.Name)]
    first = next((name for name in names if name.id not in {"self", "np", "cv2", "torch", "ast", "masks"}), None)
    if first is not None and not isinstance(node.value, ast.Name):
        yield ast.Return(first)


def _says_nothing(node: ast.AST) -> bool:
    """Whether mistakes in it change no result: types, texts, messages of errors, imports, decorators."""
    return isinstance(
        node, ast.Raise | ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr | ast.arg | ast.AnnAssign
    ) and not (isinstance(node, ast.AnnAssign) and node.value is not None)


def _of_text(node: ast.BinOp) -> bool:
    ends = node.left, node.right
    return any(isinstance(x, ast.JoinedStr) or (isinstance(x, ast.Constant) and isinstance(x.value, str)) for x in ends)
