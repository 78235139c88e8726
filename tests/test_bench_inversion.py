"""The inversion benchmark: what it prints and writes, that its peers are the published ones, and its arithmetic."""

import json
import math
import subprocess
import sys
from functools import partial
from pathlib import Path

import curves
import inversion as bench
import inversion_figures as figures
import inversion_peers as peers
import inversion_run as run
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from photodrag import weights
from photodrag.drag import DragSettings
from photodrag.invert import perceptual
from photodrag.invert.crop import Crop
from photodrag.invert.schedule import learning_rate
from photodrag.weights.latent.space import sample_w

BENCH = Path(__file__).parent / "bench"
ASTRONAUT = Path(__file__).parents[1] / "data" / "astronaut.png"


@pytest.fixture(scope="module")
def small(golden):
    """A generator of 32², a crop that it could draw, and a distance: quick to invert with."""
    generator = weights.load(str(golden / "nvidia-ada-skip-32.pkl"))
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        image = generator.synthesis(generator.mapping(z))
    return generator, Crop(image), perceptual.load("st-lpips-alex")


def test_a_short_run(cache, tmp_path, monkeypatch):
    """One step of each stage, and short drags: every figure is there, the second run, of the script itself, takes all
    of it from the first, and a single step is not as good as is asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench.weights, "keep_freed_memory", lambda: None)
    monkeypatch.setattr(run, "drag", partial(run.drag, settings=DragSettings(steps=3, rounds=1, feature_side=64)))
    arguments = [str(ASTRONAUT), "--steps", "1", "--methods", "nvidia,photodrag-tuned", "--json", "out.json"]
    arguments += ["--plot", "plot.png", "--sheet", "sheet.png"]
    first = CliRunner().invoke(bench.main, arguments)
    assert first.exit_code == 1, first.output
    again = subprocess.run([sys.executable, BENCH / "inversion.py", *arguments], capture_output=True, encoding="utf-8")
    assert (again.returncode, again.stdout) == (1, first.stdout), again.stderr
    assert "WORSE  photodrag-tuned: face" in first.stdout and "0 faces lost (0)" in first.stdout
    facts = json.loads((tmp_path / "out.json").read_text())
    assert [row["method"] for row in facts["each"]] == ["nvidia", "photodrag-tuned"] == [*facts["rows"]]
    nvidia, ours = facts["each"]
    assert nvidia["steps"] == 1 and ours["steps"] == 3  # two stages of a projection, then tuning
    assert 0 < ours["face"] < nvidia["face"] < 1 and 0 < ours["seconds"] < 60 and 0 < ours["a"] < ours["seconds"]
    assert not ours["cut"] and [*ours["drags"]] == ["corner", "brow", "chin"] and ours["drags"]["corner"]["way"] > 0.3
    assert facts["settings"]["nvidia"][0]["steps"] == 1
    assert Image.open(tmp_path / "sheet.png").size == (3 * 256, 256)
    assert Image.open(tmp_path / "plot.png").size == curves.SIZE


def test_the_projectors_schedule_is_nvidias():
    """Learning rates and noise of projector.py at some of its 1000 steps: up by a line for 50, down by a cosine from
    750 on; noise falls by a square until 750."""
    s = peers.ProjectorSettings()
    rates = [learning_rate(step / s.steps, s) for step in (0, 25, 50, 400, 750, 875, 999)]
    last = 0.1 * (0.5 - 0.5 * math.cos(math.pi * 0.004))
    assert rates == pytest.approx([0, 0.05, 0.1, 0.1, 0.1, 0.05, last])
    noise = [peers.noise_scale(step / s.steps, s) for step in (0, 375, 750, 900)]
    assert noise == pytest.approx([0.05, 0.0125, 0, 0])
    assert learning_rate(0.5, peers.PIVOT) == 0.01 and peers.PIVOT.steps == 450


def test_w_stays_w(small):
    """All codes of NVIDIA's are one, which moves, from the mean of the samples; those of W+ part."""
    generator, crop, distance = small
    shared, apart = (
        [seen.w_plus for seen in peers.projector(generator, crop, distance, peers.ProjectorSettings(kind, 4))]
        for kind in (True, False)
    )
    mean = sample_w(lambda z: generator.mapping(z)[:, 0], generator.z_dim).mean(0)
    assert len(shared) == len(apart) == 4
    assert torch.equal(shared[0], mean.expand_as(shared[0]))  # the first step's rate is 0
    assert torch.equal(shared[-1], shared[-1][:, :1].expand_as(shared[-1])) and not torch.equal(shared[-1], shared[0])
    assert not torch.equal(apart[-1], apart[-1][:, :1].expand_as(apart[-1]))


def test_pti_tunes_a_copy(small):
    """The picture comes nearer, by all of the synthesis network, and the generator is what it was."""
    generator, crop, distance = small
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    settings = peers.ProjectorSettings(steps=3, lr=0.01, samples=600), peers.PTISettings(steps=5, enough=0.0)
    errors = []
    with torch.no_grad():
        for seen in peers.pti(generator, crop, distance, *settings):
            errors.append((seen.network.synthesis(seen.w_plus) - crop.image).square().mean().item())
    assert len(errors) == 8 and errors[-1] < errors[2]
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())
    changed = {name for name, tensor in seen.network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {name for name, _ in generator.named_parameters() if name.startswith("synthesis.")}
    enough = [*peers.pti(generator, crop, distance, settings[0], peers.PTISettings(steps=5, enough=9.0))]
    assert len(enough) == 3


def test_a_clock_that_is_read_stands_still(monkeypatch):
    """Steps of 2 s, the first one of 4; measuring takes 100 s: after the first, and the last before 10 and 15 s."""
    now = [0.0]
    monkeypatch.setattr(run.time, "perf_counter", lambda: now[0])

    def measured(seen) -> dict:
        now[0] += 100
        return {"face": seen}

    watch = run.Watch(measured, limit=17)
    with pytest.raises(run.Cut):
        for step in range(20):
            now[0] += 2 if step else 4
            watch(lambda step=step: step)
    assert [(point["at"], point["seconds"], point["face"]) for point in watch.curve] == [
        (4, 4, 0),
        (10, 10, 3),
        (15, 14, 5),
    ]
    assert watch.spent == 16 and watch.steps == 7 and watch.look() == 6


def row(method: str, seconds: float, face: float, **other) -> dict:
    curve = [{"at": at, "face": 0.5} for at in figures.TIMES if 10 <= at < seconds]
    drags = {name: {"way": 0.9, "identity": 0.1, "lost": False} for name in ("corner", "brow", "chin")}
    plain = {"whole": 0.1, "mse": 0.001, "identity": 0.1, "rms": 1.0, "a": 2.0, "steps": 9, "cut": False}
    return plain | {"method": method, "seconds": seconds, "face": face, "curve": curve, "drags": drags} | other


def test_medians_and_curves():
    lost = {
        "chin": {"way": 0.0, "identity": None, "lost": True},
        "corner": {"way": 1.1, "identity": 0.2, "lost": False},
    }
    rows = [
        row("photodrag", 40.0, 0.03),
        row("photodrag", 60.0, 0.05, identity=None, drags=lost),
        row("photodrag", 80.0, 0.01, identity=0.3),
        row("nvidia", 299.0, 0.2, cut=True),
    ]
    found = figures.summary(rows)
    ours = found["photodrag"]
    assert (ours["face"], ours["seconds"], ours["a"], ours["cut"], ours["lost"]) == (0.03, 60, 30, 0, 1)
    assert ours["identity"] == 0.3 and ours["moved"] == 7 / 8 and ours["way"] == 0.9
    lines = figures.curves(rows, limit=300)
    assert lines["photodrag"] == {
        **{at: 0.5 for at in (10, 15, 20, 30, 45)},
        60: 0.05,
        **{at: 0.03 for at in (90, 120, 180, 240, 300)},
    }
    assert lines["nvidia"][300] == 0.2 and lines["nvidia"][240] == 0.5
    assert figures.face_at(rows[-1], 450, 300) is None and figures.face_at(rows[0], 5) is None
    text = figures.table(found).splitlines()
    assert [*zip(text[0].split(), text[1].split(), strict=True)][4:7] == [
        ("identity", "0.300"),
        ("rms", "1.000"),
        ("seconds", "60.0"),
    ]
    assert figures.curve_table(lines).splitlines()[6].split() == ["60", "0.0500", "0.5000"]


def test_what_is_asked():
    """As good as asked, and then one thing after another not."""

    def failed(*changed: dict) -> list[str]:
        own = [
            row("nvidia", 400, 0.3),
            row("photodrag", 100, 0.04),
            row("photodrag-tuned", 340, 0.012, curve=[{"at": 5, "face": 0.4}]),
        ]
        rows = [one | next((c for c in changed if c["method"] == one["method"]), {}) for one in own]
        said = figures.verdict(figures.summary(rows), figures.curves(rows))
        return [text.split(" (")[0] for text, good in said if not good]

    assert failed() == []
    assert failed({"method": "photodrag", "face": 0.041}) == ["photodrag: face 0.0410"]
    assert failed({"method": "photodrag-tuned", "seconds": 342}) == ["photodrag-tuned: a more 121.0000"]
    assert failed({"method": "photodrag-tuned", "identity": None}) == ["photodrag-tuned: identity –"]
    still = {name: {"way": 0.0, "identity": None, "lost": True} for name in ("corner", "brow", "chin")}
    assert failed({"method": "photodrag", "drags": still}) == [
        "photodrag: 3 faces lost",
        "photodrag: 0.000 of the drags succeed",
    ]
    slow = {"method": "photodrag-tuned", "curve": [{"at": 5, "face": 0.4}, {"at": 30, "face": 0.6}]}
    assert failed(slow)[0].startswith("photodrag-tuned: nearer than nvidia at every time but [30, 45, 60")


def test_wrong_names_are_refused(tmp_path):
    done = CliRunner().invoke(bench.main, [str(ASTRONAUT), "--methods", "dragon"])
    assert done.exit_code == 2 and "there are the methods" in done.output
    done = CliRunner().invoke(bench.main, [str(tmp_path)])
    assert done.exit_code == 2 and "None of the photos" in done.output


def test_a_plots_lines_go_down():
    """Where a line is at 1000 s lies lower in the picture than where it was at 10 s, by its colour; one above it stays
    above."""
    lines = {"peer": [(10.0, 0.6), (1000.0, 0.5)], "ours": [(10.0, 0.5), (1000.0, 0.01)]}
    picture = curves.plot(lines, {}, "title", "x", "y")[:, : curves.SIZE[0] - curves.RIGHT].astype(int)
    ends = []
    for colour in curves.COLOURS[:2]:
        rows, columns = np.nonzero(np.abs(picture[curves.TOP : -curves.BOTTOM] - colour).sum(2) < 40)
        inside = columns > curves.LEFT + 5
        rows, columns = rows[inside], columns[inside]
        ends.append((rows[columns.argmin()], rows[columns.argmax()]))
    (peer_first, peer_last), (first, last) = ends
    assert peer_first < first < last - 200 and peer_last < last
    assert curves.ticks(4, 300) == [5, 10, 20, 50, 100, 200]
    assert curves.apart({"a": 10.0, "b": 10.0, "c": 50.0}, 20) == {"a": 0.0, "b": 20.0, "c": 50.0}
