"""The identity descriptor, against dlib's own way to it."""

from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest

from photodrag.invert.dlib_models import face_recogniser
from photodrag.invert.identity import NOISE, SAME_PERSON, descriptor, identity_distance, in_figures, likeness
from photodrag.pipeline.faces.detection import detect


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    path = Path(__file__).parents[2] / "data" / "astronaut.png"
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def landmarks(photo) -> np.ndarray:
    return detect(photo)[0].landmarks


def test_same_as_dlib_itself(photo, landmarks):
    parts = dlib.points([dlib.point(round(x), round(y)) for x, y in landmarks])
    shape = dlib.full_object_detection(dlib.rectangle(175, 72, 273, 170), parts)
    own = np.array(face_recogniser().compute_face_descriptor(photo, shape))
    ours = descriptor(photo, landmarks)
    assert ours.shape == (128,) and ours.dtype == np.float64
    assert identity_distance(ours, own) < 0.06


def test_size_does_not_matter(photo, landmarks):
    known = descriptor(photo, landmarks)
    for factor, bound in ((0.6, 0.2), (8, 0.02)):
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=how)
        assert identity_distance(known, descriptor(picture, (landmarks + 0.5) * factor - 0.5)) < bound


def test_another_face_is_another_person(photo, landmarks):
    """Her face squeezed to 60 % of its width and mirrored in colour is nobody's twin."""
    other = cv2.resize(255 - photo, None, fx=0.6, fy=1, interpolation=cv2.INTER_AREA)
    far = descriptor(other, landmarks * (0.6, 1))
    assert identity_distance(descriptor(photo, landmarks), far) > SAME_PERSON


def test_distance():
    a = np.random.default_rng(0).normal(size=128)
    assert identity_distance(a, a) == 0
    assert identity_distance(a, a + 0.1) == pytest.approx(0.1 * 128**0.5)


def test_likeness_in_words():
    """It ends where another person begins, and is no more than a copy of the photo would be."""
    words = [likeness(distance) for distance in (0.0, np.nextafter(NOISE, 0), NOISE, 0.44, None)]
    assert words == [
        "still the person",
        "still the person",
        "like the person",
        "like the person",
        "of unknown likeness",
    ]
    assert likeness(np.nextafter(SAME_PERSON, 0), "you") == "somewhat like you"
    assert likeness(SAME_PERSON, "you") == "not like you"


def test_a_copy_of_a_photo_is_within_the_noise(photo, landmarks):
    """JPEGs of it are: what an edit is held against is no distance of 0."""
    own, apart = descriptor(photo, landmarks), []
    for quality in (50, 20):
        data = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        copy = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
        apart.append(identity_distance(own, descriptor(copy, landmarks)))
    assert 0.05 < apart[0] < 0.13 < apart[1] < NOISE
    assert in_figures(0.123) == "identity distance 0.12 (a poor copy has about 0.2, the same person under 0.6)"
