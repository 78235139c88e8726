"""What tests of several stages share. The default weights lie in the user's own cache (or in
PHOTODRAG_CACHE), fetched on first use; with them there, no test needs a network."""

import gc
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before PyTorch reads it: each of pytest's processes has one processor

import pytest
import torch
from small_face import lay_small_face
from user_cache import lay_out, link

from photodrag import weights

GOLDEN = Path(__file__).parent / "golden"


def pytest_collection_finish() -> None:
    """What is imported by now stays: looking through it again and again took half a minute of a fuzz test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of outputs that other people's code computed."""
    return GOLDEN


@pytest.fixture(scope="session")
def published_face():
    """The default generator as it is published, loaded once: a test must not change it."""
    return weights.load("face")


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory) -> Path:
    """A folder as PHOTODRAG_CACHE with what an edit by default needs: the small `face` (small_face.py), its whitened
    space, the perceptual distance."""
    folder = lay_out(tmp_path_factory.mktemp("laid_out"), "st-lpips-vgg")
    lay_small_face(folder / "weights")
    return folder


@pytest.fixture(scope="session")
def face(laid_out):
    """The default generator at 256 × 256, loaded once: a test must not change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTODRAG_CACHE", str(laid_out))
        return weights.load("face")


@pytest.fixture
def codes(face) -> torch.Tensor:
    """Two seeded codes [2, num_ws, 512], a different one in every slot, near enough to w_avg to be faces."""
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
def cache(laid_out, tmp_path, monkeypatch) -> Path:
    """PHOTODRAG_CACHE, with what is `laid_out` and nothing else in it, for this test alone. Its files may be links:
    remove or replace them, don't write into them."""
    folder = tmp_path / "cache"
    for path in laid_out.rglob("*.*"):
        link(path, folder / path.relative_to(laid_out))
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
