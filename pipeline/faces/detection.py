"""The faces in a photo, from 60 px to the whole picture, and which of them is meant."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from photodrag.invert.dlib_models import face_detector, one_at_a_time
from photodrag.pipeline.faces.box import Box, check_box
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.weights.common.errors import UserError

WINDOW = 80  # px across the smallest face that dlib's detector sees
SMALLEST = 60  # px across the smallest face looked for
COARSE = 1000  # px, the longest side of the copy on which large faces are found
GLANCE = 400  # px, the longest side of the copy at which a large face is seen in passing
FINE_PIXELS = 24e6  # of the copy on which small ones are: about 2 s
SURE = 1.0  # a score from which a find needs no second look
FAINT = -0.2  # the lowest score worth one where nothing better was found
SEEN_AGAIN = 0.25  # what a find must reach at the second look
SMALLEST_BOX = 20  # px a side: in less there is nothing to lay landmarks by
LOOKS = 12  # second looks at most
TURNS = np.deg2rad([0, 60, -60, 120, -120, 180])  # the detector bears some 40 degrees of tilt
TILTS = np.deg2rad([0, 0, 0, -30, 30])  # of the faces that the detector's five parts stand for: front, left, right, …


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo.

    number: 1 for the largest face, counted on by size.
    box: (x, y, width, height) in photo pixels, of brows to chin, the way --box takes it: x … x + width - 1.
    landmarks: float64 [68, 2] in photo pixels, pixel centres at integers; by number in weights.common.face_landmarks.
    score: the detector's, about 0 to 3; None where it saw none in a box given by hand.
    """

    number: int
    box: Box
    landmarks: np.ndarray
    score: float | None = None


def detect(pixels: np.ndarray) -> list[Face]:
    """Every face of a photo, largest first; an empty list when there is none.

    pixels: uint8 RGB [H, W, 3]. Large faces are found on a small copy, those from 60 px on a fine one (above 13
    megapixels it is limited: from 80 px at 24 megapixels). A photo that shows nothing upright is looked at turned and
    with a border, for photos that lie on their side and faces that fill the picture.
    """
    height, width = pixels.shape[:2]
    coarse = min(1.0, COARSE / max(height, width))
    fine = min(WINDOW / SMALLEST, (FINE_PIXELS / (height * width)) ** 0.5)
    found = _find(pixels, coarse)
    if fine > coarse:
        found += _find(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), fine)
    faces = _settled(pixels, found)
    if not faces:
        faces = _settled(pixels, _find_turned(pixels, coarse))
    faces.sort(key=lambda face: -face[0].side)
    return [_face(i + 1, frame, landmarks, score) for i, (frame, landmarks, score) in enumerate(faces)]


def is_seen(pixels: np.ndarray) -> bool:
    """Whether `detect` sees a large, upright face in a picture, uint8 RGB [H, W, 3], at its first look; a glance at a
    small copy is enough where that leaves no doubt."""
    glance = _find(pixels, min(1.0, GLANCE / max(pixels.shape[:2])))
    if any(score >= SURE for score, _ in glance):
        return True
    return bool(_settled(pixels, _find(pixels, min(1.0, COARSE / max(pixels.shape[:2])))))


def in_box(pixels: np.ndarray, box: Box) -> Face:
    """The face in a box that a person drew: (x, y, width, height) in photo pixels, roughly around face or head.

    pixels: uint8 RGB [H, W, 3]. Where the detector sees a face in the box, that one is taken; else the box itself
    stands for brows to chin. Raises UserError for a box without area, below 20 px a side or outside the photo.
    """
    check_box(box, pixels.shape, SMALLEST_BOX, "a face")
    x, y, w, h = box
    drawn = Frame(x + w / 2 - 0.5, y + h / 2 - 0.5, max(w, h))
    score, seen = _best(_find_near(pixels, drawn, 6 * WINDOW))
    return _face(1, *_refined(pixels, seen or drawn), score if seen else None)


def choose(faces: list[Face], number: int | None = None, photo: str = "the photo") -> Face:
    """The face of that number, the largest by default.

    Raises UserError, which names `photo`, when there is no face or none of that number.
    """
    if not faces:
        raise UserError(f"No face was found in {photo}: mark it with --box X,Y,WIDTH,HEIGHT, or take another photo.")
    if number is None:
        return faces[0]
    if number not in range(1, len(faces) + 1):  # nor is 1.5
        known = "1 is the only one" if len(faces) == 1 else f"they go from 1 to {len(faces)}, the largest first"
        raise UserError(f"There is no face {number} in {photo}: {known}.")
    return faces[number - 1]


Find = tuple[float, Frame]  # score and place
Settled = tuple[Frame, np.ndarray, float]  # place, landmarks, score


def _find(pixels: np.ndarray, scale: float = 1.0, faintest: float = 0.0) -> list[Find]:
    """What the detector sees on a copy of a picture, RGB or grey, in the picture's own pixels."""
    copy = _scaled(pixels, scale)
    with one_at_a_time:
        boxes, scores, parts = face_detector().run(copy, 0, faintest)
    found = []
    for box, score, part in zip(boxes, scores, parts, strict=True):
        x, y = box.left() + box.width() / 2 - 0.5, box.top() + box.height() / 2 - 0.5
        found.append((score, _onto(Frame(x, y, box.width(), TILTS[part]), copy, pixels)))
    return found


def _find_turned(pixels: np.ndarray, scale: float) -> list[Find]:
    """What the detector sees, even faintly, on small copies turned in every direction and with a border around."""
    copy = _scaled(pixels, scale)
    height, width = copy.shape[:2]
    whole = Frame((width - 1) / 2, (height - 1) / 2, max(height, width))
    turned = [_find_in(copy, replace(whole, roll=roll), max(height, width), 0.25, FAINT) for roll in TURNS]
    return [(score, _onto(frame, copy, pixels)) for found in turned for score, frame in found]


def _scaled(pixels: np.ndarray, scale: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _onto(frame: Frame, copy: np.ndarray, pixels: np.ndarray) -> Frame:
    """A frame on a copy of a picture as the frame on the picture."""
    fy, fx = pixels.shape[0] / copy.shape[0], pixels.shape[1] / copy.shape[1]
    x, y = (frame.x + 0.5) * fx - 0.5, (frame.y + 0.5) * fy - 0.5
    return Frame(x, y, frame.side * max(fx, fy), frame.roll)


def _settled(pixels: np.ndarray, found: list[Find]) -> list[Settled]:
    """Each face once, best score first, with its landmarks. A weak find counts when it is seen again upright."""
    faces: list[Settled] = []
    looks = 0
    for score, frame in sorted(found, key=lambda find: -find[0]):
        if any(_same(frame, other) for other, _, _ in faces) or looks == LOOKS:
            continue
        frame, points = _refined(pixels, frame)
        if score < SURE:
            looks += 1
            score, frame, points = _second_look(pixels, frame, points)
        if score >= SEEN_AGAIN and not any(_same(frame, other) for other, _, _ in faces):
            faces.append((frame, points, score))
    return faces


def _second_look(pixels: np.ndarray, frame: Frame, points: np.ndarray) -> tuple[float, Frame, np.ndarray]:
    """Score, place and landmarks of a face as seen with its tilt taken out, or upside down if that is better."""
    score = _best(_find_near(pixels, frame))[0]
    flipped, seen = _best(_find_near(pixels, replace(frame, roll=frame.roll + np.pi)))
    if seen and flipped > max(score, SEEN_AGAIN):
        return flipped, *_refined(pixels, seen)
    return score, frame, points


def _best(found: list[Find]) -> tuple[float, Frame | None]:
    return max(found, key=lambda find: find[0], default=(-np.inf, None))


def _find_near(pixels: np.ndarray, frame: Frame, side: int = 3 * WINDOW) -> list[Find]:
    """What the detector sees with its centre in a frame, drawn upright and `side` px across."""
    return [(score, seen) for score, seen in _find_in(pixels, frame, side, 0.5) if _same(frame, seen)]


def _find_in(pixels: np.ndarray, frame: Frame, side: int, margin: float, faintest: float = 0.0) -> list[Find]:
    """What the detector sees in a frame that is drawn upright, `side` px across, with `margin` sides around it."""
    picture, matrix = frame.upright(pixels, side, margin)
    found = []
    for score, seen in _find(picture, faintest=faintest):
        x, y = matrix[:, :2] @ (seen.x, seen.y) + matrix[:, 2]
        found.append((score, Frame(x, y, seen.side * frame.side / side, frame.roll + seen.roll)))
    return found


def _same(a: Frame, b: Frame) -> bool:
    return np.hypot(a.x - b.x, a.y - b.y) < max(a.side, b.side) / 2


def _refined(pixels: np.ndarray, frame: Frame) -> tuple[Frame, np.ndarray]:
    points = predict(pixels, frame)
    return Frame.around(points), points


def _face(number: int, frame: Frame, points: np.ndarray, score: float | None) -> Face:
    points.setflags(write=False)
    box = (frame.x - frame.side / 2 + 0.5, frame.y - frame.side / 2 + 0.5, frame.side, frame.side)
    return Face(number, box, points, score)
