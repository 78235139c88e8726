"""A small portrait, and inversions that are ready, so that an edit takes seconds."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from kept_stand_ins import keep_stand_ins
from PIL import Image
from user_cache import lay_out

from photodrag.pipeline.editing import inversion as inversions
from photodrag.pipeline.editing.inversion import Models
from photodrag.weights import latent_space

ASTRONAUT = Path(__file__).parents[2] / "data" / "astronaut.png"


@pytest.fixture(scope="session")
def portrait_image() -> Image.Image:
    """A face, 99 px across, in 256 × 256."""
    with Image.open(ASTRONAUT) as image:
        return image.convert("RGB").crop((96, 0, 352, 256))


@pytest.fixture
def portrait(tmp_path, portrait_image) -> Path:
    """The portrait, alone in a folder."""
    path = tmp_path / "photos" / "portrait.png"
    path.parent.mkdir()
    portrait_image.save(path)
    return path


@pytest.fixture(scope="session")
def models(face) -> Models:
    """The default ones."""
    return Models("face", face, latent_space(face))


@pytest.fixture(scope="session")
def published_models(published_face) -> Models:
    """Those of `face` as it is published."""
    return Models("face", published_face, latent_space(published_face))


@pytest.fixture
def ready(cache, models) -> Callable[[Path], Path]:
    """Keeps, in this test's cache, w_avg as the inversion of each face in a photo: an edit then moves the
    mean face as it would move a better likeness, without the minutes. Returns the photo's path."""
    return partial(keep_stand_ins, models)


@pytest.fixture
def published_ready(tmp_path, monkeypatch, published_models) -> Callable[[Path], Path]:
    """The same, with `face` as it is published in this test's cache."""
    monkeypatch.setenv("PHOTODRAG_CACHE", str(lay_out(tmp_path / "cache", "face", "st-lpips-vgg")))
    return partial(keep_stand_ins, published_models)


@pytest.fixture
def slow_projection(models, monkeypatch):
    """Stands in for the projection: w_avg, over and over, until `finish` is set."""
    finish = threading.Event()

    def project(generator, crop, distance, settings, space, progress, *_):
        w_plus = generator.w_avg.expand(1, generator.num_ws, -1).contiguous()
        state = SimpleNamespace(step=1, steps=64, w_plus=w_plus, loss=1.0)
        while not finish.wait(0.01):
            progress(state)
        return SimpleNamespace(w_plus=w_plus, loss=1.0, steps=1, seconds=1.0)

    monkeypatch.setattr(inversions, "project", project)
    monkeypatch.setattr(inversions.unfinished, "Checkpointer", lambda key: KeepsNothing())
    return finish


class KeepsNothing:
    def __call__(self, state) -> None:
        pass

    def done(self) -> None:
        pass
