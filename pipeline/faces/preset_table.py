"""Presets, as a table: drags of landmarks, and reshapings, under a common name.

A preset's ways are of landmarks, (right, down) in the face's own coordinates: the unit is the distance between the
centres of the eyes, and the axes are turned with the head. Amount 1 is the whole way, as much as a face does; 0.5 is a
natural change; a negative amount is the opposite. What no landmark tells (where eyes look, how high a forehead is) and
what a generator's upright faces can't show (a head that leans) is a `Reshaping` of the photo."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photodrag.pipeline.faces.expressions import Ways, to_rest
from photodrag.pipeline.faces.landmark_names import Point

if TYPE_CHECKING:  # `--help` tells the presets, and is there at once
    import numpy as np


@dataclass(frozen=True)
class Reshaping:
    """What is done to a photo's face without a drag."""

    gaze: Point = (0.0, 0.0)
    """How far the eyes look to the right and down, -1 … 1, the farthest."""
    lean: float = 0.0
    """How far the head leans to the right of the picture [radians]."""
    forehead: float = 0.0
    """By which part of its height the forehead grows."""

    def __bool__(self) -> bool:
        return self != UNSHAPED

    def __mul__(self, amount: float) -> Reshaping:
        right, down = self.gaze
        return Reshaping((amount * right, amount * down), amount * self.lean, amount * self.forehead)

    def __add__(self, other: Reshaping) -> Reshaping:
        (right, down), (x, y) = self.gaze, other.gaze
        return Reshaping((right + x, down + y), self.lean + other.lean, self.forehead + other.forehead)


UNSHAPED = Reshaping()


@dataclass(frozen=True)
class Preset:
    """A control of the face."""

    what: str
    """In words, for positive and negative amounts."""
    ways: Ways | Callable[[np.ndarray], Ways] = field(default_factory=dict)
    """Landmark → (right, down), or what gives them for the landmarks [68, 2] of a face."""
    reshaping: Reshaping = UNSHAPED
    least: float = -1.0
    """Amount."""

    def on(self, landmarks: np.ndarray) -> Ways:
        """Its ways on a face with these landmarks [68, 2]."""
        return self.ways if isinstance(self.ways, Mapping) else self.ways(landmarks)


LEFT_LIDS: dict[str, Point] = {"eye.left.top": (0, -0.1), "eye.left.bottom": (0, 0.03)}
RIGHT_LIDS: dict[str, Point] = {"eye.right.top": (0, -0.1), "eye.right.bottom": (0, 0.03)}
LEFT_BROW_UP: dict[str, Point] = {"brow.left": (0, -0.22), "brow.left.inner": (0, -0.2)}
RIGHT_BROW_UP: dict[str, Point] = {"brow.right": (0, -0.22), "brow.right.inner": (0, -0.2)}
WHOLE_MOUTH = "mouth.left", "mouth.right", "mouth.top", "mouth.bottom"

# Sizes: mouth corners that go 0.11 outward and up make a believable closed smile, brows raised by 0.1 a look of
# surprise, and a nose that goes 0.15 sideways a turned head that is still the person's.
MOUTH = {
    "smile": Preset(
        "Corners of the mouth up and outward; negative: a frown.",
        {"mouth.left": (-0.16, -0.16), "mouth.right": (0.16, -0.16)},
    ),
    "open-mouth": Preset(
        "Lower lip and chin down; negative: close it.",
        {"mouth.top": (0, -0.04), "mouth.bottom": (0, 0.3), "chin": (0, 0.2)},
    ),
    "lips-part": Preset(
        "Lips apart, the chin where it is; negative: press them together.",
        {"mouth.top": (0, -0.06), "mouth.bottom": (0, 0.12)},
    ),
    "pout": Preset(
        "Lips forward, narrower and fuller; negative: wide and thin.",
        {"mouth.left": (0.1, 0), "mouth.right": (-0.1, 0), "mouth.top": (0, -0.04), "mouth.bottom": (0, 0.06)},
    ),
    "purse": Preset(
        "Lips drawn together and thin; negative: wide and full.",
        {"mouth.left": (0.1, 0), "mouth.right": (-0.1, 0), "mouth.top": (0, 0.04), "mouth.bottom": (0, -0.05)},
    ),
    "mouth-left": Preset(
        "The mouth to the left of the picture; negative: to the right.", dict.fromkeys(WHOLE_MOUTH, (-0.14, 0))
    ),
}
EYES = {
    "open-eyes": Preset("Lids apart; negative: narrow the eyes.", LEFT_LIDS | RIGHT_LIDS),
    "open-left-eye": Preset("The lids on the picture's left apart; negative: wink.", LEFT_LIDS),
    "open-right-eye": Preset("The lids on the picture's right apart; negative: wink.", RIGHT_LIDS),
    "gaze-x": Preset("Both eyes look to the right of the picture; negative: left.", reshaping=Reshaping((1, 0))),
    "gaze-y": Preset("Both eyes look up; negative: down.", reshaping=Reshaping((0, -1))),
    "raise-brows": Preset("Brows up; negative: lower them.", LEFT_BROW_UP | RIGHT_BROW_UP),
    "raise-left-brow": Preset("The brow on the picture's left up; negative: lower it.", LEFT_BROW_UP),
    "raise-right-brow": Preset("The brow on the picture's right up; negative: lower it.", RIGHT_BROW_UP),
}
HEAD = {
    # What is nearer moves farther: the nose's tip before the mouth, the mouth before the nose's root. With eyes and
    # chin as well, of which a contour says little about moving along itself, it was somebody else's face.
    "turn-left": Preset(
        "The head to the left of the picture; negative: to the right.",
        {"nose": (-0.3, 0), "mouth": (-0.25, 0), "nose.top": (-0.21, 0)},
    ),
    "head-up": Preset(
        "The head back, so that it looks up; negative: forward.",
        {"nose": (0, -0.24), "mouth": (0, -0.18), "nose.top": (0, -0.1)},
    ),
    "lean-left": Preset(
        "The head leans to the left of the picture; negative: to the right.",
        reshaping=Reshaping(lean=-math.radians(12)),
    ),
}
EXPRESSION = {"neutral": Preset("The expression taken out, the mouth at rest; 0 to 1.", to_rest, least=0.0)}
SHAPE = {
    "slim-face": Preset(
        "Cheeks and jaw inward; negative: a broader face.",
        {
            "cheek.left": (0.08, 0),
            "jaw.left": (0.12, -0.02),
            "cheek.right": (-0.08, 0),
            "jaw.right": (-0.18, -0.03),
        },
    ),
    "jaw": Preset("A broader jaw; negative: a narrower one.", {"jaw.left": (-0.14, 0.02), "jaw.right": (0.14, 0.02)}),
    "cheeks": Preset("Fuller cheeks; negative: hollow ones.", {"cheek.left": (-0.12, 0), "cheek.right": (0.12, 0)}),
    "chin-length": Preset(
        "A longer chin; negative: a shorter one.", {"chin": (0, 0.18), "7": (0, 0.15), "9": (0, 0.15)}
    ),
    "forehead": Preset("A higher forehead; negative: a lower one.", reshaping=Reshaping(forehead=0.45)),
    "nose-width": Preset(
        "A broader nose; negative: a narrower one.", {"nose.left": (-0.08, 0), "nose.right": (0.08, 0)}
    ),
    "nose-length": Preset(
        "A longer nose; negative: a shorter one.", {"nose": (0, 0.12), "nose.left": (0, 0.1), "nose.right": (0, 0.1)}
    ),
    "eye-size": Preset(
        "Larger eyes; negative: smaller ones.",
        {
            "eye.left.top": (0, -0.07),
            "eye.left.bottom": (0, 0.05),
            "eye.left.outer": (-0.06, 0),
            "eye.left.inner": (0.04, 0),
            "eye.right.top": (0, -0.07),
            "eye.right.bottom": (0, 0.05),
            "eye.right.outer": (0.06, 0),
            "eye.right.inner": (-0.04, 0),
        },
    ),
    "mouth-width": Preset(
        "A wider mouth; negative: a narrower one.", {"mouth.left": (-0.14, 0), "mouth.right": (0.14, 0)}
    ),
}
PRESET_GROUPS = {
    "Mouth": MOUTH,
    "Eyes and brows": EYES,
    "Head": HEAD,
    "Expression": EXPRESSION,
    "Shape of the face": SHAPE,
}
"""As they are shown, most used first."""
PRESETS = {name: preset for group in PRESET_GROUPS.values() for name, preset in group.items()}
