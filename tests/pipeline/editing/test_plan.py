"""What an edit is given is checked before anything is loaded: one sentence for each mistake."""

import numpy as np
import pytest
from PIL import Image

from photodrag.pipeline.editing import plan
from photodrag.pipeline.editing.plan import plan_edit
from photodrag.pipeline.editing.points import check_in_crop
from photodrag.pipeline.faces import detection
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

HANDLE, TARGET = (104.4, 138.9), (101, 135)


@pytest.fixture
def photo(portrait):
    return read_photo(portrait)


def white(rows: slice = slice(None), columns: slice = slice(None), value: float = 1.0) -> np.ndarray:
    mask = np.zeros((256, 256))
    mask[rows, columns] = value
    return mask


@pytest.mark.parametrize(
    "handles, targets, sentence",
    [
        ([(1, 2, 3), (4, 5, 6)], [(1, 2), (3, 4), (5, 6)], r"The handles are no points .* not \[\(1, 2, 3\)"),
        ([HANDLE], "101,135", "The targets are no points .* not '101,135'"),
        ([("104", "138")], [TARGET], "The handles are no points"),
        ([(1, 2), (3,)], [TARGET], "The handles are no points"),
        ([(float("nan"), 138)], [TARGET], "The handles are no points"),
        ([HANDLE], [(float("inf"), 3)], "The targets are no points"),
        ([HANDLE], None, "The targets are no points"),
        ([HANDLE], [TARGET, TARGET], "1 handles and 2 targets"),
        ([], [], "0 handles and 0 targets"),
    ],
)
def test_points_that_are_none(photo, handles, targets, sentence):
    with pytest.raises(UserError, match=sentence):
        plan_edit(photo, handles, targets)


@pytest.mark.parametrize(
    "mask, sentence",
    [
        (np.ones((256, 255)), r"The mask is \(256, 255\), the photo \(256, 256\)"),
        ([[1, 1], [1]], "rows are of different lengths"),
        (np.full((256, 256), np.nan), "something else than finite numbers"),
        (np.full((256, 256), "1"), "something else than finite numbers"),
        (white(value=-1.0), "The mask is 0 throughout"),
        (
            white(slice(250, 256), slice(250, 256)),
            "The mask lets nothing change inside the crop around the face, which",
        ),
        (white(slice(100, 130)), "The handle 104.4,138.9 lies where the mask lets nothing change: paint white there"),
    ],
)
def test_masks_that_permit_nothing(photo, mask, sentence):
    with pytest.raises(UserError, match=sentence):
        plan_edit(photo, [HANDLE], [TARGET], mask)


def test_a_picture_that_permits_nothing_is_named(photo, portrait):
    path = portrait.with_name("mask.png")
    Image.fromarray((white(slice(250, 256), slice(250, 256)) * 255).astype(np.uint8)).save(path)
    with pytest.raises(UserError, match=r"The mask .*mask\.png lets nothing change inside the crop"):
        plan_edit(photo, [HANDLE], [TARGET], path)


def test_what_is_accepted(photo):
    mask = white(slice(130, 150), value=200.0)
    planned = plan_edit(photo, HANDLE, np.array([TARGET], np.float32), mask.tolist())
    assert planned.handles.tolist() == [list(HANDLE)] and planned.targets.tolist() == [list(TARGET)]
    assert planned.mask.dtype == np.float32
    assert np.array_equal(planned.mask, mask > 0)


def test_landmarks_that_coincide(photo, monkeypatch):
    monkeypatch.setattr(detection, "detect", lambda pixels: [Face(1, (9, 9, 9, 9), np.full((68, 2), 9.0), 1.0)])
    with pytest.raises(UserError, match=r"No eyes and mouth could be told apart in portrait\.png"):
        plan.find_face(photo)


def test_a_tilted_crop_is_named_so_that_it_excludes_the_point(photo):
    tilted = Alignment(np.array([[100, 0], [0, 100], [100, 200], [200, 100]]))
    with pytest.raises(UserError, match="corners at about 100,0, 0,100, 100,200 and 200,100: move it there"):
        check_in_crop(tilted, photo, np.array([[20.0, 20.0]]), "handle", 1)
    with pytest.raises(UserError, match="reaches from about 0,0 to 200,200: move it there or choose"):
        check_in_crop(tilted, photo, np.array([[220.0, 20.0]]), "handle", 2)


def test_a_crop_is_named_as_far_as_it_lies_in_the_photo(photo):
    wide = Alignment(np.array([[-30, 150], [-30, 290], [110, 290], [110, 150]]))
    with pytest.raises(UserError, match="reaches from about 0,150 to 110,255: move it there"):
        check_in_crop(wide, photo, np.array([[220.0, 20.0]]), "handle", 1)
