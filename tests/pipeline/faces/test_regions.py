"""Regions that are moved as one: by one similarity, whatever lies in them."""

import numpy as np
import pytest
from PIL import Image

from photodrag.pipeline import Controls
from photodrag.pipeline.editing.plan import plan_edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.faces.regions import Region, as_text, points_of, read_region, region_drags
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError


@pytest.fixture(scope="module")
def landmarks(portrait_image) -> np.ndarray:
    return detect(np.array(portrait_image))[0].landmarks


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("mouth:+0,-3%,rotate=5,scale=1.1", Region("mouth", "+0,-3%", 5, 1.1)),
        ("nose:+4,-12", Region("nose", "+4,-12")),
        ("eye.left:scale=1.2", Region("eye.left", scale=1.2)),
        ("C:/masks/left.png:rotate=-3", Region("C:/masks/left.png", rotate=-3)),
    ],
)
def test_read_as_written(text, region):
    assert read_region(text) == region and read_region(as_text(region)) == region


@pytest.mark.parametrize(
    "text",
    ["mouth", "mouth:", ":+1,+1", "mouth:3,4", "mouth:scale=9", "mouth:rotate=60", "mouth:turn=3", "mouth:scale=big",
     "mouth:+1,+1,+1", "mouth:rotate=nan", "mouth:+inf,+1"],
)  # fmt: skip
def test_no_region(text):
    if text == "mouth:":
        assert read_region("mouth:").scale == 1  # nothing becomes of it; the edit says that nothing would move
    else:
        with pytest.raises(ValueError):
            read_region(text)


def test_one_similarity_about_the_middle(landmarks):
    made = region_drags(Region("mouth", "+2,-3%", 10, 1.2), landmarks, 100.0)
    start, end = (np.array(points) @ [1, 1j] for points in zip(*made, strict=True))
    assert len(made) == 20
    ratio = (end - end.mean()) / (start - start.mean())
    assert np.allclose(ratio, 1.2 * np.exp(1j * np.deg2rad(10)), atol=0.01)  # clockwise, as one sees it
    mouth = landmarks[48:]
    middle = (mouth.min(0) + mouth.max(0)) / 2 @ [1, 1j]
    assert np.allclose(end - middle, ratio * (start - middle) + 2 - 3j, atol=0.3)


def test_painted(landmarks):
    """Landmarks in what is white; or points of its own, where there are hardly any."""
    painted = np.zeros((256, 256), np.float32)
    x, y = landmarks[36:42].mean(0).round().astype(int)
    painted[y - 8 : y + 8, x - 14 : x + 14] = 1
    assert np.array_equal(points_of(Region("eye.png"), landmarks, painted), landmarks[36:42])
    painted[:] = 0
    painted[20:50, 100:160] = 1
    points = points_of(Region("hair.png"), landmarks, painted)
    assert len(points) == 9
    assert (painted[tuple(points.round().astype(int).T[::-1])] == 1).all()
    painted[:] = 0
    painted[20, 100] = 1
    assert points_of(Region("dot.png"), landmarks, painted).tolist() == [[100, 20]]


def test_painted_on_what_is_no_face(portrait, tmp_path):
    """By points of its own, in pixels alone."""
    mask = np.zeros((256, 256), np.uint8)
    mask[100:140, 60:120] = 255
    Image.fromarray(mask).save(tmp_path / "ear.png")
    photo, square, path = read_photo(portrait), Selection(align="square"), str(tmp_path / "ear.png")
    plan = plan_edit(photo, [], [], None, square, controls=Controls(regions=[Region(path, "+4,-2")]))
    assert len(plan.handles) == 9 and np.array_equal(plan.targets - plan.handles, [[4, -2]] * 9)
    for region in (Region(path, "+4%,-2"), Region("mouth", "+4,-2")):
        with pytest.raises(UserError, match="which has no landmarks for"):
            plan_edit(photo, [], [], None, square, controls=Controls(regions=[region]))
