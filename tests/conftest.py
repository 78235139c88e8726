"""What tests of several stages share. The default weights lie in the user's own cache (or in
PHOTODRAG_CACHE), fetched on first use; with them there, no test needs a network."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before PyTorch reads it: each of pytest's processes has one processor

import pytest
import torch

from photodrag import weights
from photodrag.weights.common.files import cache_folder

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of outputs that other people's code computed."""
    return GOLDEN


@pytest.fixture(scope="session")
def face():
    """The default generator, loaded once: a test must not change it."""
    return weights.load("face")


@pytest.fixture
def codes(face) -> torch.Tensor:
    """Two seeded codes [2, 16, 512], a different one in every slot, near enough to w_avg to be faces."""
    z = torch.randn(2 * face.num_ws, face.z_dim, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        return face.mapping(z, psi=0.6)[:, 0].unflatten(0, (2, -1))


@pytest.fixture
def empty_cache(tmp_path, monkeypatch) -> Path:
    """PHOTODRAG_CACHE, with nothing in it, for this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PHOTODRAG_CACHE", str(folder))
    return folder


@pytest.fixture
def cache(face, tmp_path, monkeypatch) -> Path:
    """PHOTODRAG_CACHE, with the default weights, the whitened space of `face` and nothing else in it, for this test
    alone. Its files may be links to the user's own: remove or replace them, don't write into them."""
    weights.kept_space(face)
    spaces = cache_folder("spaces").glob(f"{face.digest[:16]}.*")
    folder = tmp_path / "cache"
    for path in (weights.get("face"), weights.get("st-lpips-vgg"), *spaces):
        own = folder / path.parent.name / path.name
        own.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, own)
        except OSError:  # another file system
            shutil.copy(path, own)
    monkeypatch.setenv("PHOTODRAG_CACHE", str(folder))
    return folder


@pytest.fixture
def small_disk(tmp_path):
    """An empty file system of 64 KiB."""
    with mounted(tmp_path / "small", "size=64k") as folder:
        yield folder


@pytest.fixture
def locked_folder(tmp_path):
    """A folder, empty, in which nobody may write, not even root."""
    if os.geteuid() == 0:
        with mounted(tmp_path / "locked", "ro") as folder:
            yield folder
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o555)
        yield folder
        folder.chmod(0o755)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory. Skips the test where the right to mount is lacking."""
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no mount command: {error}")
    if done.returncode:
        pytest.skip(f"mounting a file system needs more rights: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
