"""Regions of a face, moved as one: all landmarks that lie in it by one similarity, so many points and one wish."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photodrag.pipeline.faces.landmark_names import Point, is_relative, offset, rounded
from photodrag.weights.common import face_landmarks as marks

if TYPE_CHECKING:
    import numpy as np

REGIONS = marks.GROUPS | {
    "brow.left": marks.LEFT_BROW,
    "brow.right": marks.RIGHT_BROW,
    "eye.left": marks.LEFT_EYE,
    "eye.right": marks.RIGHT_EYE,
}
"""By name, the landmarks of each."""
FEW = 3
"""Landmarks in a painted region with fewer of which points of its own are moved."""
ACROSS = 3
"""Points each way, at most, of a region without landmarks."""
SCALE = 0.5, 2.0
TURN = 45.0
"""Degrees, at most, either way."""


@dataclass(frozen=True)
class Region:
    """A region, and what becomes of it: turned and scaled about its middle, then moved."""

    where: str
    """One of REGIONS, or the path of a picture that is white there."""
    way: str = "+0,+0"
    """How far it goes, as a target that is relative: "+0,-3%"."""
    rotate: float = 0.0
    """Degrees, clockwise as one sees it."""
    scale: float = 1.0
    painted: np.ndarray | None = field(default=None, compare=False)
    """That picture, float32 [H, W] of 0 … 1, where it was never a file."""

    @property
    def mask(self) -> str | None:
        """The picture's path, where it is one."""
        return None if self.where in REGIONS else self.where

    def moved(self, points: np.ndarray, width: float) -> np.ndarray:
        """Where points [N, 2] of it go on a face of that width, all in pixels."""
        import numpy as np

        middle = (points.min(0) + points.max(0)) / 2
        angle = math.radians(self.rotate)
        x, y = self.scale * math.cos(angle), self.scale * math.sin(angle)
        return middle + (points - middle) @ np.array([[x, y], [-y, x]]) + offset(self.way, width)


def read_region(text: str) -> Region:
    """ "mouth:+0,-3%,rotate=5,scale=1.1" as a region; the way, the turn and the scale may each be left out.

    Raises ValueError for what is none."""
    where, _, rest = text.rpartition(":")
    parts = rest.split(",")
    named = dict(part.split("=") for part in parts if "=" in part)
    plain = [part for part in parts if "=" not in part]
    way = ",".join(plain) or "+0,+0"
    if not where or named.keys() - {"rotate", "scale"} or not is_relative(way):
        raise ValueError("no region")
    offset(way, 1.0)
    region = Region(where, way, float(named.get("rotate", 0)), float(named.get("scale", 1)))
    if not (abs(region.rotate) <= TURN and SCALE[0] <= region.scale <= SCALE[1]):
        raise ValueError("too much")
    return region


def as_text(region: Region) -> str:
    """What `read_region` reads as that region."""
    turned = f",rotate={region.rotate:g}" if region.rotate else ""
    return f"{region.where}:{region.way}{turned}" + (f",scale={region.scale:g}" if region.scale != 1 else "")


def points_of(region: Region, landmarks: np.ndarray | None, painted: np.ndarray | None = None) -> np.ndarray:
    """The points [N, 2] by which a region is moved: its landmarks, of [68, 2], or, where too few lie in a painted one,
    float32 [H, W], some across it. Without landmarks it has to be a painted one."""
    import numpy as np

    if painted is None:
        assert landmarks is not None
        return landmarks[REGIONS[region.where]]
    inside = painted >= 0.5
    if landmarks is not None:
        height, width = inside.shape
        columns, rows = (
            landmarks.round().astype(int)[:, axis].clip(0, most - 1) for axis, most in ((0, width), (1, height))
        )
        within = landmarks[inside[rows, columns]]
        if len(within) >= FEW:
            return within
    y, x = np.nonzero(inside)
    at = np.linspace(0, 1, ACROSS + 2)[1:-1]
    grid = np.stack(np.meshgrid(x.min() + at * np.ptp(x), y.min() + at * np.ptp(y)), -1).reshape(-1, 2)
    grid = np.unique(grid, axis=0)
    kept = grid[[bool(inside[round(row), round(column)]) for column, row in grid]]
    return kept if len(kept) else np.array([[np.median(x), np.median(y)]])


def region_drags(
    region: Region, landmarks: np.ndarray | None, width: float, painted: np.ndarray | None = None
) -> list[tuple[Point, Point]]:
    """Its handles and targets in photo pixels, on a face with these landmarks [68, 2], of that width; None and 0 where
    there is no face."""
    points = points_of(region, landmarks, painted)
    moved = region.moved(points, width)
    return [(rounded(start), rounded(end)) for start, end in zip(points, moved, strict=True)]
