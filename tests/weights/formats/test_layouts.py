"""Foreign layouts of StyleGAN2's weights → the canonical one, and what is refused in words."""

import copy
import json

import numpy as np
import pytest
import safetensors.torch
import torch
from plain_stylegan2 import random_state

from photodrag.weights import UserError
from photodrag.weights.formats.canonical import MAX_NUMBERS
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.families import build
from photodrag.weights.formats.layouts import identify, to_canonical
from photodrag.weights.formats.placeholders import Shell
from photodrag.weights.formats.stylegan2_canonical import build_stylegan2

LAYOUTS = {
    "nvidia-ada-skip-32.pkl": "nvidia",
    "nvidia-ada-conditional-16.pkl": "nvidia",
    "nvidia-sg3repo-stylegan2-32.pkl": "nvidia",
    "legacy-tf-16.pkl": "tensorflow",
    "rosinality-16.pt": "rosinality",
    "nvidia-sg3t-64.pkl": "nvidia",
    "nvidia-sg3r-64.pkl": "nvidia",
    "stylegan1-tf-64.pkl": "tensorflow",
    "progan-tf-64.pkl": "tensorflow",
    "progan-tf-32-growing.pkl": "tensorflow",
    "rosinality-stylegan1-128.model": "style-based",
}


@pytest.fixture
def opened(golden):
    """What a golden checkpoint holds, opened anew, so that a test may change it."""
    return lambda name: copy.deepcopy(open_checkpoint(golden / name).content)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_told_apart(opened, name):
    assert identify(opened(name)) == LAYOUTS[name]


@pytest.mark.parametrize("name", LAYOUTS)
def test_canonical_state(opened, name, tmp_path):
    """In float32, as JSON and safetensors can keep it, and the same network when they are read again."""
    state, arguments = to_canonical(opened(name))
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    safetensors.torch.save_file(state, tmp_path / "kept.safetensors", {"arguments": json.dumps(arguments)})
    kept = open_checkpoint(tmp_path / "kept.safetensors")
    generator, again = build(state, arguments), build(kept.content, kept.arguments)
    w_plus = torch.randn(1, generator.num_ws, generator.w_dim)
    assert torch.equal(generator.synthesis(w_plus), again.synthesis(w_plus))
    assert type(again) is type(generator) and kept.arguments == arguments


def test_arguments_in_effect(opened):
    def arguments(name):
        return to_canonical(opened(name))[1]

    plain = {"conv_clamp": None, "lr_multiplier": 0.01, "num_fp16_res": 0, "activation": "lrelu"}
    assert arguments("nvidia-ada-skip-32.pkl") == plain
    assert arguments("nvidia-ada-conditional-16.pkl") == plain | {"conv_clamp": 256, "num_fp16_res": 2}
    assert arguments("nvidia-sg3repo-stylegan2-32.pkl") == plain | {
        "conv_clamp": 256,
        "num_fp16_res": 3,
    }  # its defaults
    raw = opened("legacy-tf-16.pkl")
    assert to_canonical(raw)[1] == plain
    raw[2].state["static_kwargs"] |= {"conv_clamp": 256, "mapping_lrmul": 0.1, "num_fp16_res": 4}
    assert to_canonical(raw)[1] == plain | {"conv_clamp": 256, "lr_multiplier": 0.1, "num_fp16_res": 4}


def test_the_averaged_generator_is_preferred(opened):
    raw = opened("nvidia-ada-skip-32.pkl")
    averaged, _ = to_canonical(raw)
    raw["G"] = shifted = copy.deepcopy(raw["G_ema"])
    shifted.arguments[0]["state"]["_modules"]["mapping"].arguments[0]["state"]["_buffers"]["w_avg"].add_(1)
    assert torch.equal(to_canonical(raw)[0]["mapping.w_avg"], averaged["mapping.w_avg"])
    raw["G_ema"] = None
    assert torch.equal(to_canonical(raw)[0]["mapping.w_avg"], averaged["mapping.w_avg"] + 1)

    g, d, averaged = opened("legacy-tf-16.pkl")
    expected = to_canonical((g, d, averaged))[0]["mapping.w_avg"]
    assert torch.equal(to_canonical((averaged, d, g))[0]["mapping.w_avg"], expected)  # this g has no tensors


def test_tensorflow_residual_and_classes(opened):
    """Names that no golden file has: the way past a block, and the embedding of classes."""
    raw = opened("legacy-tf-16.pkl")
    chance = np.random.default_rng(0)
    skip = chance.standard_normal((1, 1, 32, 32), dtype=np.float32)
    embed = chance.standard_normal((5, 32), dtype=np.float32)
    parts = raw[2].state["components"]
    parts["synthesis"].state["variables"].append(("8x8/Skip/weight", skip))
    parts["mapping"].state["variables"].append(("LabelEmbed/weight", embed))
    parts["mapping"].state["variables"].append(("LabelEmbed/bias", embed[0]))
    state, _ = to_canonical(raw)
    assert np.array_equal(state["synthesis.b8.skip.weight"][:, :, 0, 0], skip[0, 0].T)
    assert state["synthesis.b8.skip.resample_filter"].shape == (4, 4)
    assert np.array_equal(state["mapping.embed.weight"], embed.T)
    assert np.array_equal(state["mapping.embed.bias"], embed[0])


def test_rosinality_without_its_mean(opened):
    """As its training saves it: the mean of mapped z, within what 10,000 samples leave open."""
    raw = opened("rosinality-16.pt")
    generator = build_stylegan2(*to_canonical(raw))
    del raw["latent_avg"]
    mean = build_stylegan2(*to_canonical(raw)).w_avg
    w = generator.mapping(torch.randn(20_000, generator.z_dim, generator=torch.Generator().manual_seed(7)))[:, 0]
    off = (w.mean(0) - mean) / (w.std(0) * (1 / 20_000 + 1 / 10_000) ** 0.5)
    assert off.abs().max() < 5
    assert (mean - generator.w_avg).abs().max() > 0.01  # the file's own is another


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {"state_dict": {}},
        {"g_ema": {"L0_36_1024.weight": torch.zeros(1)}},
        {"G_ema": Shell("training.networks", "Generator")},
        {"G_ema": Shell("torch_utils.persistence", "_reconstruct_persistent_obj", ("text",))},
        (Shell("dnnlib.tflib.network", "Network"),) * 3,
        torch.zeros(3),
    ],
    ids=str,
)
def test_what_is_no_stylegan2(raw):
    with pytest.raises(UserError, match="no checkpoint of a known generator"):
        identify(raw)


def refused(raw, match):
    with pytest.raises(UserError, match=match) as caught:
        build(*to_canonical(raw))
    assert caught.value.exit_code == 2


def test_refused_nvidia(opened):
    name = "nvidia-ada-skip-32.pkl"

    def modules(raw, *path):
        state = raw["G_ema"].arguments[0]["state"]
        for part in path:
            state = state["_modules"][part].arguments[0]["state"]
        return state

    raw = opened(name)
    modules(raw)["_modules"]["synthesis"] = "text"
    refused(raw, "module synthesis has no state")
    raw = opened(name)
    modules(raw, "synthesis", "b4")["_parameters"]["const"] = "text"
    refused(raw, "'synthesis.b4.const' is no tensor")
    raw = opened(name)
    modules(raw, "synthesis", "b8", "conv1")["_parameters"] = None
    refused(raw, "synthesis.b16.conv0")  # without conv1 of b8 the network seems to end before it
    raw = opened(name)
    modules(raw, "mapping", "fc0")["activation"] = "relu"
    refused(raw, "argument activation is 'relu'")
    raw = opened(name)
    modules(raw, "synthesis", "b4", "conv1")["conv_clamp"] = "wide"
    refused(raw, "argument conv_clamp is 'wide'")
    raw = opened(name)
    modules(raw, "synthesis")["_modules"]["input"] = modules(raw)["_modules"]["mapping"]
    refused(raw, "'synthesis.input.* has no place")


def test_refused_tensorflow(opened):
    name = "legacy-tf-16.pkl"
    raw = opened(name)
    raw[2].state["static_kwargs"]["normalize_latents"] = False
    refused(raw, "normalize_latents is 'False'")
    raw = opened(name)
    raw[2].state["static_kwargs"]["resample_kernel"] = [1, 3, 3, 1]
    to_canonical(raw)
    raw[2].state["static_kwargs"]["resample_kernel"] = [1, 1]
    refused(raw, "resample_kernel is another filter")
    for variable, match in {
        ("LabelConcat/weight", np.float32(1)): "'mapping/LabelConcat/weight' has no place",
        ("Dense0/bias", "text"): "no name or no value",
        ("Dense9/bias", np.float32(1)): r"mapping.fc9.bias",
    }.items():
        raw = opened(name)
        raw[2].state["components"]["mapping"].state["variables"].append(variable)
        refused(raw, match)
    raw = opened(name)
    raw[2].state["components"]["mapping"] = None
    refused(raw, "part 'mapping' is no network")
    raw = opened(name)
    raw[2].state["components"]["mapping"].state["variables"] = None
    refused(raw, "mapping.fc0.weight is missing")


def test_refused_rosinality(opened):
    name = "rosinality-16.pt"
    raw = opened(name)
    raw["g_ema"]["convs.99.conv.weight"] = torch.zeros(1)
    refused(raw, "has no place")
    raw = opened(name)
    raw["g_ema"]["style.01.bias"] = torch.zeros(32)
    refused(raw, r"two of its tensors are mapping\.fc0\.bias")
    raw = opened(name)
    raw["g_ema"]["encoder.weight"] = torch.zeros(1)
    refused(raw, "'encoder.weight' has no place")
    raw = opened(name)
    raw["g_ema"]["input.input"] = "text"
    refused(raw, "'input.input' is no tensor")
    raw = opened(name)
    raw["latent_avg"] = torch.zeros(6, 32)
    refused(raw, "mapping.w_avg has the shape")


def test_refused_stylegan3(opened):
    def synthesis(raw, *path):
        state = raw["G_ema"].arguments[0]["state"]["_modules"]["synthesis"].arguments[0]["state"]
        for part in path:
            state = state["_modules"][part].arguments[0]["state"]
        return state

    name = "nvidia-sg3t-64.pkl"
    for part, key, value, match in [
        ("input", "size", "36", "its input has no size"),
        ("input", "size", np.array([36, 38]), "its input has no size"),
        ("input", "bandwidth", None, "bandwidth of its input is absurd"),
        ("L0_36_8", "tmp_sampling_rate", 40, "argument upsampling is '2.5'"),
        ("L0_36_8", "conv_clamp", -1, "argument conv_clamp"),
        ("L4_52_8", "out_sampling_rate", 2.5, "argument rates"),
        ("L14_64_3", "out_sampling_rate", 16, "aren't of the picture's side"),
    ]:
        raw = opened(name)
        synthesis(raw, part)[key] = value
        refused(raw, match)
    for part, buffer, value, match in [
        ("L3_36_8", "down_filter", None, "L3_36_8.down_filter is missing"),
        ("L3_36_8", "up_filter", torch.zeros(0), "is no filter"),
        ("L3_36_8", "up_filter", torch.zeros(3, 3), "up_filter has the shape"),
        ("input", "freqs", torch.zeros(8, 3), "freqs has the shape"),
        ("L14_64_3", "down_filter", torch.zeros(3), "has no place"),
    ]:
        raw = opened(name)
        synthesis(raw, part)["_buffers"][buffer] = value
        refused(raw, match)
    raw = opened(name)
    del synthesis(raw)["_modules"]["L7_52_8"]
    refused(raw, "its layers aren't complete")


@pytest.mark.parametrize(
    "name, static, match",
    [
        ("stylegan1-tf-128.pkl", {"use_instance_norm": False}, "use_instance_norm is 'False'"),
        ("stylegan1-tf-128.pkl", {"blur_filter": None}, "blur_filter is another filter"),
        ("stylegan1-tf-128.pkl", {"fused_scale": "perhaps"}, "fused_scale is 'perhaps'"),
        ("stylegan1-tf-128.pkl", {"mapping_lrmul": "0.01"}, "mapping_lrmul is '0.01'"),
        ("progan-tf-64.pkl", {"use_pixelnorm": False}, "use_pixelnorm is 'False'"),
        ("progan-tf-64.pkl", {"pixelnorm_epsilon": -1.0}, "argument epsilon is '-1.0'"),
        ("progan-tf-64.pkl", {"label_size": 24}, "sizes of its tensors are absurd"),
        ("progan-tf-64.pkl", {"label_size": None}, "argument classes is 'None'"),
    ],
)
def test_refused_arguments_of_the_older_ones(opened, name, static, match):
    raw = opened(name)
    raw[2].state["static_kwargs"] |= static
    refused(raw, match)


@pytest.mark.parametrize("name", ["stylegan1-tf-64.pkl", "progan-tf-64.pkl"])
def test_refused_variables_of_the_older_ones(opened, name):
    parts = ["synthesis"] if name.startswith("style") else []
    for variable, match in [
        (("ToRGB_lod7/weight", np.zeros((1, 1, 32, 3), np.float32)), "ToRGB_lod7/weight' has no place"),
        (("8x8/Conv2/weight", np.zeros((3, 3, 32, 32), np.float32)), "8x8/Conv2/weight' has no place"),
        (("8x8/Conv1/weight", np.zeros((3, 3), np.float32)), "b8.conv1.weight has the shape"),
    ]:
        raw = opened(name)
        network = raw[2].state
        for part in parts:
            network = network["components"][part].state
        network["variables"].append(variable)
        refused(raw, match)
    for level, match in ((np.zeros(2, np.float32), "no number"), (np.float32(-1), "argument lod is '-1.0'")):
        raw = opened(name)
        raw[2].state["variables"].append(("lod", level))
        refused(raw, match)


def test_refused_style_based(opened):
    name = "rosinality-stylegan1-128.model"
    for tensor, value, match in [
        ("generator.progression.99.conv2.conv.bias", torch.ones(4), "more than 11 blocks"),
        ("generator.progression.1.conv3.conv.bias", torch.ones(4), "has no place"),
        ("style.1.linear.bias", torch.ones(3), "fc0.bias has the shape"),
        ("style.0.linear.bias", torch.ones(24), "two of its tensors are mapping.fc0.bias"),
        ("generator.progression.6.conv1.1.weight", torch.ones(8, 2, 3, 3), "two of its tensors are"),
        ("generator.to_rgb.2.conv.weight_orig", torch.ones(()), "torgb.weight has the shape"),
    ]:
        raw = opened(name)["g_running"]
        raw[tensor] = value
        refused(raw, match)
    raw = opened(name)["g_running"]
    del raw["style.1.linear.bias"]
    refused(raw, "mapping.fc0.bias is missing")


def test_one_tensor_under_many_names_is_not_converted_a_thousand_times(opened):
    raw = opened("rosinality-16.pt")
    large = torch.zeros(1, dtype=torch.float16).expand(MAX_NUMBERS // 100)
    raw["g_ema"] |= {f"style.{i}.weight": large for i in range(1, 102)}
    refused(raw, "more than 268,435,456 numbers")


CHANGES = {
    "missing": (lambda s: s.pop("synthesis.b8.conv0.affine.bias"), "synthesis.b8.conv0.affine.bias is missing"),
    "no mapping": (lambda s: s.pop("mapping.fc0.weight"), "mapping.fc0.weight is missing"),
    "no synthesis": (lambda s: s.pop("synthesis.b4.conv1.weight"), "synthesis.b4.conv1.weight is missing"),
    "left over": (lambda s: s.update(extra=torch.zeros(1)), "'extra' has no place"),
    "half of the noise": (lambda s: s.pop("synthesis.b8.conv1.noise_strength"), "noise_strength is missing"),
    "misshapen": (
        lambda s: s.update({"mapping.w_avg": torch.zeros(9)}),
        r"mapping.w_avg has the shape \[9\] and not \[8\]",
    ),
    "grey and RGB": (
        lambda s: s.update({"synthesis.b4.torgb.weight": torch.zeros(1, 8, 1, 1)}),
        r"torgb.weight has the shape \[1, 8, 1, 1\]",
    ),
    "five channels": (
        lambda s: s.update({"synthesis.b8.torgb.weight": torch.zeros(5, 6, 1, 1)}),
        "pictures have 5 channels",
    ),
    "flat": (lambda s: s.update({"mapping.fc0.weight": torch.zeros(8)}), "and not 2 sizes"),
    "empty": (lambda s: s.update({"mapping.fc0.weight": torch.zeros(8, 0)}), "and not 2 sizes"),
    "not finite": (lambda s: s["synthesis.b4.const"].fill_(float("nan")), "synthesis.b4.const holds .* no finite"),
    "whole numbers": (lambda s: s.update({"mapping.w_avg": torch.ones(8).long()}), "mapping.w_avg holds"),
    "wide": (lambda s: s.update({"mapping.fc1.weight": torch.zeros(1, 1).expand(5000, 8)}), "absurd"),
    "deep": (
        lambda s: s.update({f"mapping.fc{i}.weight": torch.zeros(8, 8) for i in range(65)}),
        "more than 64 mapping layers",
    ),
    "large": (
        lambda s: s.update({f"synthesis.b{4 << i}.conv1.weight": torch.zeros(8, 8, 3, 3) for i in range(12)}),
        "more than 11 blocks",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_refused_states(change):
    spoil, match = CHANGES[change]
    state = random_state((8, 6))
    build_stylegan2(state, {})
    spoil(state)
    with pytest.raises(UserError, match=match):
        build_stylegan2(state, {})


@pytest.mark.parametrize(
    "arguments",
    [
        {"conv_clamp": -1},
        {"conv_clamp": float("nan")},
        {"lr_multiplier": "0.01"},
        {"lr_multiplier": None},
        {"num_fp16_res": -1},
        {"num_fp16_res": 2.5},
        {"activation": "swish"},
        {"synthesis_kwargs": {}},
    ],
    ids=str,
)
def test_refused_arguments(arguments):
    with pytest.raises(UserError, match=f"argument '?{next(iter(arguments))}"):
        build_stylegan2(random_state((8, 6)), arguments)


def test_a_state_is_not_changed_by_its_network():
    state = random_state((8, 6))
    generator = build_stylegan2(state, {})
    generator.synthesis.b4.const.zero_()
    assert state["synthesis.b4.const"].abs().max() > 0


def test_an_upsampling_convolution_of_two_operations(opened):
    """ProGAN's `Conv0` and `Conv0_up` keep the same kernel turned, with its channels the other way round; StyleGAN's
    one kernel is turned or not by an argument, or by the side."""
    raw = opened("progan-tf-64.pkl")
    fused, arguments = to_canonical(raw)
    raw[2].state["variables"] = [
        (name.replace("Conv0_up", "Conv0"), value.transpose(0, 1, 3, 2)[::-1, ::-1].copy())
        if name.endswith("Conv0_up/weight")
        else (name.replace("Conv0_up", "Conv0"), value)
        for name, value in raw[2].state["variables"]
    ]
    unfused, again = to_canonical(raw)
    assert again == arguments and unfused.keys() == fused.keys()
    assert all(torch.equal(unfused[name], fused[name]) for name in fused)

    states = {}
    for fused in ("auto", True, False):
        raw = opened("stylegan1-tf-128.pkl")
        raw[2].state["static_kwargs"]["fused_scale"] = fused
        states[fused], _ = to_canonical(raw)
    for side in (8, 16, 32, 64, 128):
        auto, yes, no = (state[f"synthesis.b{side}.conv0.weight"] for state in states.values())
        assert torch.equal(yes, no.flip(-2, -1)) and torch.equal(auto, yes if side == 128 else no)


def test_classes_of_a_stylegan(opened):
    raw = opened("stylegan1-tf-64.pkl")
    variables = raw[2].state["components"]["mapping"].state["variables"]
    label = np.random.default_rng(0).standard_normal((4, 24), dtype=np.float32)
    wider = [(n, np.concatenate((v, v))) if n == "Dense0/weight" else (n, v) for n, v in variables]
    raw[2].state["components"]["mapping"].state["variables"] = [("LabelConcat/weight", label), *wider]
    state, arguments = to_canonical(raw)
    assert np.array_equal(state["mapping.embed.weight"], label.T)
    generator = build(state, arguments)
    assert (generator.c_dim, generator.z_dim) == (4, 24)
