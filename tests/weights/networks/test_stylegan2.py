"""StyleGAN2 against what the reference codes computed, against the plain form, and against itself."""

from functools import partial

import numpy as np
import pytest
import torch
from plain_stylegan2 import plain_synthesis, random_state

from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.layouts import to_canonical
from photodrag.weights.formats.stylegan2_canonical import build_stylegan2
from photodrag.weights.networks.stylegan2 import StyleGAN2

CHECKPOINTS = [
    "nvidia-ada-skip-32.pkl",
    "nvidia-ada-conditional-16.pkl",
    "nvidia-sg3repo-stylegan2-32.pkl",
    "legacy-tf-16.pkl",
    "rosinality-16.pt",
]
ARCHITECTURES = ["skip", "resnet", "orig"]
CHANNELS = (8, 6, 5)


@pytest.fixture(scope="module", params=CHECKPOINTS)
def checkpoint(request, golden) -> tuple[StyleGAN2, dict[str, torch.Tensor]]:
    """A checkpoint's generator, and what the reference code computed with it."""
    path = golden / request.param
    figures = np.load(path.with_suffix(".npz"))
    generator = build_stylegan2(*to_canonical(open_checkpoint(path).content))
    return generator, {name: torch.from_numpy(figures[name]) for name in figures}


def small(architecture="skip", dtype=torch.float32, arguments=None, **sizes) -> StyleGAN2:
    state = random_state(CHANNELS, architecture=architecture, **sizes)
    return build_stylegan2(state, arguments or {}).to(dtype)


def codes(count=2, dtype=torch.float32, seed=1) -> torch.Tensor:
    return torch.randn(count, 2 * len(CHANNELS), 8, generator=torch.Generator().manual_seed(seed)).to(dtype)


def note(calls: list[str], name: str, *_) -> None:
    calls.append(name)


def close(actual, expected, atol=1e-4):
    torch.testing.assert_close(actual, expected, atol=atol, rtol=0)


def test_what_it_says_of_itself(checkpoint):
    generator, expected = checkpoint
    assert generator.resolution == expected["image_noise_const"].shape[-1]
    assert generator.z_dim == expected["z"].shape[1]
    assert (generator.num_ws, generator.w_dim) == expected["wplus"].shape[1:]
    assert generator.c_dim == (expected["c"].shape[1] if "c" in expected else 0)
    assert generator.w_avg.shape == (generator.w_dim,)
    assert not generator.training
    assert not any(parameter.requires_grad for parameter in generator.parameters())
    assert {tensor.dtype for tensor in generator.state_dict().values()} == {torch.float32}


def test_mapping_agrees_with_the_reference(checkpoint):
    generator, expected = checkpoint
    c = expected["c"] if generator.c_dim else None
    if "w" in expected:  # rosinality's code has no broadcasting and no truncation of its own
        w_plus = generator.mapping(expected["z"])
        close(w_plus, expected["w"].unsqueeze(1).expand_as(w_plus), 1e-5)
        close(generator.w_avg, expected["latent_avg"], 0)
    else:
        close(generator.mapping(expected["z"], c), expected["ws"], 1e-5)
        close(generator.mapping(expected["z"], c, psi=0.6), expected["ws_truncated"], 1e-5)
        close(generator.mapping(expected["z"], c, psi=0.6, cutoff=3), expected["ws_truncated_cutoff3"], 1e-5)


@pytest.mark.parametrize("noise", ["const", "none"])
def test_synthesis_agrees_with_the_reference(checkpoint, noise):
    generator, expected = checkpoint
    if f"image_noise_{noise}" in expected:
        close(generator.synthesis(expected["wplus"], noise), expected[f"image_noise_{noise}"])
    else:
        image = generator.synthesis(expected["wplus"], noise)
        assert (image - expected["image_noise_const"]).abs().max() > 0.1


def test_features_agree_with_the_reference(checkpoint):
    generator, expected = checkpoint
    for name, features in expected.items():
        if name.startswith("feature_b"):
            close(generator.features(expected["wplus"], int(name[9:])), features)


@pytest.mark.parametrize("clamp", [None, 0.5])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_agrees_with_the_plain_form(architecture, clamp):
    state = random_state(CHANNELS, architecture=architecture)
    generator = build_stylegan2(state, {"conv_clamp": clamp})
    for noise in ("const", "none"):
        image, blocks = plain_synthesis(state, codes(), clamp, noise == "const")
        close(generator.synthesis(codes(), noise), image, 1e-5)
        for i, block in enumerate(blocks):
            close(generator.features(codes(), 4 << i, noise), block, 1e-5)
    if clamp:
        unclamped = small(architecture).synthesis(codes())
        assert (generator.synthesis(codes()) - unclamped).abs().max() > 0.1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_is_its_pictures(architecture):
    generator = small(architecture)
    single = torch.cat([generator.synthesis(w_plus) for w_plus in codes(3).split(1)])
    close(generator.synthesis(codes(3)), single, 1e-5)
    assert (single[0] - single[1]).abs().max() > 0.1


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_are_the_slopes(architecture, count):
    """With respect to a code and to every weight, in double precision."""
    generator = small(architecture, torch.float64, {"conv_clamp": 3})
    names = [name for name, _ in generator.synthesis.named_parameters()]

    def picture(w_plus, *values):
        return torch.func.functional_call(generator.synthesis, dict(zip(names, values, strict=True)), (w_plus,))

    values = [parameter.detach().clone().requires_grad_() for parameter in generator.synthesis.parameters()]
    assert torch.autograd.gradcheck(
        picture, (codes(count, torch.float64).requires_grad_(), *values), fast_mode=True, atol=1e-6
    )


def test_gradient_of_features():
    generator, w_plus = small(dtype=torch.float64), codes(1, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda w_plus: generator.features(w_plus, 8), w_plus)
    (gradient,) = torch.autograd.grad(generator.features(w_plus, 8).sum(), w_plus)
    assert not gradient[:, 3:].any()
    assert gradient[:, :3].any(2).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_features_read_and_compute_nothing_beyond_their_block(architecture):
    whole = small(architecture)
    for i, resolution in enumerate((4, 8, 16)):
        x, calls = whole.features(codes(), resolution), []
        generator = small(architecture)
        for name, module in generator.synthesis.named_modules():
            module.register_forward_hook(partial(note, calls, name))
        for name, tensor in generator.state_dict().items():
            if ".torgb." in name or any(name.startswith(f"synthesis.b{4 << later}.") for later in range(i + 1, 3)):
                tensor.fill_(float("nan"))
        w_plus = codes()
        w_plus[:, 2 * i + 1 :] = float("nan")
        assert torch.equal(generator.features(w_plus, resolution), x)
        assert {name for name in calls if "." not in name} == {f"b{4 << earlier}" for earlier in range(i + 1)}
        assert not any("torgb" in name for name in calls)


@pytest.mark.parametrize("resolution", [0, 1, 2, 3, 5, 12, 32, 64, -8])
def test_features_at_other_resolutions(resolution):
    with pytest.raises(ValueError, match="features are there at 4, 8, … 16"):
        small().features(codes(), resolution)


def test_unknown_noise():
    with pytest.raises(ValueError, match="noise is"):
        small().synthesis(codes(), "random")
    with pytest.raises(ValueError, match="noise is"):
        small().features(codes(), 8, noise="random")


def test_without_noise_in_the_file():
    state = random_state(CHANNELS)
    quiet = build_stylegan2({name: tensor for name, tensor in state.items() if ".noise_" not in name}, {})
    expected, _ = plain_synthesis(state, codes(), noise=False)
    close(quiet.synthesis(codes()), expected, 1e-5)


def test_classes():
    z, c = torch.randn(2, 8), torch.eye(2, 3)
    with pytest.raises(ValueError, match="no classes"):
        small().mapping(z, c)
    generator = small(c_dim=3)
    with pytest.raises(ValueError, match=r"give c \[N, 3\]"):
        generator.mapping(z)
    assert (generator.mapping(z, c) - generator.mapping(z, c.roll(1, 1))).abs().max() > 0.1


def test_classes_alone():
    """A network without z, by the formula: normalised embedding, then the layers."""
    state = random_state(CHANNELS, z_dim=0, c_dim=3)
    w = torch.eye(3) @ state["mapping.embed.weight"].t() / 3**0.5 + state["mapping.embed.bias"]
    w = w / (w.square().mean(1, keepdim=True) + 1e-8).sqrt()
    for i in range(2):
        w = w @ state[f"mapping.fc{i}.weight"].t() * (0.02 / 8**0.5) + state[f"mapping.fc{i}.bias"] * 0.02
        w = torch.nn.functional.leaky_relu(w, 0.2) * 2**0.5
    generator = build_stylegan2(state, {"lr_multiplier": 0.02})
    assert generator.z_dim == 0
    close(generator.mapping(torch.empty(3, 0), torch.eye(3))[:, 5], w, 1e-5)


@pytest.mark.parametrize("count", [1, 2])
def test_half_precision_is_near(count, monkeypatch):
    """The blocks that a GPU computes in half precision, here on the CPU, styles and weights large enough
    to leave that format's range if they were not normalised."""
    state = random_state(CHANNELS)
    for name in state:
        if name.endswith((".affine.bias", "conv0.weight", "conv1.weight")):
            state[name] = state[name] * 200
    generator = build_stylegan2(state, {"num_fp16_res": 2})
    expected = generator.synthesis(codes(count))
    monkeypatch.setattr("photodrag.weights.networks.stylegan2.has_fast_half", lambda device: True)
    half = generator.synthesis(codes(count))
    assert half.dtype == torch.float32
    assert generator.features(codes(count), 16).dtype == torch.float32
    close(half, expected, 0.01 * expected.abs().max().item())
    assert not torch.equal(half, expected)
