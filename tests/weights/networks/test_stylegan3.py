"""StyleGAN3 against its reference code's own figures, and against what is true of any."""

import math

import pytest
import torch
from plain_stylegan3 import plain_synthesis, random_stylegan3
from reference import agree, built, reference
from torch.nn import functional as F

from photodrag.weights.formats.families import build
from photodrag.weights.networks import alias_free
from photodrag.weights.networks.alias_free import Resampling, filtered_leaky_relu
from photodrag.weights.networks.stylegan3 import StyleGAN3

FILES = "nvidia-sg3t-64.pkl", "nvidia-sg3r-64.pkl"


@pytest.fixture(params=FILES)
def checkpoint(request, golden) -> tuple[StyleGAN3, dict[str, torch.Tensor]]:
    return built(golden / request.param), reference(golden / request.param)


def test_what_it_says_of_itself(checkpoint):
    generator, expected = checkpoint
    assert (generator.resolution, generator.c_dim, generator.z_dim) == (64, 0, expected["z"].shape[1])
    assert (generator.num_ws, generator.w_dim) == expected["wplus"].shape[1:]
    assert torch.equal(generator.w_avg, expected["w_avg"])


def test_mapping_agrees(checkpoint):
    generator, expected = checkpoint
    z = expected["z"]
    agree(generator.mapping(z), expected["ws"])
    agree(generator.mapping(z, psi=0.7), expected["ws_truncated"])
    agree(generator.mapping(z, psi=0.7, cutoff=3), expected["ws_truncated_cutoff3"])


def test_pictures_agree(checkpoint):
    generator, expected = checkpoint
    for noise in ("const", "none"):
        agree(generator.synthesis(expected["wplus"], noise), expected["image"])
    agree(generator.synthesis(generator.mapping(expected["z"], psi=0.7, cutoff=3)), expected["image_from_z"])


def test_every_layer_agrees(checkpoint):
    generator, expected = checkpoint
    synthesis, w_plus = generator.synthesis, expected["wplus"]
    agree(synthesis.input.affine(w_plus[:, 0]), expected["feature_input_affine"])
    agree(synthesis.input(w_plus[:, 0]), expected["feature_input"])
    names = {name.removeprefix("feature_") for name in expected if name.startswith("feature_L")}
    assert names == {*synthesis.names, synthesis.last}
    for number, name in enumerate(synthesis.names):
        agree(synthesis.layers_output(w_plus, number), expected[f"feature_{name}"])
    last = getattr(synthesis, synthesis.last)
    agree(last(synthesis.layers_output(w_plus, len(synthesis.names) - 1), w_plus[:, -1]), expected["feature_L14_64_3"])


@pytest.mark.parametrize("name", ["transform", "transform_scaled"])
def test_a_moved_and_turned_input_agrees(checkpoint, name):
    generator, expected = checkpoint
    generator.synthesis.input.transform.copy_(expected[name])
    suffix = "scaled" if name.endswith("scaled") else "transformed"
    agree(generator.synthesis.input(expected["wplus"][:, 0]), expected[f"feature_input_{suffix}"])
    if suffix == "transformed":
        agree(generator.synthesis(expected["wplus"]), expected["image_transformed"])


def test_features_are_the_picture_s_part_of_the_first_layer_of_a_rate(checkpoint):
    generator, expected = checkpoint
    for resolution, number, margin in ((16, 0, 10), (32, 4, 10), (64, 8, 10)):
        whole = generator.synthesis.layers_output(expected["wplus"], number)
        inner = slice(margin, margin + resolution)
        assert torch.equal(generator.features(expected["wplus"], resolution), whole[:, :, inner, inner])
        assert generator.codes_read(resolution) == number + 2
    small = generator.features(expected["wplus"], 8)
    torch.testing.assert_close(small, F.avg_pool2d(generator.features(expected["wplus"], 16), 2))


def test_a_point_of_the_features_is_where_it_is_in_the_picture(golden):
    """A picture that is moved by an eighth of its side: so are its features, at every rate, but for what comes in."""
    generator = built(golden / FILES[0])
    w_plus = reference(golden / FILES[0])["wplus"][:1]
    for resolution in (16, 32):
        before = generator.features(w_plus, resolution)
        generator.synthesis.input.transform[0, 2] = -1 / 8  # the inverse of a move to the right
        after = generator.features(w_plus, resolution)
        generator.synthesis.input.transform[0, 2] = 0
        shift = resolution // 8
        moved, still = after[..., shift:] - before[..., :-shift], after - before
        assert moved.square().mean() < 0.02 * still.square().mean()


def test_features_compute_nothing_beyond_their_layer(checkpoint):
    generator, expected = checkpoint
    features = generator.features(expected["wplus"], 32)
    count = generator.codes_read(32)
    for number in range(count - 1, 15):
        for tensor in getattr(
            generator.synthesis, [*generator.synthesis.names, generator.synthesis.last][number]
        ).buffers():
            tensor.fill_(float("nan"))
    behind = expected["wplus"].clone()
    behind[:, count:] = float("nan")
    assert torch.equal(generator.features(behind, 32), features)


@pytest.mark.parametrize("resolution", [0, 2, 3, 12, 128, -8])
def test_features_at_other_resolutions(golden, resolution):
    with pytest.raises(ValueError, match="features are there at 4, 8, … 64"):
        built(golden / FILES[0]).features(torch.zeros(1, 16, 32), resolution)


def test_unknown_noise(golden):
    with pytest.raises(ValueError, match="noise is"):
        built(golden / FILES[0]).synthesis(torch.zeros(1, 16, 32), "random")


def plain(x, up_filter, down_filter, how: Resampling, slope, gain, clamp):
    """The filtered leaky ReLU as it is defined: zeros put between samples and around, two filters, and what is left."""
    n, c, h, w = x.shape
    high = x.new_zeros(n, c, h * how.up, w * how.up)
    high[:, :, :: how.up, :: how.up] = x
    before = len(up_filter) - 1 - how.crop
    after = how.high - before - h * how.up + len(up_filter) - 1
    high = F.pad(high, (before, after, before, after))
    up = torch.outer(up_filter, up_filter).flip(0, 1) * how.up**2
    high = F.conv2d(high, up.expand(c, 1, -1, -1), groups=c)
    high = F.leaky_relu(high, slope) * gain
    high = high if clamp is None else high.clamp(-clamp, clamp)
    down = down_filter if down_filter.dim() == 2 else torch.outer(down_filter, down_filter)
    return F.conv2d(high, down.flip(0, 1).expand(c, 1, -1, -1), groups=c)[:, :, :: how.down, :: how.down]


@pytest.mark.parametrize("strip", [1 << 21, 3000])
@pytest.mark.parametrize("clamp", [None, 0.5])
@pytest.mark.parametrize("in_size, out_size, up, down", [(38, 36, 2, 2), (38, 52, 4, 2), (54, 20, 2, 2), (9, 30, 2, 2)])
def test_the_filtered_leaky_relu_is_the_plain_one(in_size, out_size, up, down, clamp, strip, monkeypatch):
    """In value and gradient, cropping, padding, with filters that are not symmetric, and in strips."""
    monkeypatch.setattr(alias_free, "STRIP_NUMBERS", strip)
    monkeypatch.setattr(alias_free, "KEPT_NUMBERS", 0)
    random = torch.Generator().manual_seed(0)
    for shape in ((6 * down,), (6 * down,) * 2):
        up_filter, down_filter = (torch.rand(s, generator=random).double() for s in ((6 * up,), shape))
        how = Resampling.centred(in_size, out_size, up, down, 6 * up, 6 * down)
        x = torch.randn(2, 3, in_size, in_size, generator=random).double().requires_grad_()
        found = []
        trimmed, trim = how.trimmed()
        inner = slice(trim, in_size - trim)
        ours = filtered_leaky_relu(x[:, :, inner, inner] * 1, (up_filter, down_filter), trimmed, 0.2, 1.5, clamp)
        for y in (ours, plain(x, up_filter, down_filter, how, 0.2, 1.5, clamp)):
            assert y.shape == (2, 3, out_size, out_size)
            (slope,) = torch.autograd.grad((y * torch.arange(out_size)).sum(), x)
            found.append((y, slope))
        for a, b in zip(*found, strict=True):
            torch.testing.assert_close(a, b)


def test_a_picture_is_the_same_in_strips(checkpoint, monkeypatch):
    generator, expected = checkpoint
    found = []
    for strip in (1 << 21, 1 << 14):
        monkeypatch.setattr(alias_free, "STRIP_NUMBERS", strip)
        monkeypatch.setattr(alias_free, "KEPT_NUMBERS", 0)
        w_plus = expected["wplus"][:1].clone().requires_grad_()
        image = generator.synthesis(w_plus)
        found.append((image.detach(), *torch.autograd.grad(image.square().mean(), w_plus)))
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-6)


def test_gradients_are_the_slopes(golden):
    generator = built(golden / FILES[1], conv_clamp=None).double()
    w_plus = reference(golden / FILES[1])["wplus"][:1].double()
    w_plus.requires_grad_()
    assert torch.autograd.gradcheck(lambda w: generator.features(w, 16), w_plus, fast_mode=True, atol=1e-5)


def test_a_moved_and_turned_network(golden):
    """Its transform is the reference's, made of a known turn, counter-clockwise, and way; its picture is turned and
    moved; the network itself stays."""
    generator, expected = built(golden / FILES[1], conv_clamp=None), reference(golden / FILES[1])
    other = generator.moved(0.11 * 64, -0.07 * 64, -math.degrees(0.35))
    torch.testing.assert_close(other.synthesis.input.transform, expected["transform"], rtol=0, atol=1e-6)
    assert torch.equal(generator.synthesis.input.transform, torch.eye(3))
    assert other.synthesis.L0_36_8.weight is generator.synthesis.L0_36_8.weight
    again = other.moved(3, 4).moved(-3, -4)
    torch.testing.assert_close(again.synthesis.input.transform, other.synthesis.input.transform, rtol=0, atol=1e-6)

    w_plus = expected["wplus"][:1]
    before, after = (network.features(w_plus, 32) for network in (generator, generator.moved(4, -6, 20)))
    cos, sin = math.cos(math.radians(20)), math.sin(math.radians(20))
    x, y = 4 / 64 * 2, -6 / 64 * 2
    back = torch.tensor([[[cos, sin, -cos * x - sin * y], [-sin, cos, sin * x - cos * y]]])
    grid = F.affine_grid(back, [1, 1, 32, 32], align_corners=False)
    turned = F.grid_sample(before, grid, align_corners=False, mode="bicubic")
    middle = slice(8, 24)
    off, still = ((after - picture)[..., middle, middle].square().mean() for picture in (turned, before))
    assert off < 0.05 * still


@pytest.mark.parametrize("config, resolution, count, margin", [("t", 128, 12, 8), ("r", 32, 14, 10), ("r", 64, 8, 12)])
def test_agrees_with_the_plain_form_at_other_sizes(config, resolution, count, margin):
    """Of networks that no golden file holds: other numbers of layers, margins, rates and factors between them."""
    sizes = {"channel_base": 512, "channel_max": 6, "w_dim": 8, "count": count, "margin": margin}
    state, arguments = random_stylegan3(resolution, config, **sizes)
    generator = build(state, arguments | {"output_scale": 0.5})
    assert (generator.num_ws, generator.resolution) == (count + 2, resolution)
    w_plus = torch.randn(2, count + 2, 8, generator=torch.Generator().manual_seed(1))
    image, layers = plain_synthesis(state, arguments, w_plus)
    agree(generator.synthesis(w_plus), 2 * image)
    for number, expected in enumerate(layers[:-1]):
        agree(generator.synthesis.layers_output(w_plus, number), expected)
    for side in (4, 16, resolution):
        assert generator.features(w_plus, side).shape[2:] == (side, side)


def test_classes():
    state, arguments = random_stylegan3(16, "t", 64, 4, 8)
    state |= {"mapping.embed.weight": torch.randn(8, 3), "mapping.embed.bias": torch.randn(8)}
    state["mapping.fc0.weight"] = torch.randn(8, 13)
    generator = build(state, arguments)
    assert (generator.z_dim, generator.c_dim, generator.w_dim) == (5, 3, 8)
    with pytest.raises(ValueError, match=r"give c \[N, 3\]"):
        generator.mapping(torch.ones(1, 5))
    one, other = (generator.mapping(torch.ones(1, 5), torch.eye(3)[i : i + 1]) for i in (0, 2))
    assert one.shape == (1, 16, 8) and (one - other).abs().max() > 1e-4
