"""Points by name: landmarks of a face, targets relative to their handles, handles snapped to a landmark.

Left and right are the picture's, of the face held upright: mouth.left is the corner on the left as one looks at it,
the person's own right. A photo seen in a mirror-like way (a selfie) makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from photodrag.weights.common.bounds import is_coordinate
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.face_landmarks import COUNT, NAMES

if TYPE_CHECKING:  # `--help` tells the names, and is there at once
    import numpy as np

Point = tuple[float, float]
"""(x, y) in photo pixels."""
Parsed = TypeVar("Parsed")

SNAP = 0.1
"""How far a handle may snap, as a share of the face's width: about from one feature to the next."""
DIGITS = 2
"""Decimals, in photo pixels, to which what comes from landmarks is rounded, so that a saved edit can be read."""


def read_point(text: str) -> Point | str:
    """ "412,530" as (412.0, 530.0); a landmark's name or number as it is.

    Raises ValueError for what is neither, UserError for a name that there isn't."""
    if text[:1].isalpha() and "," not in text:
        if text not in NAMES:
            raise UserError(
                f"There is no landmark {text!r}: give a number from 0 to {COUNT - 1}, or one of {', '.join(NAMES)}."
            )
        return text
    if text.isascii() and text.isdecimal() and int(text) < COUNT:
        return text
    x, y = map(float, text.split(","))
    if text[0] == "+" or ",+" in text or not (is_coordinate(x) and is_coordinate(y)):
        raise ValueError("not finite, or far outside any photo")
    return x, y


def read_target(text: str) -> Point | str:
    """As `read_point`; and "+5,-12", relative to the handle, as it is. Either of its numbers may end in %: of the
    face's width. What has both signs is relative."""
    if not is_relative(text):
        return read_point(text)
    offset(text, 1)
    return text


def is_relative(text: str) -> bool:
    """Whether both numbers of a target have a sign."""
    numbers = text.split(",")
    return len(numbers) == 2 and all(number[:1] in ("+", "-") for number in numbers)


def offset(text: str, width: float) -> Point:
    """(dx, dy) in photo pixels of a relative target, on a face of that width. Raises ValueError where it is none."""
    dx, dy = (float(number[:-1]) * width / 100 if number.endswith("%") else float(number) for number in text.split(","))
    if not (is_coordinate(dx) and is_coordinate(dy)):
        raise ValueError("not finite, or far outside any photo")
    return dx, dy


def has_words(points: object) -> bool:
    """Whether a list of points holds some that `placed` must put into numbers."""
    return isinstance(points, list | tuple) and any(isinstance(point, str) for point in points)


def by_landmarks(points: object) -> bool:
    """Whether it holds some that only a face's landmarks can tell."""
    return isinstance(points, list | tuple) and any(
        isinstance(point, str) and (not is_relative(point) or "%" in point) for point in points
    )


def place_of(name: str, landmarks: np.ndarray) -> np.ndarray:
    """Where a name or a number lies among landmarks [68, 2]: float64 [2], not rounded."""
    return landmarks[list(NAMES[name])].mean(0) if name in NAMES else landmarks[int(name)]


def placed(
    handles: Sequence[Point | str],
    targets: Sequence[Point | str],
    landmarks: np.ndarray | None,
    width: float = 0.0,
    snap: bool = False,
) -> tuple[list[Point], list[Point]]:
    """Handles and targets, as many, as numbers in photo pixels; points that are numbers stay as they are.

    landmarks: float64 [68, 2] in photo pixels, and width: of the face's box, or None and 0 where there is no face.
    snap: handles that are numbers move to the nearest landmark. Raises UserError for what can't be placed."""
    starts = [_placed(handle, landmarks) for handle in handles]
    if snap:
        starts = [
            start if isinstance(handle, str) else snapped(start, landmarks, width)
            for handle, start in zip(handles, starts, strict=True)
        ]
    ends = []
    for target, (x, y) in zip(targets, starts, strict=True):
        if isinstance(target, str) and is_relative(target):
            if "%" in target and landmarks is None:
                raise no_landmarks(target)
            dx, dy = _read(offset, target, width)
            ends.append(rounded((x + dx, y + dy)) if dx or dy else (x, y))
        else:
            ends.append(_placed(target, landmarks))
    return starts, ends


def snapped(point: Point, landmarks: np.ndarray | None, width: float) -> Point:
    """The landmark nearest to a point. Raises UserError where that is farther than SNAP, or there is none."""
    if landmarks is None:
        raise no_landmarks("--snap")
    distances = ((landmarks - point) ** 2).sum(1) ** 0.5
    nearest = int(distances.argmin())
    if not distances[nearest] <= SNAP * width:
        raise UserError(
            f"The handle {point[0]:g},{point[1]:g} is {distances[nearest]:.0f} px from the nearest landmark "
            f"({nearest}), and --snap moves it {SNAP * width:.0f} px at most: move it nearer, or leave --snap out."
        )
    return rounded(landmarks[nearest])


def no_landmarks(what: str) -> UserError:
    """The error of one who asks for something that only a face's landmarks can tell, where a square is edited."""
    return UserError(
        f"A square of the photo is edited, which has no landmarks for {what!r}: "
        "give points as X,Y and lengths in pixels, or --align face."
    )


def places(landmarks: np.ndarray) -> dict[str, Point]:
    """Every name and where it lies, rounded."""
    return {name: rounded(place_of(name, landmarks)) for name in NAMES}


def _placed(point: Point | str, landmarks: np.ndarray | None) -> Point:
    if not isinstance(point, str):
        return point
    point = _read(read_point, point)
    if not isinstance(point, str):
        return point
    if landmarks is None:
        raise no_landmarks(point)
    return rounded(place_of(point, landmarks))


def _read(read: Callable[..., Parsed], text: str, *more: float) -> Parsed:
    """What `read` makes of a text, its ValueError in a person's words."""
    try:
        return read(text, *more)
    except ValueError:
        raise UserError(
            f"{text!r} is no point: give x,y in photo pixels, a landmark's name, or for a target +DX,-DY."
        ) from None


def rounded(point: Sequence[float] | np.ndarray) -> Point:
    """(x, y) to DIGITS decimals."""
    x, y = point
    return round(float(x), DIGITS), round(float(y), DIGITS)
