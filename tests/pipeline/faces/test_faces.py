"""Faces and landmarks: the same face at every size, tilt and place is the same face."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from photodrag.pipeline.faces.detection import Face, choose, detect, in_box
from photodrag.pipeline.faces.resample import warp
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.face_landmarks import EYES, GROUPS, JAW, MOUTH

SIDE = 99  # px across the astronaut's face


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    path = Path(__file__).parents[3] / "data" / "astronaut.png"
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def face(photo) -> Face:
    (face,) = detect(photo)
    return face


def scaled(picture: np.ndarray, factor: float) -> np.ndarray:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """How far two sets of landmarks in the astronaut's photo are apart on the mean, in parts of the face's side."""
    return float(np.hypot(*(a - b).T).mean() / SIDE)


def test_the_astronaut(face):
    assert face.number == 1 and face.score > 1
    assert face.box == pytest.approx((175, 72, SIDE, SIDE), abs=3)
    # Read off the enlarged picture by eye: the middle of each eye, her mouth's corners and her chin.
    points = face.landmarks
    assert points[EYES][:6].mean(0) == pytest.approx((203, 101), abs=2)
    assert points[EYES][6:].mean(0) == pytest.approx((247, 104), abs=2)
    assert points[MOUTH][0] == pytest.approx((202, 140), abs=3)
    assert points[MOUTH][6] == pytest.approx((247, 140), abs=3)
    assert points[JAW][8, 1] == pytest.approx(178, abs=2)
    assert sum(part.stop - part.start for part in GROUPS.values()) == 68


def test_two_threads_at_once(photo, face):
    with ThreadPoolExecutor(2) as threads:
        looks = list(threads.map(detect, [photo] * 6))
    assert [look[0].box for look in looks] == [face.box] * 6


@pytest.mark.parametrize("across, tolerance", [(60, 0.006), (300, 0.002)])
def test_size_changes_nothing(photo, face, across, tolerance):
    factor = across / SIDE
    (found,) = detect(scaled(photo, factor))
    assert apart((found.landmarks + 0.5) / factor - 0.5, face.landmarks) < tolerance


def test_a_face_of_3000_px(photo, face):
    factor = 3000 / SIDE
    head = photo[60:190, 160:290]
    (found,) = detect(scaled(head, factor))
    assert found.box[2] == pytest.approx(3000, rel=0.05)
    assert apart((found.landmarks + 0.5) / factor - 0.5 + (160, 60), face.landmarks) < 0.01


@pytest.mark.parametrize("degrees", [20, -45, 90, 180, 250])
def test_tilt_changes_nothing(photo, face, degrees):
    turn = np.deg2rad(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shift = np.array([225, 125]) - matrix @ (250, 250)
    turned = warp(photo, np.column_stack([matrix, shift]), (500, 500), cv2.BORDER_REPLICATE)
    (found,) = detect(turned)
    assert apart(found.landmarks @ matrix.T + shift, face.landmarks) < 0.008


def test_large_and_small_in_one_photo(photo):
    """Three of her in 12 megapixels, the smallest 60 px across."""
    scene = np.full((3000, 4000, 3), 160, np.uint8)
    for across, (x, y) in {60: (3600, 200), 150: (200, 2100), 700: (700, 300)}.items():
        head = scaled(photo[20:230, 120:330], across / SIDE)
        scene[y : y + len(head), x : x + len(head)] = head
    faces = detect(scene)
    assert [face.number for face in faces] == [1, 2, 3]
    assert [face.box[2] for face in faces] == pytest.approx([700, 150, 60], rel=0.05)


def test_a_face_cut_at_the_picture_s_edge(photo, face):
    (found,) = detect(photo[82:165, 185:265])
    assert apart(found.landmarks + np.array([185, 82]), face.landmarks) < 0.05


def test_no_face(photo):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    for picture in (noise, photo[230:], np.zeros((1, 1, 3), np.uint8), np.full((3, 500, 3), 99, np.uint8)):
        assert detect(picture) == []
    with pytest.raises(UserError, match=r"No face was found in cat\.png: mark it with --box"):
        choose([], photo="cat.png")


def test_choose():
    faces = [Face(i + 1, (0, 0, 9, 9), np.zeros((68, 2))) for i in range(3)]
    assert choose(faces).number == 1
    assert choose(faces, 3).number == 3
    for number in (0, 4, -1):
        with pytest.raises(UserError, match=f"no face {number} in .*from 1 to 3"):
            choose(faces, number)
    with pytest.raises(UserError, match="1 is the only one"):
        choose(faces[:1], 2)


@pytest.mark.parametrize("box", [(175, 72, 99, 99), (140, 10, 170, 200), (190, 90, 60, 70), (0, 0, 512, 512)])
def test_a_box_by_hand_gives_the_same_landmarks(photo, face, box):
    found = in_box(photo, box)
    assert found.number == 1
    assert apart(found.landmarks, face.landmarks) < 0.005


def test_a_box_without_a_face_still_gives_landmarks(photo):
    """For a face that the detector doesn't see: it is the person who says that it is one."""
    found = in_box(photo, (330, 30, 100, 100))
    assert found.score is None and np.isfinite(found.landmarks).all()


@pytest.mark.parametrize(
    "box",
    [
        (10, 10, 0, 5),
        (10, 10, 5, -1),
        (600, 10, 50, 50),
        (-90, 0, 80, 80),
        (0, 0, 9e9, 9e9),
        (200, 70, 1e-300, 1e-300),
        (200, 70, 90, 19),
    ],
)
def test_boxes_that_hold_nothing(photo, box):
    with pytest.raises(UserError, match="The box"):
        in_box(photo, box)
