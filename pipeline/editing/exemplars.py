"""What a face looks like with another expression, from other photos of that very person: exemplars.

The photo's own pixels, moved, show no fold, tooth or eye that they didn't show before, and a generator's are another's
(docs/design-notes.md#a-person). Where one of the person's other photos shows the expression that is wanted, or nearly,
the part of the face that changes is read from that one, moved to where the landmarks are to be, in the light of the
photo that is edited."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from photodrag.drag.contours import width
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.blend import Layers, warped
from photodrag.pipeline.editing.face_layers import LIGHT
from photodrag.pipeline.editing.motion import FaceMotion, spline_flow
from photodrag.pipeline.editing.openings import OPENED, SHOWN, doublings, rising
from photodrag.pipeline.faces.align import laid_on
from photodrag.pipeline.people.person import Portrait
from photodrag.weights.common.face_landmarks import (
    BROWS,
    COUNT,
    EYES,
    INNER_LIPS,
    LEFT_EYE,
    MOUTH,
    NOSE_BASE,
    RIGHT_EYE,
)

MOVED = 0.008, 0.016
"""Of the face's width, the mean way of a part's landmarks from which an exemplar counts a little, and fully."""
RIGHT = 0.35, 0.6
"""How much nearer to its goal a part is in an exemplar than in the photo, as a share of that, from which likewise."""
WHOLE = 0.4, 0.6
"""Of an exemplar's weight, where what eyes and mouth hold goes over from the photo's to the exemplar's: two gazes or
rows of teeth, one through the other, are none."""
ALIKE = 0.3
"""Doublings of an opening by which another exemplar must be nearer than that which shows around it."""
OTHER_LOOKS = 0.8, 1.05
"""Contrast of the difference from the photo, where nothing moved it, in parts of the photo's own, up to which an
exemplar counts fully, and at all: beyond it lies a hand, a beard, glasses."""
COARSER = 0.25, 0.5
"""Pixels an exemplar has for each of the photo's from which it counts likewise."""
BRIGHTER = 2.5
"""Times that light may be brighter or darker than the exemplar's."""
EDGE = 60
"""Pixels of a crop of 1024 from the face's border over which exemplars fade in, so that its outline stays."""
LOW_FOREHEAD = 0.25
"""How far above the brows that border lies, in parts of the way from the mouth to them."""
BETWEEN = 0.3, 0.9
"""Between eyes and nose, in parts of the way from the ones to the other, where the parts go over into each other."""
LOOKS_SIDE, NOISE = 256, 1.0
"""Side at which looks are compared, and the contrast that is noise, in grey levels."""
TRIED = 4
"""Of each part, exemplars whose looks are compared."""

UPPER = [*range(BROWS.start, BROWS.stop), *range(EYES.start, EYES.stop)]
LOWER = [*range(MOUTH.start, MOUTH.stop)]
PARTS = UPPER, LOWER
"""Landmarks by which exemplars are compared: of the face's upper half, and its lower one."""
INSIDE = (LEFT_EYE, RIGHT_EYE), (INNER_LIPS,)
"""The openings in each of PARTS; of two the same exemplar shows what they hold, for eyes look one way."""
REGIONS = "brows", "lips", "eyes", "teeth"
"""What may be of different exemplars: the skin of each of PARTS, and what its openings hold."""
AROUND = 0.06, 0.06, 0.04
"""How far around each of them goes what it holds, in parts of the face's width: eyes have lashes."""


@dataclass(frozen=True, eq=False)
class Choice:
    """An exemplar for a region of a face, and how much of it is to show, 0 … 1."""

    portrait: Portrait
    weight: float


Choices = Sequence[Choice | None]
"""Of each of REGIONS."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A portrait that may be chosen."""

    portrait: Portrait
    landmarks: np.ndarray
    """[68, 2], laid on the goal's."""
    fine: float
    """0 … 1, whether it has pixels enough."""


def chosen(crop: np.ndarray, motion: FaceMotion, portraits: Sequence[Portrait], finest: float) -> list[Choice | None]:
    """Of each of REGIONS the exemplar that shows what a motion leads to; None where the photo's own region is as good.
    crop: the photo's, uint8 RGB [S, S, 3], of `finest` pixels of the photo a side."""
    photo, goal = motion.photo[:COUNT], motion.goal[:COUNT]
    own = laid_on(goal, photo)  # that the head moved is no change of expression
    side = min(finest, len(crop))
    candidates = [
        Candidate(portrait, laid_on(goal, portrait.landmarks), rising(len(portrait.picture) / side, COARSER))
        for portrait in portraits
    ]
    skins, insides = [], []
    for part, rings in zip(PARTS, INSIDE, strict=True):

        @cache  # the same ones are tried for what openings hold
        def looks(candidate: Candidate, part: Sequence[int] = part) -> float:
            return candidate.fine * (1 - rising(other_looks(crop, photo, candidate.portrait, part), OTHER_LOOKS))

        moves = rising(np.linalg.norm(goal[part] - own[part], axis=1).mean() / width(goal), MOVED)
        fits = [moves * fit(own[part], goal[part], one.landmarks[part]) for one in candidates]
        skins.append(best_of(candidates, fits, fits, looks))
        insides.append(inside_of(candidates, own, goal, rings, skins[-1], looks))
    return [*skins, *insides]


def inside_of(
    candidates: Sequence[Candidate],
    photo: np.ndarray,
    goal: np.ndarray,
    rings: Sequence[slice],
    skin: Choice | None,
    looks: Callable[[Candidate], float],
) -> Choice | None:
    """The exemplar for what openings hold: where they open, or close, the one in which they are nearest to the goal,
    and if it can be that of the skin around them; else that one, as a whole or not at all."""
    if max(abs(doublings(photo[ring], goal[ring])) for ring in rings) <= OPENED[0]:
        return replace(skin, weight=rising(skin.weight, WHOLE)) if skin else None
    fits, order = [], []
    for one in candidates:
        fits.append(min(inner_fit(photo[ring], goal[ring], one.landmarks[ring]) for ring in rings))
        miss = sum(abs(doublings(goal[ring], one.landmarks[ring])) for ring in rings)
        order.append(-miss + (ALIKE if skin and one.portrait is skin.portrait else 0))
    return best_of(candidates, fits, order, looks)


def best_of(
    candidates: Sequence[Candidate],
    weights: Sequence[float],
    order: Sequence[float],
    looks: Callable[[Candidate], float],
) -> Choice | None:
    """The candidate of most weight after its looks, which are looked at for TRIED of them, in that order, from the
    largest on; None where none has any."""
    best = None
    for number in np.argsort([-value for value in order], kind="stable")[:TRIED]:
        if weights[number] > (best.weight if best else 0):
            weight = weights[number] * looks(candidates[number])
            if weight > (best.weight if best else 0):
                best = Choice(candidates[number].portrait, weight)
    return best


def fit(photo: np.ndarray, goal: np.ndarray, place: np.ndarray) -> float:
    """How much an exemplar whose landmarks [N, 2] lie at `place` shows of the way from the photo's to the goal, 0 … 1:
    all of it where it is much nearer to the goal, or else as much as the goal lies on the way to it."""
    wanted, way = goal - photo, place - photo
    along = float(np.clip((wanted * way).sum() / max((way**2).sum(), 1e-9), 0, 1))
    far, away, off = (np.linalg.norm(x, axis=1).mean() for x in (wanted, goal - place, wanted - along * way))
    far = max(far, 1e-9)
    return max(rising(1 - away / far, RIGHT), along * rising(1 - off / far, RIGHT))


def inner_fit(photo: np.ndarray, goal: np.ndarray, place: np.ndarray) -> float:
    """How much of an eye's or a mouth's opening, or closing, from its contour in the photo to the goal an exemplar
    shows in which it lies at `place`, 0 … 1."""
    wanted = doublings(photo, goal)
    if abs(wanted) <= OPENED[0]:  # it stays as it is, in the exemplar, too
        return 1 - rising(abs(doublings(goal, place)), OPENED)
    return rising(doublings(photo, place) / wanted, SHOWN)


def shown_of(choices: Choices) -> dict[str, str]:
    """Of the regions that show an exemplar the photo's name."""
    return {region: one.portrait.photo for region, one in zip(REGIONS, choices, strict=False) if one and one.weight}


def shown_inside(choices: Choices) -> tuple[float, float, float]:
    """How much of an exemplar shows in each of openings.OPENINGS."""
    eyes, teeth = (one.weight if one else 0.0 for one in choices[2:]) if choices else (0.0, 0.0)
    return eyes, eyes, teeth


def with_exemplars(
    crop: np.ndarray, layers: Layers, motion: FaceMotion, choices: Choices, share: float = 1.0
) -> Layers:
    """A moved face with what its exemplars show. share: 0 … 1, how much of them shows, in a film on its way."""
    side, goal = len(crop), motion.goal[:COUNT]
    own, mask, lower = layers.of(crop), inner_face(goal, side), lower_half(goal, side)
    skin = skin_between(goal, side)
    regions = skin * (1 - lower), skin * lower, (1 - skin) * (1 - lower), (1 - skin) * lower

    @cache  # one may be chosen for several regions
    def seen_here(portrait: Portrait) -> np.ndarray:
        picture = moved(portrait, goal, side)
        return picture * light(own, picture, skin)

    for choice, region in zip(choices, regions, strict=True):
        if choice is None:
            continue
        picture = seen_here(choice.portrait)
        part = share * choice.weight * mask * region
        rest = layers.rest + part[..., None] * (picture - layers.rest)
        layers = replace(layers, rest=rest, weight=layers.weight * (1 - part))
    return layers


def outside(goal: np.ndarray, ring: slice, around: float, side: int) -> np.ndarray:
    """float32 [side, side], 0 within an eye or a mouth, rising to 1 over `around`, in parts of the face's width."""
    return masks.smooth(masks.distance_from_hull(goal[ring], side) / (around * width(goal)))


def moved(portrait: Portrait, goal: np.ndarray, side: int) -> np.ndarray:
    """A portrait's picture with its landmarks at `goal` [68, 2] of a crop of that side: float32 [side, side, 3]."""
    smaller = len(portrait.picture) > side
    picture = cv2.resize(portrait.picture, (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    at = (portrait.landmarks + 0.5) * (side / len(portrait.picture)) - 0.5
    return warped(picture, spline_flow(at, goal, side))


def light(own: np.ndarray, shown: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """By how much an exemplar is to be multiplied to lie in the light of a face where it was moved to, both float32
    [S, S, 3] of 0 … 255: [S, S, 3]. It is read where there is skin (see `skin_between`)."""
    skin = skin[..., None]
    around = cv2.GaussianBlur(np.dstack((own * skin, shown * skin)), (0, 0), LIGHT * len(own) / 1024)
    return np.clip((around[..., :3] + 1) / (around[..., 3:] + 1), 1 / BRIGHTER, BRIGHTER)


def skin_between(goal: np.ndarray, side: int) -> np.ndarray:
    """Where a face shows skin and hair rather than eyes or what a mouth shows: float32 [side, side], never 0."""
    skin = np.ones((side, side), np.float32)
    for ring, around in zip((ring for rings in INSIDE for ring in rings), AROUND, strict=True):
        skin *= outside(goal, ring, around, side)
    return np.maximum(skin, 1e-3)


def inner_face(goal: np.ndarray, side: int) -> np.ndarray:
    """float32 [side, side], 1 within a face whose landmarks lie at `goal`, falling to 0 at its border."""
    inside = masks.in_hull(masks.with_forehead(goal, LOW_FOREHEAD), (side, side))
    return masks.smooth(cv2.distanceTransform(inside, cv2.DIST_L2, 5) / (EDGE * side / 1024))


def lower_half(goal: np.ndarray, side: int) -> np.ndarray:
    """float32 [side, side], 0 around a face's eyes, 1 around its mouth, and between them in between."""
    eyes, down = goal[EYES].mean(0), goal[NOSE_BASE].mean(0) - goal[EYES].mean(0)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    along = ((x - eyes[0]) * down[0] + (y - eyes[1]) * down[1]) / (down @ down)
    return masks.smooth((along - BETWEEN[0]) / (BETWEEN[1] - BETWEEN[0]))


def other_looks(crop: np.ndarray, landmarks: np.ndarray, portrait: Portrait, part: Sequence[int]) -> float:
    """How other a part of an exemplar looks than the photo's, beyond light: the contrast of their difference, with the
    exemplar moved to where the photo's landmarks [68, 2] are, in parts of the photo's own contrast."""
    scale = LOOKS_SIDE / len(crop)
    small = cv2.resize(crop, (LOOKS_SIDE, LOOKS_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    at = (landmarks + 0.5) * scale - 0.5
    shown = moved(portrait, at, LOOKS_SIDE)
    half, skin = lower_half(at, LOOKS_SIDE), skin_between(at, LOOKS_SIDE)
    weight = inner_face(at, LOOKS_SIDE) * (half if part == LOWER else 1 - half) * skin
    details = [fine(x, LIGHT * LOOKS_SIDE / 1024) for x in (small, shown * light(small, shown, skin))]
    own, other = (
        np.sqrt((weight * x.mean(2) ** 2).sum() / weight.sum()) for x in (details[0], details[1] - details[0])
    )
    return float(other / (own + NOISE))


def fine(picture: np.ndarray, deviation: float) -> np.ndarray:
    """What of a picture is finer than that."""
    return picture - cv2.GaussianBlur(picture, (0, 0), deviation)
