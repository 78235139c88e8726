"""StyleGAN and ProGAN against their reference codes' own figures, at every level of detail, and what is true of any."""

import pytest
import torch
from reference import agree, built, reference
from torch.nn import functional as F

from photodrag.weights.formats.canonical import UserError
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.families import build
from photodrag.weights.formats.growing_canonical import up_to
from photodrag.weights.formats.layouts import to_canonical
from photodrag.weights.networks.growing import doubled

STYLEGAN = "stylegan1-tf-64.pkl", "stylegan1-tf-128.pkl"
PROGAN = "progan-tf-64.pkl", "progan-tf-32-growing.pkl"
STYLE_BASED = "rosinality-stylegan1-128.model"


def level(name: str) -> float:
    return float(name[-4:])


@pytest.fixture(params=STYLEGAN)
def stylegan(request, golden):
    return golden / request.param


@pytest.fixture(params=PROGAN)
def progan(request, golden):
    return golden / request.param


def test_stylegan_agrees(stylegan):
    generator, expected = built(stylegan), reference(stylegan)
    z, w_plus = expected["z"], expected["wplus"]
    assert (generator.num_ws, generator.w_dim, generator.z_dim) == (*w_plus.shape[1:], z.shape[1])
    assert torch.equal(generator.w_avg, expected["w_avg"])
    agree(generator.mapping(z), expected["ws"])
    agree(generator.mapping(z, psi=0.6), expected["ws_truncated"])
    agree(generator.mapping(z, psi=0.6, cutoff=3), expected["ws_truncated_cutoff3"])
    for noise in ("const", "none"):
        agree(generator.synthesis(w_plus, noise), expected[f"image_noise_{noise}"])
    agree(generator.synthesis(generator.mapping(z, psi=0.7, cutoff=8)), expected["image_from_z"])
    agree(generator.synthesis(generator.mapping(z, psi=0.6, cutoff=3)), expected["image_from_z_truncated_cutoff3"])


def test_stylegan_agrees_at_every_level_of_detail(stylegan):
    expected = reference(stylegan)
    names = [name for name in expected if "_lod" in name]
    assert names
    for name in names:
        agree(built(stylegan, lod=level(name)).synthesis(expected["wplus"]), expected[name])


def test_progan_agrees(progan):
    generator, expected = built(progan, lod=0), reference(progan)
    w_plus = generator.mapping(expected["z"])
    assert (generator.num_ws, generator.w_dim, generator.z_dim) == (1, 24, 24) and w_plus.shape == (2, 1, 24)
    torch.testing.assert_close(w_plus.square().mean(2), torch.ones(2, 1))
    agree(generator.synthesis(w_plus), expected["image"])
    names = [name for name in expected if "_lod" in name]
    assert len(names) >= 2
    for name in names:
        agree(built(progan, lod=level(name)).synthesis(w_plus), expected[name])


def test_a_growing_network_is_drawn_as_it_was_trained(golden):
    path = golden / PROGAN[1]
    expected, generator = reference(path), built(path)
    agree(generator.synthesis(generator.mapping(expected["z"])), expected["image_lod0.60"])


@pytest.mark.parametrize("file", [*STYLEGAN, *PROGAN])
def test_features_agree(file, golden):
    generator, expected = built(golden / file), reference(golden / file)
    w_plus = expected["wplus"] if "wplus" in expected else generator.mapping(expected["z"])
    names = [name for name in expected if name.startswith("feature_")]
    sides = [int(name.split("x")[0].removeprefix("feature_")) for name in names]
    assert sides == [4 << i for i in range(generator.resolution.bit_length() - 2)]
    for side, name in zip(sides, names, strict=True):
        agree(generator.features(w_plus, side), expected[name])


@pytest.mark.parametrize("sample", [0, 1])
def test_style_based_agrees(golden, sample):
    """With the reference's noise for the constant one, which such a file hasn't; both layers of a block share it."""
    path = golden / STYLE_BASED
    expected, (state, arguments) = reference(path), to_canonical(open_checkpoint(path).content)
    for block in range(6):
        for conv in (0, 1):
            state[f"synthesis.b{4 << block}.conv{conv}.noise_const"] = expected[f"noise{block}"][0, 0]
    state = up_to(state, 128)
    generator, z = build(state, arguments), expected["z"]
    agree(generator.mapping(z)[:, 7], expected["w"])
    w_plus = generator.mapping(z)
    agree(generator.synthesis(w_plus, "none"), expected["image_step5_noise_zero"])
    if sample:
        return
    agree(generator.synthesis(w_plus[:1]), expected["image_step5"][:1])
    agree(build(state, arguments | {"lod": 0.6}).synthesis(w_plus), expected["image_step5_alpha0.40"])
    agree(build(up_to(state, 64), arguments).synthesis(w_plus[:, :10]), expected["image_step4"])
    generator.mapping.w_avg.copy_(expected["mean_style"][0])
    agree(generator.synthesis(generator.mapping(z, psi=0.7)), expected["image_step5_truncated"])
    for block in range(6):
        agree(generator.features(w_plus, 4 << block), expected[f"feature_progression{block}"])


def test_a_style_based_file_tells_how_far_it_was_trained(golden, tmp_path):
    """By biases, which start at 0; one that tells nothing can be cut down."""
    raw = open_checkpoint(golden / STYLE_BASED).content
    assert build(*to_canonical(raw)).resolution == 1024
    averaged = raw["g_running"]
    for name, tensor in averaged.items():
        if name.endswith("bias") and name.startswith("generator.") and int(name.split(".")[2]) > 4:
            tensor.zero_()
    state, arguments = to_canonical(raw)
    assert build(state, arguments).resolution == 64
    torch.save(averaged, tmp_path / "train_step-4.model")  # the averaged generator alone is such a file, too
    alone, _ = to_canonical(open_checkpoint(tmp_path / "train_step-4.model").content)
    assert all(torch.equal(alone[name], state[name]) for name in state) and alone.keys() == state.keys()
    with pytest.raises(UserError, match="no pictures of 96 pixels"):
        up_to(state, 96)


@pytest.mark.parametrize("side", [4, 9, 16, 21])
def test_doubling_is_four_pixels_for_one(side):
    random = torch.Generator().manual_seed(side)
    x, weight = torch.randn(2, 3, side, side, generator=random), torch.randn(5, 3, 3, 3, generator=random)
    plain = F.conv2d(x.repeat_interleave(2, 2).repeat_interleave(2, 3), weight, torch.arange(5.0), padding=1)
    torch.testing.assert_close(doubled(x, weight, torch.arange(5.0)), plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize("file", [STYLEGAN[0], *PROGAN])
def test_features_and_pictures_compute_nothing_beyond_what_they_need(file, golden):
    generator, level = built(golden / file, lod=1.3), 1
    w_plus = generator.mapping(torch.randn(2, 24, generator=torch.Generator().manual_seed(3)))
    image, features = generator.synthesis(w_plus), generator.features(w_plus, 8)
    calls = []
    for name, module in generator.synthesis.named_children():
        module.register_forward_hook(lambda *_, name=name: calls.append(name))
        module.torgb.register_forward_hook(lambda *_, name=name: calls.append(f"{name} rgb"))
    assert torch.equal(generator.features(w_plus, 8), features) and calls == ["b4", "b8"]
    calls.clear()
    assert torch.equal(generator.synthesis(w_plus), image)
    sides = [4 << i for i in range(generator.resolution.bit_length() - 2 - level)]
    assert [name for name in calls if "rgb" not in name] == [f"b{side}" for side in sides]
    assert [name for name in calls if "rgb" in name] == [f"b{sides[-2]} rgb", f"b{sides[-1]} rgb"]
    assert image.shape[-1] == generator.resolution


@pytest.mark.parametrize("file", [STYLEGAN[0], PROGAN[0], STYLE_BASED])
def test_gradients_are_the_slopes(file, golden):
    generator = built(golden / file).double()
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(4)).double()
    w_plus = generator.mapping(z).clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda w: generator.features(w, 16), w_plus, fast_mode=True, atol=1e-5)


@pytest.mark.parametrize("file", [STYLEGAN[0], PROGAN[0]])
def test_other_resolutions_noise_and_classes(file, golden):
    generator = built(golden / file)
    w_plus = generator.mapping(torch.ones(1, 24))
    for resolution in (0, 2, 3, 12, 128, -8):
        with pytest.raises(ValueError, match="features are there at 4, 8, … 64"):
            generator.features(w_plus, resolution)
    with pytest.raises(ValueError, match="noise is"):
        generator.synthesis(w_plus, "random")
    with pytest.raises(ValueError, match="no classes"):
        generator.mapping(torch.ones(1, 24), torch.ones(1, 3))


def test_only_the_direction_of_a_progan_code_counts(golden):
    generator = built(golden / PROGAN[0])
    z = torch.randn(1, 24, generator=torch.Generator().manual_seed(5))
    image = generator.synthesis(generator.mapping(z))
    torch.testing.assert_close(generator.synthesis(generator.mapping(3 * z, psi=0.5) * 7), image, rtol=0, atol=3e-5)
    assert generator.synthesis(generator.w_avg.view(1, 1, -1)).isfinite().all()


def test_classes(golden):
    """Of StyleGAN: z and an embedded class, normalised together; of ProGAN: z and the class itself."""
    z, c = torch.randn(2, 24, generator=torch.Generator().manual_seed(6)), torch.eye(2, 3)
    state, arguments = to_canonical(open_checkpoint(golden / STYLEGAN[0]).content)
    first = state["mapping.fc0.weight"]
    embed = torch.randn(24, 3, generator=torch.Generator().manual_seed(7))
    state |= {"mapping.fc0.weight": torch.cat((first, first.flip(1)), 1), "mapping.embed.weight": embed}
    generator = build(state, arguments)
    assert (generator.c_dim, generator.z_dim) == (3, 24)
    both = torch.cat((z, c @ embed.t()), 1)
    w = both / (both.square().mean(1, keepdim=True) + 1e-8).sqrt()
    for i in range(4):
        w = F.leaky_relu(w @ state[f"mapping.fc{i}.weight"].t() + state[f"mapping.fc{i}.bias"], 0.2)
    torch.testing.assert_close(generator.mapping(z, c)[:, 3], w)
    with pytest.raises(ValueError, match=r"give c \[N, 3\]"):
        generator.mapping(z)

    generator = built(golden / PROGAN[0], classes=4)
    assert (generator.c_dim, generator.z_dim, generator.w_dim) == (4, 20, 24)
    whole = built(golden / PROGAN[0]).mapping(torch.cat((z[:, :20], torch.eye(2, 4)), 1))
    assert torch.equal(generator.mapping(z[:, :20], torch.eye(2, 4)), whole)
