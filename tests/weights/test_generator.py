"""Every network offers what the type Generator promises, as `load` gives it and as the stages use it."""

import inspect

import pytest
import torch
from plain_stylegan2 import random_state
from reference import built
from torch import Tensor, nn

from photodrag import weights
from photodrag.weights import Generator
from photodrag.weights.formats.stylegan2_canonical import build_stylegan2
from photodrag.weights.networks.mobile import MobileStyleGAN

METHODS = ("mapping", "synthesis", "features", "codes_read", "style_weights")


FILES = {
    "StyleGAN2": "legacy-tf-16.pkl",
    "StyleGAN3": "nvidia-sg3t-64.pkl",
    "StyleGAN": "stylegan1-tf-64.pkl",
    "ProGAN": "progan-tf-64.pkl",
}


@pytest.fixture(params=["face", *FILES])
def loaded(request, face, golden, empty_cache) -> Generator:
    return face if request.param == "face" else weights.load(golden / FILES[request.param])


def small_mobile() -> MobileStyleGAN:
    network = MobileStyleGAN((8, 8, 4), z_dim=8, w_dim=8, mapping_layers=2)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return network.eval().requires_grad_(False)


SMALL = {
    "MobileStyleGAN": small_mobile,
    **{
        kind: lambda kind=kind: build_stylegan2(random_state((8, 6, 5), architecture=kind), {})
        for kind in ("skip", "resnet", "orig")
    },
}


def test_attributes(loaded):
    numbers = ("resolution", "z_dim", "w_dim", "c_dim", "num_ws")
    kinds = dict.fromkeys(numbers, int) | {"digest": str, "has_ffhq_w": bool, "subject": str | None}
    assert kinds.keys() == Generator.__annotations__.keys()
    for name, kind in kinds.items():
        assert isinstance(getattr(loaded, name), kind), name
    assert isinstance(loaded.w_avg, Tensor) and loaded.w_avg.shape == (loaded.w_dim,)
    assert len(loaded.digest) == 64


def test_methods(loaded):
    """With the parameters and defaults that the protocol has, by the same names and in the same order."""
    public = {name for name, value in vars(Generator).items() if inspect.isfunction(value) and name[0] != "_"}
    assert public == set(METHODS)
    for name in METHODS:
        method = getattr(loaded, name)
        has = inspect.signature(method.forward if isinstance(method, nn.Module) else method)
        _, *promised = inspect.signature(getattr(Generator, name)).parameters.values()
        assert list(has.parameters.values()) == promised, name


def test_has_ffhq_w(loaded, face):
    assert loaded.has_ffhq_w is (loaded is face)


@pytest.mark.parametrize("name", [*SMALL, *list(FILES)[1:]])
def test_codes_read(name, golden):
    """A change of the last code that is read changes the features, one of all codes behind it changes nothing."""
    generator = SMALL[name]() if name in SMALL else built(golden / FILES[name])
    w_plus = torch.randn(1, generator.num_ws, generator.w_dim, generator=torch.Generator().manual_seed(1))
    last = generator.resolution // 2 if name == "MobileStyleGAN" else generator.resolution
    resolutions = [4 << i for i in range(last.bit_length() - 2)]
    assert resolutions[-1] == last
    for resolution in resolutions:
        count = generator.codes_read(resolution)
        assert 1 <= count <= generator.num_ws
        features = generator.features(w_plus, resolution)
        behind, read = w_plus.clone(), w_plus.clone()
        behind[:, count:] += 1
        read[:, count - 1, ::2] += 1
        assert torch.equal(generator.features(behind, resolution), features)
        assert not torch.allclose(generator.features(read, resolution), features)


@pytest.mark.parametrize("name", FILES)
def test_style_weights_say_what_changes_a_picture(name, golden):
    """A row a code; one that goes where its weights lead nowhere changes nothing, and one that goes elsewhere does."""
    generator = built(golden / FILES[name])
    rows = generator.style_weights()
    assert len(rows) == generator.num_ws and all(weight.shape[1] == generator.w_dim for weight in rows)
    w_plus = torch.randn(1, generator.num_ws, generator.w_dim, generator=torch.Generator().manual_seed(1))
    before = generator.synthesis(w_plus, noise="none")
    for number in (0, generator.num_ws - 1):
        weight = rows[number].double()
        _, _, axes = torch.linalg.svd(weight, full_matrices=True)
        moved = w_plus.clone()
        moved[:, number] += axes[0].float()
        assert not torch.allclose(generator.synthesis(moved, noise="none"), before, atol=1e-5)
        if len(weight) < generator.w_dim and name != "StyleGAN2":  # the last code of which is read by two layers
            still = w_plus.clone()
            still[:, number] += axes[-1].float()
            assert torch.allclose(generator.synthesis(still, noise="none"), before, atol=1e-4)
