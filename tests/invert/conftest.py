"""The default distance, and a generator of 32² whose pictures cost nothing."""

import pytest

from photodrag import weights
from photodrag.invert import perceptual


@pytest.fixture(scope="module")
def distance():
    return perceptual.load("st-lpips-vgg")


@pytest.fixture(scope="module")
def small(golden):
    return weights.load(golden / "nvidia-ada-skip-32.pkl")
