"""Perceptual path length, against closed forms on a linear generator."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from photodrag.invert import perceptual
from photodrag.pipeline.cli import main
from photodrag.pipeline.measures import kept
from photodrag.pipeline.measures.path_length import (
    PathLengthSettings,
    compared,
    ends,
    interval,
    path_length,
    slerp,
    without_outliers,
)
from photodrag.weights import UserError


class Linear:
    """The picture is a matrix times w, and w is z: in float64, for steps of 1e-4."""

    resolution, z_dim, w_dim, num_ws, c_dim, digest, subject = 32, 6, 6, 2, 0, "linear", None

    def __init__(self):
        random = torch.Generator().manual_seed(0)
        self.matrix = torch.randn(3 * 32 * 32, 6, generator=random, dtype=torch.float64)
        self.w_avg, self.drawn = torch.zeros(6), 0

    def mapping(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return z.double()[:, None].repeat(1, 2, 1)

    def synthesis(self, w_plus: Tensor) -> Tensor:
        self.drawn += 1
        return (w_plus[:, 0] @ self.matrix.T).view(-1, 3, 32, 32)


def euclidean(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().flatten(1).sum(1)


PLAIN = PathLengthSettings(crop=False)


def pairs(samples: int, seed: int = 0) -> np.ndarray:
    """The z of each pair, as they are drawn: [N, 2, 6]."""
    return np.stack([np.random.RandomState([seed, i]).randn(2, 6) for i in range(samples)]).astype(np.float32)


@pytest.mark.parametrize("sampling", ["full", "end"])
def test_of_a_linear_generator_in_w_it_is_the_length_of_the_whole_way(sampling, empty_cache):
    """|G(w + eps · d) − G(w)|² / eps² = |A d|², wherever on the way: its mean without the outliers."""
    toy = Linear()
    settings = PathLengthSettings(sampling=sampling, crop=False)
    found = path_length(toy, euclidean, settings, 200)
    ways = pairs(200)[:, 1] - pairs(200)[:, 0]
    lengths = ((ways @ toy.matrix.numpy().T) ** 2).sum(1)
    ordered = np.sort(lengths)
    assert found.value == pytest.approx(ordered[1:-1].mean(), rel=1e-3)  # the first and the last of 200 are cut
    assert found.low < found.value < found.high and found.samples == 200


def test_in_z_it_is_the_length_of_an_arc(empty_cache):
    """On the unit sphere a way of share eps has the length eps · angle; A is an isometry here, but for a factor."""
    toy = Linear()
    toy.matrix = 3 * torch.eye(3 * 32 * 32, 6, dtype=torch.float64)
    found = path_length(toy, euclidean, PathLengthSettings(space="z", sampling="full", crop=False), 200)
    a, b = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in pairs(200).transpose(1, 0, 2))
    angles = np.sort(np.arccos((a * b).sum(1)))
    assert found.value == pytest.approx(9 * (angles[1:-1] ** 2).mean(), rel=2e-2)


def test_great_circles():
    a, b = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(0)).double()
    one = lambda x: x / x.norm()  # noqa: E731
    assert torch.allclose(slerp(a, b, 0.0), one(a)) and torch.allclose(slerp(a, b, 1.0), one(b))
    assert torch.allclose(slerp(a, b, 0.5), one(one(a) + one(b)))


@pytest.mark.parametrize(
    "side, program, crop, expected",
    [
        (1024, "stylegan2", True, 256),
        (1024, "ada", True, 128),
        (1024, "stylegan2", False, 256),
        (512, "ada", True, 128),
        (512, "stylegan2", True, 256),
        (256, "ada", True, 128),
        (64, "stylegan2", True, 32),
    ],
)
def test_where_the_two_programs_differ(side, program, crop, expected):
    rows = torch.arange(side).float().view(1, 1, side, 1).expand(1, 1, side, side)
    seen = compared(rows, PathLengthSettings(crop=crop, program=program))
    assert seen.shape[-2:] == (expected, expected)
    first, last = (3 * side / 8, 7 * side / 8) if crop else (0, side)
    assert seen.mean() == pytest.approx((first + last - 1) / 2, rel=1e-4)  # rows 3c to 7c


def test_outliers_are_cut_at_percentiles_rounded_outward():
    """Of 1001 values the 10th and the 990th are percentiles themselves, and stay."""
    values = np.random.RandomState(0).permutation(np.r_[np.arange(1000.0), 1e9])
    assert without_outliers(values) == pytest.approx(np.arange(10, 991).mean())


def test_the_interval_holds_the_truth_nineteen_times_of_twenty():
    random, hits = np.random.RandomState(1), 0
    for _ in range(60):
        low, high = interval(random.normal(5, 1, 80), np.random.RandomState(2))
        hits += low <= 5 <= high
    assert 50 <= hits <= 60


def test_a_run_goes_on_where_it_was_and_a_longer_one_begins_there(empty_cache, monkeypatch):
    toy, monkey = Linear(), KeyboardInterrupt
    monkeypatch.setattr(kept, "EVERY", 0.0)

    def stopping(done: int, total: int) -> None:
        if done == 30:
            raise monkey

    with pytest.raises(monkey):
        path_length(toy, euclidean, PLAIN, 50, told=stopping)
    before = toy.drawn
    found = path_length(toy, euclidean, PLAIN, 50)
    assert toy.drawn - before == 2 * (50 - 29)
    fresh = Linear()
    fresh.digest = "another"
    assert path_length(fresh, euclidean, PLAIN, 50) == found
    before = toy.drawn
    path_length(toy, euclidean, PLAIN, 60)
    assert toy.drawn - before == 20
    assert path_length(toy, euclidean, PLAIN, 50) == found and toy.drawn - before == 20


def test_classes_are_drawn_or_chosen(golden, empty_cache):
    from photodrag import weights

    generator = weights.load(golden / "nvidia-ada-conditional-16.pkl")
    chosen = [ends(generator, PLAIN, number, 2)[0] for number in range(3)]
    drawn = [ends(generator, PLAIN, number)[0] for number in range(12)]
    assert not torch.equal(chosen[0], chosen[1])
    assert sum(torch.equal(a, b) for a, b in zip(chosen, drawn, strict=False)) < 3


def test_too_small_a_picture_is_told(empty_cache):
    toy = SimpleNamespace(resolution=32)  # of which the crop has 16
    with pytest.raises(UserError, match="too small"):
        path_length(toy, euclidean, PathLengthSettings())


def test_the_command_says_which_figure_it_is(golden, cache, capsys, monkeypatch):
    monkeypatch.setattr(perceptual, "load", lambda *_: euclidean)
    arguments = ["measure", str(golden / "nvidia-ada-skip-32.pkl"), "--path-length", "--samples", "20"]
    assert main([*arguments, "--end", "--space", "z", "--distance", "st-lpips-vgg", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["path_length"]
    assert found["name"] == "ppl2_zend" and not found["comparable"] and found["compared_at"] == 32
    assert found["interval"][0] <= found["value"] <= found["interval"][1]
    assert main([*arguments, "--program", "ada"]) == 0
    told = capsys.readouterr().out
    assert "ppl2_wfull" in told and "ada" in told and "can't be compared" not in told


def test_without_the_backbone_a_sentence_names_what_there_is(golden, cache, capsys, monkeypatch):
    def none(*_):
        raise UserError("Could not fetch vgg16.pth.")

    monkeypatch.setattr(perceptual, "load", none)
    assert main(["measure", str(golden / "nvidia-ada-skip-32.pkl"), "--path-length", "--samples", "20"]) == 2
    assert "--distance st-lpips-vgg" in capsys.readouterr().err
    assert main(["measure"]) == 2 and "--path-length" in capsys.readouterr().err
