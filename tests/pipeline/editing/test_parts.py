"""The semantic map: drawn exactly, and what a repainted one asks of the landmarks, against changes that are known."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from photodrag.pipeline import Controls
from photodrag.pipeline.editing.contour_motion import moved_along, outward
from photodrag.pipeline.editing.painted_parts import read_map
from photodrag.pipeline.editing.part_map import COLOURS, LABELS, PARTS, part_map
from photodrag.pipeline.editing.parts_asked import PartsAsked
from photodrag.pipeline.editing.plan import plan_edit
from photodrag.pipeline.editing.repainted import repainted
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.faces.detection import Face, detect
from photodrag.pipeline.faces.expressions import axes
from photodrag.pipeline.faces.irises import find_irises
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

MOUTH, LEFT_EYE, RIGHT_EYE, LEFT_BROW, NOSE = range(48, 68), range(36, 42), range(42, 48), range(17, 22), range(27, 36)


class Canvas:
    """A face's map, three times as large as the portrait's, and what a paint program does to it."""

    def __init__(self, photo, face: Face):
        self.photo, self.face = photo, face
        self.irises = find_irises(photo.srgb, face.landmarks)
        self.first = part_map(photo.pixels.shape, face.landmarks, self.irises)
        self.painted = self.first.copy()

    def paint(self, names: list[str], matrix, shift=(0, 0), over: str = "face") -> np.ndarray:
        """Cut parts out, and put them back turned or scaled about their middle, then moved: that middle."""
        cut = np.isin(labels_of(self.first), [LABELS.index(name) for name in names])
        y, x = np.nonzero(cut)
        middle = np.array([x.min() + x.max(), y.min() + y.max()]) / 2
        whole = np.hstack((matrix, (middle + shift - matrix @ middle)[:, None]))
        self.painted[cut] = PARTS[over].colour
        for name in names:
            mask = (self.first == PARTS[name].colour).all(2).astype(np.uint8)
            large = cv2.warpAffine(mask, whole, mask.shape[::-1], flags=cv2.INTER_NEAREST)
            self.painted[large > 0] = PARTS[name].colour
        return middle

    def asked(self, picture: np.ndarray | None = None) -> PartsAsked:
        labels = read_map(self.painted if picture is None else picture, self.photo)
        return repainted(labels, self.face.landmarks, self.irises)

    def ways(self, picture: np.ndarray | None = None) -> np.ndarray:
        """Of all landmarks, [68, 2] in pixels."""
        ways = np.zeros((68, 2))
        for number, way in self.asked(picture).ways.items():
            ways[int(number)] = np.array(way) @ axes(self.face.landmarks)
        return ways


def labels_of(picture: np.ndarray) -> np.ndarray:
    return sum(number * (picture == colour).all(2) for number, colour in enumerate(COLOURS))


@pytest.fixture(scope="module")
def large(portrait_image, tmp_path_factory):
    """The portrait, its face 300 pixels across."""
    path = tmp_path_factory.mktemp("large") / "large.png"
    portrait_image.resize((768, 768), Image.Resampling.BICUBIC).save(path)
    photo = read_photo(path)
    return photo, detect(photo.srgb)[0]


@pytest.fixture
def canvas(large) -> Canvas:
    return Canvas(*large)


def turned(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_drawn_in_its_colours_and_no_other(canvas):
    colours = {tuple(colour) for colour in canvas.first.reshape(-1, 3).tolist()}
    assert colours == {(0, 0, 0), *(part.colour for part in PARTS.values())}
    assert len(np.unique(COLOURS, axis=0)) == len(LABELS)
    apart = np.linalg.norm(COLOURS[:, None].astype(float) - COLOURS, axis=2)
    assert (apart + 1e3 * np.eye(len(COLOURS))).min() > 100
    for name, numbers in (("lips", [57]), ("nose", [30]), ("eye.left", [37, 38, 40, 41])):
        x, y = canvas.face.landmarks[numbers].mean(0).round().astype(int)
        inside = canvas.first[y - 3 : y + 1, x].tolist()
        assert any(tuple(pixel) in {PARTS[one].colour for one in (name, *PARTS[name].holds)} for pixel in inside), name
    for iris, name in zip(canvas.irises, ("iris.left", "iris.right"), strict=True):
        x, y = np.round(iris.centre).astype(int)
        assert tuple(canvas.first[y, x].tolist()) == PARTS[name].colour


@pytest.mark.parametrize(
    ("names", "landmarks", "matrix", "shift"),
    [
        (["lips", "mouth"], MOUTH, np.eye(2), (0, -12)),
        (["lips", "mouth"], MOUTH, np.diag([1.15, 1.0]), (0, 0)),
        (["lips", "mouth"], MOUTH, 1.15 * np.eye(2), (4, 3)),
        (["lips", "mouth"], MOUTH, turned(8), (0, 0)),
        (["brow.left"], LEFT_BROW, np.eye(2), (2, -15)),
        (["brow.left"], LEFT_BROW, turned(-8), (0, 0)),
        (["eye.right", "iris.right"], RIGHT_EYE, np.diag([1.2, 1.4]), (0, 0)),
        (["nose"], NOSE, 1.1 * np.eye(2), (3, 0)),
    ],
)
def test_a_known_change_is_found_to_a_pixel(names, landmarks, matrix, shift, canvas):
    middle = canvas.paint(names, matrix, shift)
    points = canvas.face.landmarks[landmarks]
    goal = (points - middle) @ matrix.T + middle + shift
    ways = canvas.ways()
    miss = np.linalg.norm(points + ways[landmarks] - goal, axis=1)
    assert miss.mean() < 0.8 and miss.max() < 1.8
    assert not np.delete(ways, list(landmarks), axis=0).any()


def test_a_corner_that_alone_is_pulled_out_moves_alone(canvas):
    x, y = canvas.face.landmarks[48].round().astype(int)
    tip = np.array([[x - 20, y - 10], [x + 12, y - 4], [x + 12, y + 6]])
    cv2.fillPoly(canvas.painted, [tip], PARTS["lips"].colour)
    ways = canvas.ways()
    assert np.linalg.norm(ways[48] - (-20, -10)) < 1.5
    assert not ways[[51, 52, 53, 54, 55, 56, 57]].any()


@pytest.mark.parametrize("change", ["jpeg", "soft", "none", "larger file"])
def test_what_a_paint_program_does_besides_moves_nothing(change, canvas):
    picture = canvas.first
    if change == "jpeg":
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=85)
        picture = np.array(Image.open(file))
    if change == "soft":
        picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    if change == "larger file":
        picture = np.clip(picture.astype(int) + 6, 0, 255).astype(np.uint8)
    with pytest.raises(UserError, match="Nothing is repainted in the map of parts"):
        canvas.asked(picture)


def test_a_soft_brush_and_a_jpeg_are_read(canvas):
    canvas.paint(["lips", "mouth"], np.eye(2), (0, -12))
    file = io.BytesIO()
    Image.fromarray(cv2.GaussianBlur(canvas.painted, (0, 0), 0.8)).save(file, "JPEG", quality=85)
    ways = canvas.ways(np.array(Image.open(file)))
    miss = np.abs(ways[list(MOUTH)] - (0, -12))
    assert np.median(miss) < 0.5 and miss.max() < 4 and not ways[:48].any()


def test_eyes_look_where_irises_were_painted(canvas):
    radius = canvas.irises[0].radius
    for side in ("left", "right"):
        canvas.paint([f"iris.{side}"], np.eye(2), (round(0.4 * radius), 0), over=f"eye.{side}")
    asked = canvas.asked()
    right, down = asked.reshaping.gaze
    assert np.abs(canvas.ways()).max() < 2 and right == pytest.approx(0.4 / 1.1, abs=0.12) and abs(down) < 0.12
    canvas.painted = canvas.first.copy()  # an eye that moves with its iris looks nowhere else
    canvas.paint(["eye.left", "iris.left"], np.eye(2), (0, -6))
    assert canvas.asked().reshaping.gaze == (0, 0)


def test_a_mouth_is_shut_and_opened(canvas):
    canvas.painted[(canvas.first == PARTS["mouth"].colour).all(2)] = PARTS["lips"].colour
    ways, marks = canvas.ways(), canvas.face.landmarks
    shut = marks + ways
    assert np.allclose(shut[[61, 62, 63]], shut[[67, 66, 65]], atol=0.1)
    assert not ways[48:60].any()
    closed = Face(1, canvas.face.box, np.where(np.isin(range(68), (61, 62, 63))[:, None], marks + 0, marks))
    closed.landmarks[[61, 62, 63]] = closed.landmarks[[67, 66, 65]]
    again = Canvas(canvas.photo, closed)
    assert not (again.first == PARTS["mouth"].colour).all(2).any()
    x, y = closed.landmarks[66].round().astype(int)
    cv2.ellipse(again.painted, (int(x), int(y)), (40, 6), 0, 0, 360, PARTS["mouth"].colour, cv2.FILLED)
    ways = again.ways()
    assert -7.5 < ways[62, 1] < -5 and 5 < ways[66, 1] < 7.5


def test_a_forehead_grows(canvas):
    top = np.flatnonzero((canvas.first != 0).any((1, 2)))[0]
    x = canvas.face.landmarks[17:27, 0].astype(int)
    canvas.painted[top - 15 : top + 30, x.min() : x.max()] = PARTS["face"].colour
    asked = canvas.asked()
    assert 0.02 < asked.reshaping.forehead < 0.45 and not any(map(any, asked.ways.values()))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("gone", r"The left brow \(#785000\) is gone from the map of parts: paint it where it shall be"),
        ("two", r"The left brow \(#785000\) is in two places of the map of parts"),
        ("huge", r"The right eye \(#96c8ff\) has [\d.]+ times its area in the map of parts"),
        ("black", "the map of parts shows none of the parts' colours"),
        ("size", "the map of parts has 700 × 768 pixels, but the photo, as one sees it, 768 × 768"),
        ("grey", r"The map of parts is uint8 \(768, 768\)"),
    ],
)
def test_wrong_maps(change, sentence, canvas):
    picture, brow = canvas.painted, (canvas.first == PARTS["brow.left"].colour).all(2)
    if change == "gone":
        picture[brow] = PARTS["face"].colour
    if change == "two":
        picture[np.roll(brow, 250, 0)] = PARTS["brow.left"].colour
    if change == "huge":
        canvas.paint(["eye.right", "iris.right"], 3 * np.eye(2))
    picture = {"black": picture * 0, "size": picture[:, :700], "grey": picture[..., 0]}.get(change, picture)
    with pytest.raises(UserError, match=sentence):
        canvas.asked(picture)


def test_a_plan_drags_what_was_painted(canvas):
    """Like presets: what is dragged by hand is left to that, and what was read means the same again."""
    canvas.paint(["lips", "mouth"], np.eye(2), (0, -12))
    controls = Controls(parts=canvas.painted)
    plan = plan_edit(canvas.photo, ["mouth.left"], ["+0,+5"], None, Selection(canvas.face), controls=controls)
    ways = plan.targets - plan.handles
    assert len(ways) == 20 and ways[0].tolist() == [0, 5] and np.abs(ways[1:] - (0, -12)).max() < 1
    known = Controls({"smile": 0.5}, parts=plan.controls.parts)
    again = plan_edit(canvas.photo, [], [], None, Selection(canvas.face), controls=known)
    assert len(again.handles) == 20 and not (again.targets - again.handles == ways).all()
    with pytest.raises(UserError, match="no landmarks for 'an expression or parts'"):
        plan_edit(canvas.photo, [], [], None, Selection(align="square"), controls=controls)


def test_points_along_a_square_that_grew():
    old, new = np.zeros((2, 80, 80), bool)
    old[30:50, 30:50] = new[30:50, 20:60] = True
    points = np.array([[29.5, 29.5], [49.5, 29.5], [49.5, 49.5], [29.5, 49.5]])
    assert np.allclose(outward(points), np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2**0.5)
    assert np.allclose(moved_along(old, new, points, outward(points)), [[-10, 0], [10, 0], [10, 0], [-10, 0]], atol=1.1)
