"""A person to drag."""

import numpy as np
import pytest
import torch

from photodrag import weights
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.faces.detection import detect


@pytest.fixture(scope="module")
def space(face):
    return weights.kept_space(face)


@pytest.fixture(scope="module")
def person(face):
    """A face of the generator's own: its code and landmarks."""
    z = torch.from_numpy(np.random.RandomState(4).randn(1, face.z_dim)).float()
    w_plus = face.mapping(z, psi=0.7)
    return w_plus, detect(to_uint8(face.synthesis(w_plus)))[0].landmarks
