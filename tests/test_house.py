"""The house: who may import whom, names that hold in every order of imports, a wheel that runs elsewhere."""

import ast
import os
import shutil
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "weights": {"weights"},
    "invert": {"invert", "weights"},
    "drag": {"drag", "weights"},
    "pipeline": {"pipeline", "invert", "drag", "weights"},
}
NAMES = ["photodrag.weights.load", "photodrag.invert.project", "photodrag.drag.drag", "photodrag.pipeline.edit"]
MODULES = [
    "photodrag.invert.projection",
    "photodrag.drag.loop",
    "photodrag.pipeline.editing.whole_edit",
    "photodrag.weights.face",
]


def imported(path: Path) -> set[str]:
    """The stages that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            whole = node.module == "photodrag"
            names |= {f"photodrag.{alias.name}" for alias in node.names} if whole else {node.module}
    return {name.split(".")[1] for name in names if name.startswith("photodrag.")}


@pytest.mark.parametrize("stage", MAY_IMPORT)
def test_imports_point_one_way(stage):
    files = list((ROOT / stage).rglob("*.py"))
    assert files
    for path in files:
        assert imported(path) <= MAY_IMPORT[stage], path


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
    ours = {path.relative_to(ROOT) for stage in MAY_IMPORT for path in (ROOT / stage).rglob("*.py")}
    assert packed == ours
    assert (installed / "photodrag" / "invert" / "start.safetensors").is_file()
    assert (installed / "photodrag" / "weights" / "latent" / "axes.safetensors").is_file()
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
import photodrag.pipeline.page.studio, photodrag.pipeline.photos.read
sample = photodrag.pipeline.page.studio.SAMPLE
print(sample, photodrag.pipeline.photos.read.read_photo(sample).pixels.shape)
"""
    where, shape, sample = python("-c", script).splitlines()
    assert where == f"{installed / 'photodrag' / 'pipeline' / '__init__.py'} edit"
    assert shape.startswith("torch.Size([")
    assert sample == f"{installed / 'photodrag' / 'data' / 'astronaut.png'} (512, 512, 3)"
