"""An edit as a film: even motion, the photo first and the edited one last, whole files or none."""

import cv2
import numpy as np
import pytest
import torch
from colour_tags import says_srgb
from command import MOUTH
from PIL import Image

from photodrag.drag import DragState
from photodrag.pipeline.cli import main
from photodrag.pipeline.films.files import write_film
from photodrag.pipeline.films.frames import even, with_arrows


def states(*places: float) -> list[DragState]:
    """Of a drag of two points by (3, 4) each, which is that share of the way; the code says so, too."""
    start = torch.tensor([[10.0, 20.0], [30.0, 20.0]])
    way = torch.tensor([3.0, 4.0])
    return [
        DragState(i, torch.full((1, 4, 2), float(share)), start + share * way, 0.0) for i, share in enumerate(places)
    ]


@pytest.mark.parametrize("places", [(0, 0.5, 0.75, 0.9, 0.95, 1), (0, 0.3, 0.2, 0.6, 1.2, 0.9, 1), (0, 1), (0,)])
def test_even_motion(places):
    """Slowing down, going back, beyond the end: the film goes straight there in steps of one length."""
    codes, points = even(states(*places), 9)
    shares = torch.linspace(0, float(places[-1]), 9)
    assert torch.allclose(codes[:, 0, 0], shares, atol=1e-6)
    assert torch.allclose(points[:, 0].float(), torch.tensor([10.0, 20.0]) + shares[:, None] * torch.tensor([3.0, 4.0]))
    assert torch.equal(codes[0], states(*places)[0].w_plus[0]) and torch.equal(codes[-1], states(*places)[-1].w_plus[0])


def test_arrows_lie_on_the_drags_alone():
    picture = np.full((100, 120, 3), 128, np.uint8)
    one = np.array([[20.0, 50.0], [80.0, 50.0]]), np.array([[50.0, 50.0], [80.0, 50.0]])
    drawn = with_arrows(picture, *one, one[0])
    changed = (drawn != picture).any(2)
    assert changed[50, 20:51].all() and changed[50, 80]  # the way, and the pin
    assert not changed[:, 60:70].any() and not changed[:30].any() and not changed[70:].any()
    assert (picture == 128).all()


def test_a_whole_film(portrait, ready, monkeypatch, capsys):
    ready(portrait)
    monkeypatch.setattr("photodrag.pipeline.films.frames.FRAMES", 3)
    out, video, gif, frames = (portrait.with_name(name) for name in ("out.png", "film.mp4", "film.gif", "frames"))
    frames.mkdir()
    films = ["--video", str(video), "--gif", str(gif), "--frames", str(frames)]
    assert main(["edit", str(portrait), *MOUTH, "--steps", "3", "--out", str(out), *films]) == 0
    shown = [np.array(Image.open(path)) for path in sorted(frames.iterdir())]
    assert len(shown) == 3 and all(says_srgb(path.read_bytes()) for path in frames.iterdir())
    photo, edited = (np.array(Image.open(path)) for path in (portrait, out))
    assert np.array_equal(shown[0], photo) and np.array_equal(shown[-1], edited)
    way = [np.abs(picture.astype(int) - photo).mean() for picture in shown]
    assert 0 < way[1] < way[2]
    with Image.open(gif) as image:
        assert (image.n_frames, image.size) == (3, (256, 256))
        image.seek(2)
        assert np.abs(np.array(image.convert("RGB")).astype(int) - edited).mean() < 8  # of 256 colours
    capture, seen = cv2.VideoCapture(str(video)), []
    while (read := capture.read())[0]:
        seen.append(read[1][..., ::-1])
    assert len(seen) == 3 + 20
    assert np.abs(seen[0].astype(int) - photo).mean() < 6 and np.abs(seen[-1].astype(int) - edited).mean() < 6
    assert sorted(path.name for path in portrait.parent.iterdir()) == [
        "film.gif", "film.mp4", "frames", "out.png", "portrait.png",
    ]  # fmt: skip


def test_nothing_is_left_of_a_film_that_stops(tmp_path):
    (tmp_path / "film.gif").write_bytes(b"an older one")

    def stops():
        yield np.zeros((64, 64, 3), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(stops(), tmp_path / "film.mp4", tmp_path / "film.gif", tmp_path / "frames")
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]
    assert (tmp_path / "film.gif").read_bytes() == b"an older one"


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--video", "film.avi"], "film.avi is to be written by --video: end its name in .mp4 or .webm."),
        (["--gif", "film.mp4"], "film.mp4 is to be written by --gif: end its name in .gif."),
        (["--gif", "nowhere/film.gif"], "the folder nowhere does not exist"),
        (["--frames", "full"], "The folder full isn't empty: give --frames the name of a new one."),
        (["--frames", "portrait.png"], "portrait.png is a file of this edit already"),
        (["--frames", "full/file"], "full/file is a file: give --frames the name of a new folder."),
        (["--frames", "nowhere/frames"], "the folder nowhere does not exist"),
        (["--arrows"], "--arrows draws on a film, and none was asked for: add --video, --gif or --frames."),
    ],
)
def test_mistakes(options, sentence, portrait, monkeypatch, capsys):
    monkeypatch.chdir(portrait.parent)
    (portrait.parent / "full").mkdir()
    (portrait.parent / "full" / "file").write_text("mine")
    assert main(["edit", "portrait.png", *MOUTH, *options]) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and not said.out
    assert sorted(path.name for path in portrait.parent.iterdir()) == ["full", "portrait.png"]
