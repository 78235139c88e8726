"""The map between a photo and the crop that a generator knows: FFHQ's alignment as one exact object.

Points are (x, y) with the CENTRE of a pixel at integer coordinates, in the photo and in the crop alike. A quad's
corner is the outer corner of the crop, so it lies at (-0.5, -0.5) of the crop, not at (0, 0).
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import ArrayLike

from photodrag.pipeline.faces.resample import warp
from photodrag.pipeline.photos.samples import Region
from photodrag.weights.common.face_landmarks import LEFT_EYE, LEFT_MOUTH_CORNER, RIGHT_EYE, RIGHT_MOUTH_CORNER, SKULL


@dataclass(frozen=True, eq=False)
class Alignment:
    """An oriented square of a photo, seen as a picture of size × size pixels.

    quad: float64 [4, 2], the square's corners in pixels of the untouched photo, in FFHQ's order: the crop's top left,
        bottom left, bottom right, top right. It may reach outside the photo.
    size: the crop's side in pixels.
    Raises ValueError when the quad isn't a square of positive size, turned but not mirrored.
    """

    quad: np.ndarray
    size: int = 1024

    def __post_init__(self) -> None:
        quad = np.array(self.quad, np.float64)
        quad.setflags(write=False)
        object.__setattr__(self, "quad", quad)
        if quad.shape != (4, 2) or not np.isfinite(quad).all():
            raise ValueError(f"A quad is four finite points, not {self.quad!r}.")
        top, left = quad[3] - quad[0], quad[1] - quad[0]
        side = np.hypot(*top)
        off = max(np.abs(_turned(top) - left).max(), np.abs(quad[0] + top + left - quad[2]).max())
        if not side > 0 or off > 1e-6 * side + 1e-9 * np.abs(quad).max():
            raise ValueError(f"The quad {quad.tolist()} is not a square.")

    @classmethod
    def from_landmarks(cls, landmarks: np.ndarray, size: int = 1024) -> "Alignment":
        """FFHQ's crop of a face (Karras et al. 2019, ffhq-dataset/download_ffhq.py, `recreate_aligned_images`).

        landmarks: [68, 2] in photo pixels. Raises ValueError when they coincide.
        """
        landmarks = np.asarray(landmarks, np.float64)
        e_l, e_r = landmarks[LEFT_EYE].mean(0), landmarks[RIGHT_EYE].mean(0)
        e, m = (e_l + e_r) / 2, (landmarks[LEFT_MOUTH_CORNER] + landmarks[RIGHT_MOUTH_CORNER]) / 2
        x = (e_r - e_l) - _turned(m - e)
        length = np.hypot(*x)
        if not length > 0:
            raise ValueError("The landmarks of eyes and mouth coincide.")
        x *= max(2.0 * np.hypot(*(e_r - e_l)), 1.8 * np.hypot(*(m - e))) / length
        return cls._square(e + 0.1 * (m - e), x, size)

    @classmethod
    def from_box(cls, box: tuple[float, float, float, float], size: int = 1024) -> "Alignment":
        """The upright square around a box (x, y, width, height in photo pixels), as small as holds all of it."""
        x, y, width, height = box
        centre = np.array([x + width / 2 - 0.5, y + height / 2 - 0.5])
        return cls._square(centre, np.array([max(width, height) / 2, 0.0]), size)

    @classmethod
    def _square(cls, centre: np.ndarray, x: np.ndarray, size: int) -> "Alignment":
        y = _turned(x)
        return cls(np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y]), size)

    @cached_property
    def _step(self) -> np.ndarray:
        """[2, 2] whose columns are one crop pixel to the right and one down, in photo pixels."""
        x = (self.quad[3] - self.quad[0]) / self.size
        return np.stack([x, _turned(x)], axis=1)

    @property
    def scale(self) -> float:
        """Crop pixels per photo pixel: above 1 the crop enlarges, below 1 it averages."""
        return float(1 / np.hypot(*self._step[:, 0]))

    def to_photo(self, points: ArrayLike) -> np.ndarray:
        """Points of the crop [..., 2] as points of the photo, float64 [..., 2]."""
        return (np.asarray(points, np.float64) + 0.5) @ self._step.T + self.quad[0]

    def to_crop(self, points: ArrayLike) -> np.ndarray:
        """Points of the photo [..., 2] as points of the crop, float64 [..., 2]; the inverse of `to_photo`."""
        # The inverse of a similarity is its transpose over its squared scale.
        return (np.asarray(points, np.float64) - self.quad[0]) @ self._step * self.scale**2 - 0.5

    def crop(self, pixels: np.ndarray) -> np.ndarray:
        """The crop of a photo, [size, size, …]; where it reaches outside, the photo is mirrored at its border.

        pixels: the photo, [H, W] or [H, W, C]; uint8 gives uint8, anything else float32. A face larger than the crop
        is averaged down, a smaller one enlarged bicubically.
        """
        low, high = np.floor(self.quad.min(0)).astype(int) - 3, np.ceil(self.quad.max(0)).astype(int) + 4
        columns, rows = (_mirrored(low[i], high[i], pixels.shape[1 - i]) for i in (0, 1))
        matrix = np.column_stack([self._step, self.to_photo([0, 0]) - low])
        return warp(pixels[rows][:, columns], matrix, (self.size, self.size), cv2.BORDER_REPLICATE)

    def inside(self, photo_shape: tuple[int, ...]) -> np.ndarray:
        """bool [size, size]: crop pixels that show the photo itself, not its mirrored border.

        photo_shape: (H, W, …).
        """
        grid = np.arange(self.size, dtype=np.float64)
        x, y = (_plane(self._step[i], self.to_photo([0, 0])[i], grid, grid) for i in (0, 1))
        height, width = photo_shape[:2]
        return (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)

    def paste_region(self, photo_shape: tuple[int, ...]) -> Region:
        """The photo's pixels that the crop can touch: the quad's bounding box within a photo of shape (H, W, …).

        Empty (x0 = x1 or y0 = y1) when the quad lies wholly outside.
        """
        limits = np.array(photo_shape[1::-1])
        low = np.clip(np.floor(self.quad.min(0) + 0.5), 0, limits).astype(int)
        high = np.clip(np.ceil(self.quad.max(0) + 0.5), low, limits).astype(int)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def share_inside(self, start: ArrayLike, end: ArrayLike, photo_shape: tuple[int, ...]) -> float:
        """How much of the way from start to end, points (x, y) of the photo, lies in the crop and in a photo of shape
        (H, W, …), by whole pixels: 0, where it doesn't begin there, to 1."""
        start, end = (np.concatenate((self.to_crop(point), np.asarray(point, np.float64))) for point in (start, end))
        way, last = end - start, np.array([self.size - 1, self.size - 1, photo_shape[1] - 1, photo_shape[0] - 1])
        if (start < 0).any() or (start > last).any():
            return 0.0
        room = np.where(way > 0, last - start, start)
        return float((room / np.maximum(np.abs(way), 1e-9)).min().clip(0, 1))

    def to_region(self, values: np.ndarray, region: Region) -> np.ndarray:
        """What belongs to the crop, drawn on the photo's own pixels: float32 [y1 - y0, x1 - x0, …].

        values: [S, S, …], numbers of any kind and any channels that cover the crop, S = size or another side. Vectors
            (a flow field) keep their values: turning and scaling them is the caller's.
        region: x0, y0, x1, y1, any rectangle of photo pixels; a large one can be done in parts.
        Beyond the crop its edge is repeated; `covered` says where. Averaged where the photo is the coarser one,
        bicubic where it is the finer.
        """
        x0, y0, x1, y1 = region
        ratio = len(values) / self.size
        linear = self._step.T * (self.scale**2 * ratio)
        origin = (self.to_crop([x0, y0]) + 0.5) * ratio - 0.5
        matrix = np.column_stack([linear, origin])
        return warp(np.asarray(values, np.float32), matrix, (x1 - x0, y1 - y0), cv2.BORDER_REPLICATE)

    def covered(self, region: Region) -> np.ndarray:
        """bool [y1 - y0, x1 - x0]: photo pixels of the region whose centre lies inside the quad."""
        x0, y0, x1, y1 = region
        linear, origin = self._step.T * self.scale**2, self.to_crop([0, 0])
        u, v = (_plane(linear[i], origin[i], np.arange(x0, x1), np.arange(y0, y1)) for i in (0, 1))
        last = self.size - 0.5
        return (u >= -0.5) & (u <= last) & (v >= -0.5) & (v <= last)


def _turned(vector: np.ndarray) -> np.ndarray:
    """The vector turned by 90 degrees from x towards y: clockwise, as a picture's y points down."""
    return np.array([-vector[1], vector[0]])


def _plane(slope: np.ndarray, offset: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The values of slope · (x, y) + offset over a grid, float64 [len(y), len(x)]."""
    return slope[0] * x + slope[1] * y[:, None] + offset


def _mirrored(start: int, stop: int, length: int) -> np.ndarray:
    """The indices start … stop - 1 of an axis continued by mirroring it at the centres of its first and last pixel.

    By hand, since OpenCV's own mirroring is wrong beyond one length of the picture."""
    period = max(2 * (length - 1), 1)
    index = np.arange(start, stop) % period
    return np.minimum(index, period - index) if length > 1 else np.zeros_like(index)


def laid_on(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Landmarks b [68, 2], moved, turned and scaled so that their skull lies on that of landmarks a."""
    matrix = similarity(a[SKULL], b[SKULL])
    return b @ matrix[:, :2].T + matrix[:, 2]


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The matrix [2, 3] of the similarity that takes points b [N, 2] to a [N, 2] with the least squared error (Umeyama
    1991; in the plane, a complex regression)."""
    a, b = a @ [1, 1j], b @ [1, 1j]
    turn = np.vdot(b - b.mean(), a - a.mean()) / np.vdot(b - b.mean(), b - b.mean())
    move = a.mean() - turn * b.mean()
    return np.array([[turn.real, -turn.imag, move.real], [turn.imag, turn.real, move.imag]])
