"""The generator `face` against OpenVINO's own outputs, and against itself."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F


@pytest.fixture(scope="module")
def reference(golden):
    data = np.load(golden / "face-mobile-1024.npz")
    return {name: torch.from_numpy(data[name]).float() for name in data}


@pytest.fixture(scope="module")
def images(face, reference):
    """The three reference pictures, one at a time."""
    w_plus = reference["w_synthesised"].unsqueeze(1).expand(-1, face.num_ws, -1)
    with torch.no_grad():
        return torch.cat([face.synthesis(w_plus[i : i + 1]) for i in range(3)])


def test_what_it_says_of_itself(face):
    assert (face.resolution, face.z_dim, face.w_dim, face.c_dim, face.num_ws) == (1024, 512, 512, 0, 16)
    assert face.w_avg.shape == (512,)
    assert not face.training
    assert not any(parameter.requires_grad for parameter in face.parameters())
    assert {parameter.dtype for parameter in face.parameters()} == {torch.float32}


def test_mapping_agrees_with_openvino(face, reference):
    w_plus = face.mapping(reference["z"])
    assert w_plus.shape == (3, 16, 512)
    torch.testing.assert_close(w_plus, reference["w"].unsqueeze(1).expand_as(w_plus), atol=2e-5, rtol=0)


def test_truncation(face, reference):
    w, w_avg = reference["w"], face.w_avg
    w_plus = face.mapping(reference["z"], psi=0.3, cutoff=5)
    for i in range(16):
        expected = w_avg + 0.3 * (w - w_avg) if i < 5 else w
        torch.testing.assert_close(w_plus[:, i], expected, atol=2e-5, rtol=0)
    assert torch.equal(face.mapping(reference["z"], psi=0)[:, 7], w_avg.expand(3, -1))


def test_no_classes(face, reference):
    with pytest.raises(ValueError, match="no classes"):
        face.mapping(reference["z"], torch.zeros(3, 1))


def test_w_avg_is_the_mean_of_mapped_z(face):
    w = face.mapping(torch.randn(4000, 512, generator=torch.Generator().manual_seed(1)))[:, 0]
    off = (w.mean(0) - face.w_avg) / (w.std(0) * (1 / 4000 + 1 / 10_000) ** 0.5)
    assert off.abs().max() < 5  # of 512 normal samples
    assert 0.4 < off.square().mean() < 2.5  # correlated, so this wanders


def test_synthesis_agrees_with_openvino(images, reference):
    assert images.shape == (3, 3, 1024, 1024)
    torch.testing.assert_close(F.avg_pool2d(images, 4), reference["image_area_256"], atol=2e-3, rtol=0)
    centre = images[:, :, 448:576, 448:576]
    torch.testing.assert_close(centre, reference["image_centre_128"], atol=2e-4, rtol=0)


def test_a_batch_gives_the_same_pictures(face, images, reference):
    w_plus = reference["w_synthesised"][:2].unsqueeze(1).expand(-1, face.num_ws, -1)
    with torch.no_grad():
        torch.testing.assert_close(face.synthesis(w_plus), images[:2], atol=1e-4, rtol=0)


def test_a_batch_gives_the_same_gradients(face, codes):
    def gradient(w_plus):
        w_plus = w_plus.clone().requires_grad_()
        x = face.features(w_plus, 64)
        (x * torch.linspace(-1, 1, x[0].numel()).view_as(x[:1])).sum().backward()
        return w_plus.grad

    batch = gradient(codes)
    single = torch.cat([gradient(codes[:1]), gradient(codes[1:])])
    assert single.abs().max() > 1
    torch.testing.assert_close(batch, single, atol=1e-4 * single.abs().max().item(), rtol=1e-3)


def test_gradient_is_the_slope(face, codes):
    """In double precision and along one direction in all codes, through every kind of layer."""
    small = copy.deepcopy(face).double()
    w_plus = codes[:1].double().requires_grad_()
    direction = torch.randn(w_plus.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    def value(w_plus):
        return small.features(w_plus, 16).square().mean()

    value(w_plus).backward()
    with torch.no_grad():
        slope = (value(w_plus + 1e-6 * direction) - value(w_plus - 1e-6 * direction)) / 2e-6
    torch.testing.assert_close((w_plus.grad * direction).sum(), slope, rtol=1e-5, atol=0)


def test_features_are_the_block_outputs_and_nothing_more(face, codes):
    codes, outputs = codes[:1], {}

    def keep(_module, _inputs, output):
        outputs[output.shape[-1]] = output.clone()

    hooks = [block.register_forward_hook(keep) for block in (face.b4, *face.blocks)]
    try:
        with torch.no_grad():
            face.features(codes, 512)
            whole = dict(outputs)
            for i, resolution in enumerate((4, 8, 16, 32, 64, 128, 256, 512)):
                outputs.clear()
                x = face.features(codes, resolution)
                assert max(outputs) == resolution  # no later block ran
                assert x.shape[2:] == (resolution, resolution)
                assert torch.equal(x, whole[resolution])
                beyond = codes.clone()
                beyond[:, 2 * i + 1 :] = float("nan")  # nor are its codes read
                assert torch.equal(face.features(beyond, resolution), x)
    finally:
        for hook in hooks:
            hook.remove()


@pytest.mark.parametrize("resolution", [0, 1, 2, 3, 5, 100, 1024, 2048, -8])
def test_features_at_other_resolutions(face, codes, resolution):
    with pytest.raises(ValueError, match="features are there at"):
        face.features(codes, resolution)


def test_without_noise(face, codes):
    quiet = copy.deepcopy(face)
    for name, parameter in quiet.named_parameters():
        if name.endswith("noise"):
            parameter.zero_()
    with torch.no_grad():
        none = face.features(codes[:1], 64, noise="none")
        torch.testing.assert_close(none, quiet.features(codes[:1], 64), atol=1e-5, rtol=0)
        assert (none - face.features(codes[:1], 64)).abs().max() > 0.01
    with pytest.raises(ValueError, match="noise is"):
        face.features(codes, 64, noise="random")
