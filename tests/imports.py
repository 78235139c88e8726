"""The house, measured from its imports: which file uses which, and what that says of its rooms.

    python tests/imports.py [CHECKOUT …]

A room is a folder of Python files. For each stage with rooms in it the same is counted as a newcomer to its folder
meets it: what lies directly in it, files and folders, and the other stages beside them."""

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

STAGES = "weights", "invert", "drag", "pipeline"
Graph = dict[str, set[str]]
"""Of each file, folder or stage, by its dotted name below `photodrag`, those that it imports."""


def file_imports(root: Path) -> Graph:
    """Every file of a checkout by its dotted name, and the files that it imports, inside functions and for types, too.
    A name that a package gives lazily is that of the file that it comes from."""
    paths = {_dotted(path.relative_to(root)): path for stage in STAGES for path in (root / stage).rglob("*.py")}
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in paths.items()}
    lazy = {name: _lazy_names(tree, name) for name, tree in trees.items()}
    return {name: set(_imported(tree, trees, lazy)) - {name} for name, tree in trees.items()}


def rooms(graph: Graph, root: Path) -> Graph:
    """The same of folders: a file belongs to the one that it lies in."""
    return merged(graph, lambda name: name if (root / name.replace(".", "/")).is_dir() else name.rpartition(".")[0])


def seen_from(stage: str, graph: Graph) -> Graph:
    """The same of what lies directly in a stage's folder, and of the other stages as wholes."""

    def place(name: str) -> str:
        first, *rest = name.split(".")
        return ".".join([first, *rest[:1]]) if first == stage else first

    return merged(graph, place)


def merged(graph: Graph, place) -> Graph:
    """What is at one `place` counts as one."""
    result: Graph = {}
    for name, others in graph.items():
        result.setdefault(place(name), set()).update(place(other) for other in others)
    return {name: others - {name} for name, others in result.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Those that import each other in a circle, each such group once (Tarjan's strongly connected components)."""
    reach = {name: _reachable(graph, name) for name in graph}
    groups = {frozenset(b for b in reach[a] if a in reach[b]) for a in graph}
    return sorted(sorted(group) for group in groups if group)


def floors(graph: Graph) -> int:
    """How many stand on each other at most; a circle counts as one."""
    group = {name: "+".join(circle) for circle in circles(graph) for name in circle}
    graph = merged(graph, lambda name: group.get(name, name))
    height: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        height[name] = 1 + max((height[other] for other in graph.get(name, ())), default=0)
    return max(height.values())


def counts(graph: Graph) -> str:
    arrows = sum(map(len, graph.values()))
    return f"{len(graph)} rooms, {floors(graph)} floors, {arrows} arrows, {len(circles(graph))} circles"


def ordered(graph: Graph) -> list[str]:
    """From the lowest up; raises CycleError where there is a circle."""
    return list(TopologicalSorter(graph).static_order())


def _reachable(graph: Graph, start: str) -> set[str]:
    found, todo = set(), [start]
    while todo:
        for other in graph.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _lazy_names(tree: ast.Module, package: str) -> dict[str, str]:
    """The names that `lazily` gives a package, and the files that they come from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazily":
            if len(node.args) > 1:
                modules = ast.literal_eval(node.args[1])
            else:  # as it was called before there were rooms
                modules = {key.arg: ast.literal_eval(key.value) for key in node.keywords}
            return {name: f"{package}.{module}" for module, names in modules.items() for name in names.split()}
    return {}


def _imported(tree: ast.Module, files: dict, lazy: dict[str, dict[str, str]]):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if not name.startswith("photodrag."):
                continue
            name = name.removeprefix("photodrag.")
            package, _, last = name.rpartition(".")
            if name in files:
                yield name
            elif last in lazy.get(package, ()):
                yield lazy[package][last]
            elif package in files:
                yield package


def main() -> None:
    for argument in sys.argv[1:] or [Path(__file__).parents[1]]:
        root = Path(argument)
        graph = file_imports(root)
        print(f"{root}: {len(graph)} files; folders: {counts(rooms(graph, root))}")
        for stage in ("pipeline", "weights"):
            print(f"  seen from {stage}/: {counts(seen_from(stage, graph))}")
        for circle in circles(graph):
            print("  files in a circle:", ", ".join(circle))
        try:
            print("  from the lowest room up:", " ".join(ordered(rooms(graph, root))))
        except CycleError as error:
            print("  rooms in a circle:", " → ".join(error.args[1]))


if __name__ == "__main__":
    main()
