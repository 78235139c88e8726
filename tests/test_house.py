"""The house: who may import whom, names that hold in every order of imports, a wheel that runs elsewhere."""

import ast
import os
import shutil
import subprocess
import sys
from importlib import import_module
from itertools import permutations
from pathlib import Path

import pytest
from imports import circles, file_imports, floors, ordered, rooms

ROOT = Path(__file__).parents[1]
BASEMENT = {"weights.common"}
WEIGHTS = {"weights", "weights.latent", *BASEMENT}
"""What other stages use of weights/: what it gives by name, whitened spaces, and what every stage shares."""
PHOTOS = {"pipeline.photos", *WEIGHTS}
FACES = {"pipeline.faces", *PHOTOS}
PEOPLE = {"pipeline.people", *FACES}
EDITING = {"pipeline.editing", *PEOPLE, "invert", "drag"}
MAY_IMPORT = {
    "weights.common": set(),
    "weights.networks": BASEMENT,
    "weights.latent": BASEMENT,
    "weights.fetching": BASEMENT,
    "weights.formats": BASEMENT | {"weights.networks", "weights.latent"},
    "weights": WEIGHTS | {"weights.networks", "weights.formats", "weights.fetching"},
    "invert": WEIGHTS | {"weights.formats"},
    "drag": WEIGHTS,
    "pipeline.photos": WEIGHTS,
    "pipeline.faces": PHOTOS | {"invert"},
    "pipeline.people": PEOPLE | {"invert"},
    "pipeline.editing": EDITING,
    "pipeline.films": EDITING,
    "pipeline.compare": EDITING,
    "pipeline.uses": EDITING,
    "pipeline.measures": EDITING,
    "pipeline.page": EDITING | {"pipeline.films"},
    "pipeline.commands": EDITING
    | {"pipeline.films", "pipeline.compare", "pipeline.page", "pipeline.uses", "pipeline.measures"},
    "pipeline": {"pipeline.commands", "pipeline.editing", *WEIGHTS},
}
"""Of each room, which others it may use; whatever isn't named here may not be used, so no arrow points up."""
STAGES = ("weights", "invert", "drag", "pipeline")
NAMES = ["photodrag.weights.load", "photodrag.invert.project", "photodrag.drag.drag", "photodrag.pipeline.edit"]
MODULES = [
    "photodrag.invert.projection",
    "photodrag.drag.loop",
    "photodrag.pipeline.editing.whole_edit",
    "photodrag.weights.face",
]


def test_rooms_import_only_what_lies_below_them():
    graph = rooms(file_imports(ROOT), ROOT)
    assert graph.keys() == MAY_IMPORT.keys()
    for room, others in graph.items():
        assert others <= MAY_IMPORT[room], room
    assert ordered({room: others - {room} for room, others in MAY_IMPORT.items()})  # no circle is allowed


def test_no_files_import_each_other_in_a_circle():
    assert circles(file_imports(ROOT)) == []


def test_imports_are_measured(tmp_path):
    """On a small house: a lazy name, an import inside a function, a module by name, a circle."""
    for path, text in {
        "weights/__init__.py": '__getattr__, __all__ = lazily(__name__, {"common.errors": "UserError"})',
        "weights/common/errors.py": "import os",
        "drag/loop.py": "from photodrag.weights import UserError\ndef f():\n    from photodrag.drag import points",
        "drag/points.py": "import photodrag.drag.loop",
        "pipeline/cli.py": "from photodrag.drag.loop import f",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    graph = file_imports(tmp_path)
    assert graph["drag.loop"] == {"weights.common.errors", "drag.points"}
    assert circles(graph) == [["drag.loop", "drag.points"]]
    assert rooms(graph, tmp_path) == {
        "weights": set(), "weights.common": set(), "drag": {"weights.common"}, "pipeline": {"drag"},
    }  # fmt: skip
    assert floors(graph) == 3 and floors(rooms(graph, tmp_path)) == 3
    assert ordered(rooms(graph, tmp_path)).index("drag") < ordered(rooms(graph, tmp_path)).index("pipeline")


def test_names_are_functions_in_every_order_of_imports():
    script = f"""
import sys
from importlib import import_module
for order in {list(permutations(range(len(NAMES))))[::5]}:
    for name in [name for name in sys.modules if name.startswith("photodrag")]:
        del sys.modules[name]
    for i in order:
        import_module({MODULES}[i])
        package, _, name = {NAMES}[i].rpartition(".")
        assert callable(getattr(import_module(package), name)), ({NAMES}[i], order)
import photodrag.drag, photodrag.invert, photodrag.pipeline, photodrag.weights
for name in {NAMES}:
    assert callable(eval(name)), name
for package in (photodrag.drag, photodrag.invert, photodrag.pipeline, photodrag.weights):
    for name in package.__all__:
        getattr(package, name)
    try:
        package.nothing
    except AttributeError:
        continue
    raise AssertionError(package)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


@pytest.mark.parametrize("stage", ["weights", "invert", "drag", "pipeline"])
def test_type_checkers_see_the_names_that_a_package_gives_lazily(stage):
    package = import_module(f"photodrag.{stage}")
    tree = ast.parse((ROOT / stage / "__init__.py").read_text("utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    places = {alias.name: node.module for node in block.body for alias in node.names}
    assert sorted(places) == sorted(package.__all__)
    for name, module in places.items():
        assert getattr(package, name) is getattr(import_module(module), name), name


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder into which a wheel, built from a copy of the tree, was installed."""
    folder = tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(ROOT, folder / "tree", ignore=unwanted)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", folder / "tree", *alone, "--no-build-isolation", "-w", folder / "wheels"], check=True
    )
    (wheel,) = (folder / "wheels").iterdir()
    subprocess.run([*pip, "install", wheel, *alone, "--target", folder / "site"], check=True)
    return folder / "site"


def test_wheel_holds_the_house_and_nothing_else(installed):
    assert {path.name for path in installed.iterdir() if "dist-info" not in path.name} == {"photodrag", "bin"}
    packed = {path.relative_to(installed / "photodrag") for path in (installed / "photodrag").rglob("*.py")}
    ours = {path.relative_to(ROOT) for stage in STAGES for path in (ROOT / stage).rglob("*.py")}
    assert packed == ours
    for stage in STAGES:  # PEP 561: its annotations are for others' type checkers, too
        assert (installed / "photodrag" / stage / "py.typed").is_file(), stage
    assert (installed / "photodrag" / "invert" / "start.safetensors").is_file()
    assert (installed / "photodrag" / "weights" / "latent" / "axes.safetensors").is_file()
    assert (installed / "photodrag" / "weights" / "latent" / "attributes.safetensors").is_file()
    assert set(os.listdir(installed / "photodrag" / "data")) == {"astronaut.png", "SOURCES.md"}
    page = "pipeline/page/static"
    assert sorted(os.listdir(installed / "photodrag" / page)) == sorted(os.listdir(ROOT / page))


def test_wheel_runs_from_another_folder(installed, tmp_path):
    def python(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(installed)},
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Usage: photodrag" in python("-m", "photodrag.pipeline.cli", "--help")
    script = """
import photodrag.pipeline.editing.whole_edit, photodrag.invert.start, photodrag.drag
print(photodrag.pipeline.__file__, photodrag.pipeline.edit.__name__)
print(photodrag.invert.start.start_model().weight.shape)
import photodrag.pipeline.page.app_state, photodrag.pipeline.photos.read
sample = photodrag.pipeline.page.app_state.SAMPLE
print(sample, photodrag.pipeline.photos.read.read_photo(sample).pixels.shape)
"""
    where, shape, sample = python("-c", script).splitlines()
    assert where == f"{installed / 'photodrag' / 'pipeline' / '__init__.py'} edit"
    assert shape.startswith("torch.Size([")
    assert sample == f"{installed / 'photodrag' / 'data' / 'astronaut.png'} (512, 512, 3)"
