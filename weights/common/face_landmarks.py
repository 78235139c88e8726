"""The landmarks of a face by number: iBUG 300-W's scheme of 68 points, which dlib's predictor gives.

This is the one place that knows the numbers. Left and right are the picture's: the left eye is the person's own
right one."""

from itertools import pairwise

COUNT = 68

JAW = slice(0, 17)
LEFT_BROW, RIGHT_BROW = slice(17, 22), slice(22, 27)
NOSE_BRIDGE, NOSE_BASE = slice(27, 31), slice(31, 36)
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
OUTER_LIPS, INNER_LIPS = slice(48, 60), slice(60, 68)

BROWS = slice(LEFT_BROW.start, RIGHT_BROW.stop)
NOSE = slice(NOSE_BRIDGE.start, NOSE_BASE.stop)
EYES = slice(LEFT_EYE.start, RIGHT_EYE.stop)
MOUTH = slice(OUTER_LIPS.start, INNER_LIPS.stop)
GROUPS = {"jaw": JAW, "brows": BROWS, "nose": NOSE, "eyes": EYES, "mouth": MOUTH}
"""Every landmark is in one of them."""

LEFT_EAR, RIGHT_EAR = 0, 16
"""The ends of the jaw line, between which a face is as wide as it is."""
NOSE_TIP, NOSE_BOTTOM = 30, 33
LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER = 48, 54

SKULL = [27, 28, 29, 30, 33, 36, 39, 42, 45]
"""Those that no expression moves: the nose's bridge and tip, the corners of the eyes."""

PARTS = [
    range(JAW.start, JAW.stop),
    range(LEFT_BROW.start, LEFT_BROW.stop),
    range(RIGHT_BROW.start, RIGHT_BROW.stop),
    range(NOSE.start, NOSE.stop),
    (36, 37, 38, 39),
    (36, 41, 40, 39),
    (42, 43, 44, 45),
    (42, 47, 46, 45),
    (*range(48, 55), *range(60, 65)),
    (48, *range(54, 61), *range(64, 68)),
]
"""What moves as one: the jaw, a brow, the nose, an upper or lower lid, an upper or lower lip; corners are in two."""
LIP_EDGES = [61, 62, 63], [67, 66, 65]
"""Within: of the upper lip, and of the lower one below them."""
LIPS_WITHIN, LIPS_WITHOUT = [61, 62, 63, 65, 66, 67], [50, 51, 52, 56, 57, 58]
"""Each inner landmark of the lips, and the outer one that goes along with it."""
LIDS_AND_LIPS = [37, 38, 43, 44, *LIP_EDGES[0]], [41, 40, 47, 46, *LIP_EDGES[1]]
"""Those of upper lids and lips, within, and those below them."""
BELOW_BROWS = [[36, 36], [37, 37], [37, 38], [38, 38], [39, 39], [42, 42], [43, 43], [43, 44], [44, 44], [45, 45]]
"""Of the eyes, what lies below each landmark of the brows: the mean of two."""


def _chain(part: slice, closed: bool = False) -> list[tuple[int, int]]:
    points = list(range(part.start, part.stop))
    return list(pairwise([*points, points[0]] if closed else points))


SEGMENTS = [
    *_chain(JAW),
    *_chain(LEFT_BROW),
    *_chain(RIGHT_BROW),
    *_chain(NOSE_BRIDGE),
    *_chain(NOSE_BASE),
    *_chain(LEFT_EYE, closed=True),
    *_chain(RIGHT_EYE, closed=True),
    *_chain(OUTER_LIPS, closed=True),
    *_chain(INNER_LIPS, closed=True),
]
"""The face's contours, as pairs of neighbouring landmarks."""

NAMES: dict[str, tuple[int, ...]] = {
    "brow.left": (19,),
    "brow.left.outer": (17,),
    "brow.left.inner": (21,),
    "brow.right": (24,),
    "brow.right.inner": (22,),
    "brow.right.outer": (26,),
    "eye.left": (36, 37, 38, 39, 40, 41),
    "eye.left.outer": (36,),
    "eye.left.inner": (39,),
    "eye.left.top": (37, 38),
    "eye.left.bottom": (40, 41),
    "eye.right": (42, 43, 44, 45, 46, 47),
    "eye.right.inner": (42,),
    "eye.right.outer": (45,),
    "eye.right.top": (43, 44),
    "eye.right.bottom": (46, 47),
    "nose": (30,),
    "nose.top": (27,),
    "nose.left": (31,),
    "nose.right": (35,),
    "mouth": (62, 66),
    "mouth.left": (LEFT_MOUTH_CORNER,),
    "mouth.right": (RIGHT_MOUTH_CORNER,),
    "mouth.top": (51,),
    "mouth.bottom": (57,),
    "cheek.left": (2,),
    "cheek.right": (14,),
    "jaw.left": (4,),
    "jaw.right": (12,),
    "chin": (8,),
}
"""What each name that a person may use stands for: the mean of these."""
