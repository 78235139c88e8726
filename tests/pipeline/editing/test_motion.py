"""How a face moved, on landmarks of which the right answer is known."""

import cv2
import numpy as np
import pytest
from documents import ROOT
from PIL import Image
from scipy.interpolate import RBFInterpolator

from photodrag.drag.contours import on_contours, width
from photodrag.pipeline.editing.blend import warped
from photodrag.pipeline.editing.face_layers import face_layers, opened, widely_blurred
from photodrag.pipeline.editing.motion import (
    MOST_LEFT,
    Dragged,
    FaceMotion,
    leaning,
    rest_of_way,
    spline_flow,
    thin_plate,
    uncrossed,
    with_outline_kept,
)
from photodrag.pipeline.editing.openings import aside, from_the_side, openness, shown
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import detect
from photodrag.weights.common.face_landmarks import (
    BROWS,
    EYES,
    INNER_LIPS,
    JAW,
    LEFT_EAR,
    LEFT_EYE,
    MOUTH,
    NOSE_TIP,
    RIGHT_EYE,
)

SIDE = 512


def astronaut() -> np.ndarray:
    """The landmarks [68, 2] of the sample photo in its crop."""
    with Image.open(ROOT / "data" / "astronaut.png") as photo:
        landmarks = detect(np.array(photo.convert("RGB")))[0].landmarks
    return Alignment.from_landmarks(landmarks, SIDE).to_crop(landmarks)


MARKS = astronaut()
LEFT, RIGHT = 48, 54


def moved(part, way) -> np.ndarray:
    """The landmarks with some of them moved by (x, y)."""
    marks = MARKS.copy()
    marks[part] += way
    return marks


def dragged(pairs: dict[int, tuple[float, float]]) -> Dragged:
    handles = MARKS[list(pairs)]
    return Dragged(handles, handles + np.array(list(pairs.values())), handles)


def rest(drag: Dragged, so_far: np.ndarray) -> np.ndarray:
    return rest_of_way(MARKS, so_far, drag, on_contours(drag.handles, MARKS))


def test_splines_lead_from_each_landmark_to_where_it_came_from():
    goal = moved(MOUTH, (6, -9))
    flow = spline_flow(MARKS, goal, SIDE)
    at = goal.round().astype(int)
    assert np.abs(flow[at[:, 1], at[:, 0]] - (MARKS - goal)).max() < 1.5
    assert np.abs(flow[[0, -1]]).max() < 0.5 and np.abs(flow[:, [0, -1]]).max() < 0.5
    assert not spline_flow(MARKS, MARKS, SIDE).any()


def test_brows_keep_their_thickness_where_lids_go_down():
    """Half way between brow and lid the skin is stretched; a brow's own thickness below its landmarks it isn't."""
    goal = moved([37, 38], (0, 6))
    flow = spline_flow(MARKS, goal, SIDE)
    x, brow, lid = int(MARKS[37, 0]), MARKS[18, 1], MARKS[37, 1]
    below = round(brow + 0.25 * (lid - brow))
    assert np.abs(flow[below, x]).max() < 1 < 4 < -flow[round(lid + 6), x, 1]


def test_handles_go_the_rest_of_their_way_and_take_their_own_part_along():
    way = {LEFT: (-5.0, -4.0), RIGHT: (5.0, -4.0)}
    gone = rest(dragged(way), np.zeros((68, 2)))
    assert np.abs(gone[[LEFT, RIGHT]] - list(way.values())).max() < 0.1
    assert np.linalg.norm(gone[49]) > 2 and not gone[BROWS].any() and not gone[EYES].any() and not gone[JAW].any()
    half = np.zeros((68, 2))
    half[[LEFT, RIGHT]] = np.array(list(way.values())) / 2
    assert np.abs(rest(dragged(way), half)[[LEFT, RIGHT]] - half[[LEFT, RIGHT]]).max() < 0.1


def test_nothing_is_stretched_farther_than_a_face_may_be():
    gone = rest(dragged({LEFT: (-200.0, 0.0)}), np.zeros((68, 2)))
    assert np.linalg.norm(gone[LEFT]) == pytest.approx(MOST_LEFT * width(MARKS), rel=0.01)


def test_a_handle_on_no_contour_says_nothing_of_landmarks():
    cheek = (MARKS[2] + MARKS[31]) / 2
    drag = Dragged(cheek[None], cheek[None] + 5, cheek[None])
    assert not on_contours(drag.handles, MARKS).any() and not rest(drag, np.zeros((68, 2))).any()


def test_an_eye_is_shut_at_most():
    crossed = moved([37, 38], (0, 40))
    kept = uncrossed(crossed, MARKS)
    gap = (kept[[41, 40]] - kept[[37, 38]])[:, 1]
    assert (gap > 0).all() and (gap < 0.2 * (MARKS[[41, 40]] - MARKS[[37, 38]])[:, 1]).all()
    assert np.array_equal(uncrossed(MARKS, MARKS), MARKS)


def test_openness_of_a_ring_is_its_height_in_parts_of_its_width():
    ring = np.array([(0, 0), (1, -1), (3, -1), (4, 0), (3, 1), (1, 1)], float)
    assert openness(ring) == pytest.approx(0.5)


def motion_of(after: np.ndarray, goal: np.ndarray) -> FaceMotion:
    return FaceMotion(MARKS, after, goal)


OPEN = moved([*range(56, 60), *range(65, 68)], (0, 40))


@pytest.mark.parametrize("after, seen", [(OPEN, 1), (MARKS, 0)])
def test_a_mouth_is_new_where_the_generator_opened_it(after, seen):
    x, y = OPEN[INNER_LIPS].mean(0).round().astype(int)
    shown = opened(motion_of(after, OPEN), SIDE)
    assert shown[y, x] == seen and shown[: round(MARKS[30, 1])].max() == 0


def test_what_was_open_and_stays_so_is_the_photo_s_own():
    wider = moved([37, 38], (0, -2))
    assert not opened(motion_of(wider, wider), SIDE).any()


def test_where_nothing_moved_the_picture_is_the_photo():
    photo = np.random.RandomState(0).randint(0, 256, (SIDE, SIDE, 3), np.uint8)
    layers = face_layers(photo, 255 - photo, motion_of(MARKS, MARKS))
    assert np.array_equal(layers.of(photo), photo)


def test_a_new_mouth_is_seen_in_the_photo_s_light():
    """The generator's face is darker by 40 than the photo's; so are its teeth, which come out as bright as they are."""
    photo = np.full((SIDE, SIDE, 3), 160, np.uint8)
    x, y = OPEN[INNER_LIPS].mean(0).round().astype(int)
    edited = np.full_like(photo, 120)
    edited[y - 3 : y + 4, x - 3 : x + 4] = 200
    made = face_layers(photo, edited, motion_of(OPEN, OPEN)).of(photo)
    assert abs(made[y, x].mean() - 240) < 6 and np.abs(made[: round(MARKS[30, 1])] - 160).max() < 1
    assert abs(made[y, x + 30].mean() - 160) < 6


def test_what_is_not_to_be_read_is_made_up():
    photo = np.full((SIDE, SIDE, 3), 160, np.uint8)
    counts = np.ones((SIDE, SIDE), np.float32)
    counts[300:340, 240:280] = 0
    photo[counts == 0] = (255, 0, 0)
    still = motion_of(MARKS, MARKS)
    made = face_layers(photo, np.full_like(photo, 120), still, counts)
    assert not made.weight[counts == 0].any() and np.array_equal(warped(photo, made.flow), photo)
    assert np.ptp(made.of(photo)[counts == 0], axis=1).max() < 1


def test_eyes_have_their_own_lids():
    """A drag of one eye's lid leaves the other eye where it is."""
    gone = rest(dragged({37: (0.0, 5.0)}), np.zeros((68, 2)))
    assert gone[LEFT_EYE][1, 1] > 4.9 and np.abs(gone[RIGHT_EYE]).max() == 0 and np.abs(gone[[40, 41]]).max() < 1e-9


def test_a_turned_head_keeps_its_outline():
    """The generator's head turned by moving its outline one way and the rest the other: in the photo the outline stays,
    and the nose is where it was in the generator's picture. A mouth's drag stays as it is, as does one of the jaw."""
    turned = np.tile([-14.0, 1.0], (68, 1))
    turned[JAW] = (18.0, 0.0)
    face = width(MARKS)
    nose, corner = (on_contours(MARKS[[mark]], MARKS) for mark in (NOSE_TIP, LEFT))
    far = np.array([[-0.1 * face, 0.0]])
    kept = with_outline_kept(turned, nose, far, face)
    assert np.abs(kept[JAW].mean(0)).max() < 1e-9 and np.allclose(kept[NOSE_TIP], turned[NOSE_TIP], atol=1.0)
    assert with_outline_kept(turned, corner, far, face) is turned
    both = np.concatenate((nose, on_contours(MARKS[[8]], MARKS)))
    assert with_outline_kept(turned, both, np.concatenate((far, far)), face) is turned


def test_a_face_from_the_side_is_told_by_its_ears():
    assert not from_the_side(MARKS) and aside(MARKS) == pytest.approx(aside(MARKS * (-1, 1)))
    half = MARKS.copy()
    half[LEFT_EAR] = half[NOSE_TIP] + (half[LEFT_EAR] - half[NOSE_TIP]) / 5
    assert from_the_side(half)
    open_mouth = moved([65, 66, 67, *range(55, 60)], (0, 60))
    shows = [shown(FaceMotion(marks, open_mouth, open_mouth), INNER_LIPS) for marks in (MARKS, half)]
    assert shows == [1, 0]


def test_splines_are_those_of_scipy():
    random = np.random.default_rng(5)
    points, values, at = random.random((90, 2)), random.normal(size=(90, 2)), random.random((50, 2))
    expected = RBFInterpolator(points, values, smoothing=1e-4)(at)
    np.testing.assert_allclose(thin_plate(points, values, at), expected, atol=1e-8)


def test_a_wide_blur_is_the_blur_of_the_whole():
    picture = np.random.default_rng(6).random((256, 256, 4), np.float32)
    picture[64:128, 32:200] += 3
    expected = cv2.GaussianBlur(picture, (0, 0), 20)
    assert np.abs(widely_blurred(picture, 20.0) - expected).max() < 0.03 * np.ptp(expected)


def test_a_head_leans_as_a_whole_with_its_hair_and_the_crop_s_border_stays():
    angle = np.deg2rad(6)
    motion = leaning(FaceMotion(MARKS, MARKS, MARKS), angle)
    marks, crown = motion.goal[: len(MARKS)], motion.goal[len(MARKS) :]
    turned = (marks - marks.mean(0)) @ [1, 1j] / ((MARKS - MARKS.mean(0)) @ [1, 1j])
    assert np.allclose(turned, np.exp(1j * angle))  # clockwise, as one sees it
    assert (crown[:, 0] > motion.photo[len(MARKS) :, 0]).all() and len(crown)
    flow = spline_flow(motion.photo, motion.goal, SIDE)
    for x, y in motion.goal[[30, 8, 36, 45]].round().astype(int):
        back = (np.array([x, y]) - motion.goal[30]) @ [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        assert np.linalg.norm(np.array([x, y]) + flow[y, x] - (back + motion.photo[30])) < 1
    far = np.linalg.norm(crown - motion.photo[len(MARKS) :], axis=1).min()
    assert max(np.abs(flow[[0, -1]]).max(), np.abs(flow[:, [0, -1]]).max()) < 0.15 * far
    assert leaning(FaceMotion(MARKS, MARKS, MARKS), 0).goal is MARKS


def test_a_forehead_grows_above_the_brows_alone():
    flow = spline_flow(MARKS, MARKS, SIDE, forehead=0.2)
    up = MARKS[BROWS].mean(0) - MARKS[MOUTH].mean(0)
    hair, brows, mouth = (MARKS[BROWS].mean(0) + 0.45 * up, MARKS[BROWS].mean(0), MARKS[MOUTH].mean(0))
    (_, hair), (_, brows), (_, mouth) = (flow[round(y), round(x)] for x, y in (hair, brows, mouth))
    assert hair > 0.5 * 0.2 * 0.45 * -up[1]  # what is seen there came from below
    assert abs(brows) < 0.15 * hair and abs(mouth) < 0.1 * hair
