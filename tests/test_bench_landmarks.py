"""The landmark benchmark: what it prints and writes, when it fails, and that its figures are what they say."""

import json
import subprocess
import sys
from pathlib import Path

import landmarks as bench
import numpy as np
import pytest
from click.testing import CliRunner

SCRIPT = Path(__file__).parent / "bench" / "landmarks.py"


def test_a_short_run(cache, tmp_path):
    """Three pairs, one point, two steps: a face stays found, and two steps of ours come nearer than none."""
    arguments = ["--pairs", "3", "--points", "1", "--steps", "2", "--methods", "photodrag", "--json", "out.json"]
    command = [sys.executable, SCRIPT, *arguments, "--sheet", "out.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    first, heads, still, ours, last = done.stdout.splitlines()
    assert first.startswith("3 pairs of seed 0; 0 drawn anew")
    columns = heads.replace("% eyes", "%").split()
    assert columns == ["method", "points", "px", "%", "lost", "identity", "rms", "steps", "seconds", "GiB"]
    assert still.startswith("no edit ") and ours.split()[:2] == ["photodrag", "1"]
    printed = dict(zip(columns[2:], map(float, ours.split()[2:]), strict=True))
    assert last == f"mean distance px at 512: photodrag 1:{printed['px']:.1f}"
    assert printed["steps"] == 2 and printed["lost"] == 0 and printed["seconds"] > 0 and 0.2 < printed["GiB"] < 4

    facts = json.loads((tmp_path / "out.json").read_text())
    assert [facts[key] for key in ("pairs", "seed", "steps", "points", "redrawn")] == [3, 0, 2, [1], 0]
    none, moved = facts["rows"]
    assert abs(moved["distance"] - printed["px"]) < 0.006 and moved["distance"] < none["distance"]
    assert none["identity"] == 0 and none["steps"] == 0 and moved["identity"] > 0
    each = [one["distance"] for one in facts["each"] if one["method"] == "photodrag"]
    assert len(each) == 3 and np.mean(each) == pytest.approx(moved["distance"])
    assert (tmp_path / "out.png").is_file()


def figures(method: str, pair: int, lost: bool = False) -> dict:
    found = {} if lost else {"distance": 2.0 + 2 * pair, "share": 1.0, "identity": 0.2}
    common = {"method": method, "points": 5, "pair": pair, "lost": lost, "rms": 0.7, "steps": 9, "reason": "arrived"}
    return common | found | {"seconds": 1.0, "memory": 1.0, "picture": np.zeros((8, 8, 3), np.uint8)}


@pytest.mark.parametrize("loser, code", [("photodrag", 1), ("draggan", 0), ("", 0)])
def test_it_fails_where_photodrag_loses_a_face(monkeypatch, loser, code):
    def alone(work, *arguments):
        if work is bench.draw:
            return [], 4
        return [figures(arguments[0], pair, lost=pair == 1 and arguments[0] == loser) for pair in range(2)]

    monkeypatch.setattr(bench, "alone", alone)
    done = CliRunner().invoke(bench.main, ["--pairs", "2", "--points", "5", "--methods", "draggan,photodrag"])
    assert done.exit_code == code and "4 drawn anew" in done.output
    means = ["draggan 5:" + ("2.0" if loser == "draggan" else "3.0"), "photodrag 5:" + ("2.0" if code else "3.0")]
    assert done.output.splitlines()[-1] == f"mean distance px at 512: {' | '.join(means)}"


@pytest.fixture
def small(cache, golden, monkeypatch):
    """The name of a generator of 32², in a process that goes on to give memory back."""
    monkeypatch.setattr(bench.weights, "keep_freed_memory", lambda: None)
    return str(golden / "nvidia-ada-skip-32.pkl")


def test_pairs_without_a_face_are_drawn_anew(small, monkeypatch):
    """The second pair's goal shows none, so the third is the second: the codes are those of the seed's z in order."""
    marks = iter([1, 2, 3, None, 5, 6])
    monkeypatch.setattr(bench, "landmarks", lambda picture: next(marks))
    pairs, missed = bench.draw(small, 2, seed=7)
    assert missed == 1 and [(pair.start, pair.goal) for pair in pairs] == [(1, 2), (5, 6)]
    generator = bench.weights.load(small)
    z = bench.torch.from_numpy(np.random.RandomState(7).randn(6, generator.z_dim)).float()
    wanted = generator.mapping(z, psi=0.7)[[0, 4]].numpy()
    assert np.allclose(np.concatenate([pair.w_plus for pair in pairs]), wanted, atol=1e-5)


def test_lengths_are_those_of_a_512_picture(small, monkeypatch):
    """A detector to which nothing has moved: the goal is a pixel of 32 away, so 16 of 512, and nothing is left."""
    start = np.random.RandomState(0).uniform(8, 24, (68, 2))
    goal = start + np.array([0.6, 0.8])
    w_plus = bench.weights.load(small).w_avg.expand(1, 8, -1).numpy()
    pair = bench.Pair(w_plus, start, goal, [])
    monkeypatch.setattr(bench, "landmarks", lambda picture: start)
    (got,) = bench.measure("draggan", [pair], bench.Options(small, [5], steps=2, back=True))
    assert got["distance"] == pytest.approx(16) and got["left"] == pytest.approx(0) and got["back"] > 0
    assert got["share"] == pytest.approx(100 / np.hypot(*(start[45] - start[36])))
    assert got["steps"] == 2 and got["reason"] == "step limit" and not got["lost"]
    (still,) = bench.measure("no edit", [pair], bench.Options(small, [5], steps=2, back=True))
    assert still["distance"] == pytest.approx(16) and still["back"] == 0 and still["steps"] == 0


def test_a_method_that_loses_every_face_has_no_mean():
    rows = bench.summary([figures("draggan", pair, lost=True) for pair in range(2)])
    assert rows[0]["lost"] == 2 and rows[0]["distance"] is None
    assert bench.brief("draggan", rows) == "draggan 5:lost" and "–" in bench.table(rows, back=False)


def test_wrong_names_are_refused():
    for wrong in (["--methods", "dragon"], ["--points", "7"], ["--points", "nose"]):
        done = CliRunner().invoke(bench.main, wrong)
        assert done.exit_code == 2 and "there are the methods" in done.output
