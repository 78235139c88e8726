"""The benchmark against the truth: how one frame is brought to another's place, and its arithmetic."""

import numpy as np
import pytest
import truth as bench


def test_a_similarity_is_found_again():
    points = np.random.RandomState(0).uniform(0, 100, (9, 2))
    turn = 1.3 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    matrix = bench.similarity(points @ turn.T + (5, -7), points)
    assert np.allclose(matrix, np.column_stack((turn, (5, -7))))


def test_it_is_the_nearest_where_none_is_exact():
    random = np.random.RandomState(1)
    a, b = random.uniform(0, 100, (2, 9, 2))

    def error(matrix: np.ndarray) -> float:
        return np.square(b @ matrix[:, :2].T + matrix[:, 2] - a).sum()

    best = bench.similarity(a, b)
    for column in (0, 2):
        for step in (-1e-3, 1e-3):
            other = best.copy()
            other[0, column] += step
            if column == 0:
                other[1, 1] += step
            assert error(other) > error(best)


def row(pair: str, method: str, landmarks: float, perceptual: float, identity: float, **other) -> dict:
    figures = {"landmarks": landmarks, "perceptual": perceptual, "identity": identity, "lost": False, "seconds": 1.0}
    return {"pair": pair, "method": method} | figures | other


def test_medians_of_parts_of_no_edit_s():
    rows = [
        row("a", bench.NO_EDIT, 0.1, 0.4, 0.5),
        row("b", bench.NO_EDIT, 0.02, 0.2, 0.4),
        row("a", "photodrag", 0.03, 0.2, 0.3),
        row("b", "photodrag", 0.01, 0.1, 0.5, lost=True),
    ]
    rows.append({"pair": "b", "method": "draggan", "seconds": 1.0, "error": "refused"})
    table = bench.summary(rows)
    ours = table["photodrag"]
    assert ours["landmarks_part"] == pytest.approx(0.4) and ours["perceptual_part"] == pytest.approx(0.5)
    assert ours["identity"] == pytest.approx(0.4) and (ours["lost"], ours["failed"]) == (1, 0)
    assert table["draggan"]["failed"] == 2
    assert bench.text_of(table).count("\n") == 3


def test_what_is_asked():
    good = {"landmarks": 0.03, "landmarks_part": 0.3, "perceptual_part": 0.6, "identity": 0.39, "lost": 0, "failed": 0}
    assert bench.verdict(good) == []
    assert bench.verdict(good | {"landmarks_part": 0.5}) == ["landmarks_part 0.500 > 0.35"]
    assert bench.verdict(good | {"landmarks_part": 0.5, "landmarks": 0.012}) == []
    assert bench.verdict(good | {"identity": 0.41, "lost": 1}) == ["identity 0.410 > 0.4", "1 lost"]


def test_pairs_are_of_two_halves():
    assert len(bench.WORK) == len(bench.JUDGE) == 12
    assert max(max(pair) for pair in bench.WORK) < 236 <= min(min(pair) for pair in bench.JUDGE)
