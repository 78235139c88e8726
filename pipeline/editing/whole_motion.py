"""A whole picture, moved and turned by a generator that can draw its pictures so (StyleGAN3), whatever their code."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from photodrag.pipeline.editing.blend import Layers, warped
from photodrag.pipeline.editing.direction_names import CodeEdit
from photodrag.pipeline.editing.inversion import Inversion, Models
from photodrag.pipeline.faces.align import Alignment
from photodrag.weights import MovableGenerator, UserError


@dataclass(frozen=True)
class WholeMotion:
    """Turned clockwise around its middle, then moved."""

    x: float = 0.0
    y: float = 0.0
    """To the right and down, as parts of the picture's side."""
    roll: float = 0.0
    """Degrees."""

    @property
    def moves(self) -> bool:
        """Whether it isn't where it was."""
        return bool(self.x or self.y or self.roll)

    def share(self, share: float) -> "WholeMotion":
        """So much of it."""
        return WholeMotion(self.x * share, self.y * share, self.roll * share)

    def of(self, points: np.ndarray, side: int) -> np.ndarray:
        """Where points [..., 2] of a picture of `side` pixels come to lie."""
        middle = (side - 1) / 2
        return (points - middle) @ self._turn.T + middle + self._way * side

    def origin(self, points: np.ndarray, side: int) -> np.ndarray:
        """From where they came: the inverse."""
        middle = (side - 1) / 2
        return (points - middle - self._way * side) @ self._turn + middle

    def of_photo(self, points: np.ndarray, alignment: Alignment) -> np.ndarray:
        """Where points [..., 2] of a photo come to lie, the picture being that square of it."""
        if not self.moves:
            return points
        return alignment.to_photo(self.of(alignment.to_crop(points), alignment.size))

    def flow(self, side: int) -> np.ndarray:
        """For each pixel where it came from: float32 [side, side, 2], as an offset (x, y) in pixels."""
        places = _places(side)
        return (self.origin(places, side) - places).astype(np.float32)

    def warped(self, picture: np.ndarray) -> np.ndarray:
        """A picture, uint8 [S, S, C], moved; beyond its border it goes on as it ended."""
        return warped(picture, self.flow(len(picture))).round().clip(0, 255).astype(np.uint8)

    def before(self, layers: Layers) -> Layers:
        """Layers of a crop that was moved by this, as those of the crop itself."""
        side = len(layers.flow)
        places = _places(side)
        return replace(layers, flow=(self.origin(places + layers.flow, side) - places).astype(np.float32))

    @property
    def _turn(self) -> np.ndarray:
        cos, sin = math.cos(math.radians(self.roll)), math.sin(math.radians(self.roll))
        return np.array([[cos, -sin], [sin, cos]])

    @property
    def _way(self) -> np.ndarray:
        return np.array([self.x, self.y])


STILL = WholeMotion()


def _places(side: int) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    return np.stack((x, y), -1).astype(np.float64)


def motion_of(edit: CodeEdit, alignment: Alignment) -> WholeMotion:
    """What an edit says of the picture that a generator is shown. Raises UserError where nothing of it would stay."""
    way = (0.0, 0.0) if edit.move is None else edit.move
    x, y = (alignment.to_crop(way) - alignment.to_crop((0.0, 0.0))) / alignment.size
    check_way(way, alignment.size / alignment.scale)
    return WholeMotion(float(x), float(y), edit.roll or 0.0)


def check_way(way: tuple[float, float], side: float) -> None:
    """Raises UserError where a square of so many pixels is moved by more than that, either way."""
    if max(map(abs, way)) > side:
        raise UserError(
            f"--move {way[0]:g},{way[1]:g} moves all of it out of the picture: it has {side:.0f} pixels a side, so "
            "give less than that."
        )


def moved(models: Models, motion: WholeMotion) -> Models:
    """The models whose generator moves its pictures. Raises UserError for a generator that can't."""
    if not motion.moves:
        return models
    check_movable(models)
    generator = models.generator
    assert isinstance(generator, MovableGenerator)
    side = generator.resolution
    return replace(models, generator=generator.moved(motion.x * side, motion.y * side, motion.roll))


def moved_inversion(inversion: Inversion, motion: WholeMotion) -> Inversion:
    """The inversion, its generator one that moves its pictures."""
    if not motion.moves:
        return inversion
    return replace(inversion, models=moved(inversion.models, motion), drawn=None)


def check_movable(models: Models) -> None:
    """Raises UserError for a generator that can't move its pictures."""
    if not isinstance(models.generator, MovableGenerator):
        raise UserError(
            f"The generator {Path(models.name).name} can't move or turn its picture: only a StyleGAN3 can, so leave "
            "--move and --roll out, or give one by --generator."
        )
