"""The page's server, without a browser: who may ask, what it bears, what it answers. Inversions are ready, or
stood in for; test_page_browser.py has the page itself."""

import asyncio
import gc
import io
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from command import COMMAND, as_here, environment, everything_in, run
from pictures import mirrored, png
from PIL import Image
from serving import NO_CONTROLS, TOKEN, served, wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from photodrag.drag import DragSettings
from photodrag.pipeline.cli import main
from photodrag.pipeline.editing.controls import Controls
from photodrag.pipeline.editing.edit_file import read_edit_file
from photodrag.pipeline.editing.plan import plan_edit
from photodrag.pipeline.faces import presets
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.page import jobs
from photodrag.pipeline.page import token as tokens
from photodrag.pipeline.page.app_state import AppState
from photodrag.pipeline.page.job_queue import Cancelled, Job, JobQueue
from photodrag.pipeline.page.limits import Limits
from photodrag.pipeline.page.messages import ProtocolError, packed, unpacked
from photodrag.pipeline.people.learning import learn
from photodrag.weights.common import files

STATIC = Path(tokens.__file__).parent / "static"
OTHER = np.full(128, 9.0)
"""Nobody's likeness."""
DRAGS = [[[104.4, 138.9], [101.0, 135.0]], [[149.6, 140.8], [153.0, 137.0]]]


DRAG = {"type": "drag", "id": 1, "drags": [], "controls": NO_CONTROLS, "mask": "auto", "scale": 1}


@pytest.fixture
def steps() -> int:
    """A drag's, at most: enough to be stopped in the middle, or to come near its end."""
    return 8


@pytest.fixture
def server(cache, models, steps):
    limits = Limits(tabs=2, films=2, pixels=1_000_000, upload=1 << 20)
    with served(AppState(limits=limits, dragging=DragSettings(steps=steps), models=models)) as running:
        yield running


def picture(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


# Who may ask


def test_the_token_opens_the_page(server):
    answer = server.ask(f"/?token={TOKEN}")
    assert answer.status == 200 and b"<title>Photodrag</title>" in answer.body
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert server.ask(f"/?token={TOKEN}", Host=f"localhost:{server.port}").status == 200
    assert server.ask("/static/main.js").status == 200
    assert server.ask(f"/?token={TOKEN}", "POST").status == 405


@pytest.mark.parametrize("path", ["/", "/?token=", f"/?token={TOKEN}x", f"/?token={TOKEN}&token={TOKEN}", "/session"])
def test_wrong_token(server, path):
    answer = server.ask(path)
    assert answer.status == 403 and b"open the whole address" in answer.body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "a:b:{port}", ""])
@pytest.mark.parametrize("path", [f"/?token={TOKEN}", "/static/main.js"])
def test_foreign_host(server, host, path):
    assert server.ask(path, Host=host.format(port=server.port)).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1"])
def test_foreign_origin(server, origin):
    origin = origin.format(port=server.port)
    assert server.ask(f"/?token={TOKEN}", Origin=origin).status == 403
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{server.port}/session?token={TOKEN}", origin=origin, proxy=None)


def test_websocket_wants_origin_token_and_host(server):
    address, right = f"ws://127.0.0.1:{server.port}/session", {"origin": server.origin, "proxy": None}
    for query, options in [
        (f"?token={TOKEN}", {"proxy": None}),
        ("?token=wrong", right),
        ("", right),
    ]:
        with pytest.raises(InvalidStatus, match="403"):
            connect(address + query, **options)
    with connect(f"{address}?token={TOKEN}", **right) as socket:
        assert json.loads(socket.recv(10))["type"] == "hello"
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
    key = f"{upgrade}\r\nSec-WebSocket-Key: {'A' * 22}=="
    foreign = f"evil.example:{server.port}"
    with socket_to(server) as raw:
        raw.sendall(
            f"GET /session?token={TOKEN} HTTP/1.1\r\nHost: {foreign}\r\nOrigin: http://{foreign}\r\n{key}\r\n\r\n".encode()
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 403")


def socket_to(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def test_page_is_whole_and_asks_nobody_else():
    """Every file that a file names is there, and no other server is named."""
    names = {path.name for path in STATIC.iterdir()}
    for path in STATIC.iterdir():
        text = path.read_text("utf-8")
        assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+\.[a-z]", text), path
        named = re.findall(r'(?:from "\./|(?:src|href)="static/)([^"]+)"', text)
        assert set(named) <= names, path
    assert "main.js" in (STATIC / "index.html").read_text("utf-8")


def test_token_is_kept_for_a_day_for_nobody_else(empty_cache):
    first = tokens.current_token()
    path = empty_cache / "page" / "token"
    assert len(first) >= 32 and path.stat().st_mode & 0o777 == 0o600
    assert tokens.current_token() == first
    path.chmod(0o644)  # somebody may have read it
    second = tokens.current_token()
    assert second != first and path.stat().st_mode & 0o777 == 0o600
    old = time.time() - files.DAY - 1
    os.utime(path, (old, old))
    assert tokens.current_token() not in (first, second)


# What it bears


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        "{}",
        '{"type": []}',
        '{"type": "hear"}',
        '{"type": "stop", "more": 1}',
        '{"type": "face", "id": 1, "number": -1, "box": null, "likeness": "auto"}',
        '{"type": "face", "id": 1, "number": null, "box": null, "likeness": "finest"}',
        '{"type": "face", "id": 1, "number": null, "box": [1, 2, 3, NaN], "likeness": "auto"}',
        json.dumps(DRAG | {"drags": [[[1, 2], [3, "4"]]]}),
        json.dumps(DRAG | {"mask": "/etc/passwd"}),
        '{"type": "save", "id": 1, "result": 1, "format": "../x.png"}',
        *(
            json.dumps({"type": "controls", "id": 1, "number": 1, "controls": NO_CONTROLS | wrong})
            for wrong in [
                {"presets": {"grin": 0.5}},
                {"presets": {"smile": 1.5}},
                {"presets": {"smile": float("nan")}},
                {"presets": [0.5]},
                {"presets": None},
                {"regions": None},
                {"regions": ["/etc/passwd:+1,+1"]},
                {"regions": ["mouth:rotate=90"]},
                {"regions": ["mouth:+1,+1"] * 100},
                {"expression": {"amount": 2, "landmarks": [[0, 0]] * 68}},
                {"expression": {"amount": 1, "landmarks": [[0, 0]] * 67}},
                {"more": 1},
            ]
        ),
        '{"type": "warp", "id": 1, "number": 1, "drags": [[[1, 2]]], "presets": {}}',
        '{"type": "warp", "id": 1, "number": 1, "drags": [], "presets": null}',
        '{"type": "expression", "id": 1, "name": 5}',
        "[" * 100_000,
        b"",
        b"\xff\xff\xff\xff{}",
        b"\0\0\0\2{}",
        b"\0\0\0\4\xff\xff\xff\xff",
    ],
)
def test_nonsense_ends_the_connection_and_nothing_else(server, message):
    with pytest.raises(ProtocolError):
        unpacked(message)
    with server.page() as page:
        page.hear_until("hello")
        page.socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            page.hear(10)
        assert closed.value.rcvd.code == 4000
    assert_goes_on(server)


def assert_goes_on(server) -> None:
    """The tabs are closed, and a new one is let in."""
    wait_until(lambda: not server.app_state.tabs)
    with server.page() as page:
        assert page.hear()["type"] == "hello"


def test_messages_with_bytes_behind_them():
    assert unpacked(packed({"type": "photo", "id": 1, "name": "Zoë.png"}, b"\0\xff")) == (
        {"type": "photo", "id": 1, "name": "Zoë.png"},
        b"\0\xff",
    )


def test_uploads_that_are_refused(server, portrait, tmp_path):
    before = everything_in(tmp_path)
    whole = portrait.read_bytes()
    grey = np.zeros((1, 1), np.uint8)
    uploads = [
        ("cut.png", whole[: len(whole) // 2], r"^cut\.png is cut short or damaged"),
        ("../../up.png", b"no picture", r"^up\.png is not a picture of a known kind"),
        ("C:\\photos\\x.png", b"", r"^x\.png is empty"),
        ("..", b"no picture", r"^photo is not a picture"),
        (
            "large.png",
            png((8, 0), grey, size=(10_000, 10_000)),
            r"^large\.png says it is 10,000 × 10,000 pixels; more than 1 megapixels",
        ),
        (
            "huge.png",
            png((8, 0), grey, size=(60_000, 60_000)),
            r"^huge\.png says it is 60,000 × 60,000 pixels; more than 1 megapixels",
        ),
    ]
    with server.page() as page:
        for name, data, said in uploads:
            page.say("photo", data, id=1, name=name)
            error = page.hear_until("error")[-1]
            assert error["about"] == "photo"
            assert re.search(said, error["text"]), error
            assert str(tmp_path) not in error["text"]
        assert page.open(portrait)["faces"]  # it goes on
    with server.page() as page:
        page.say("photo", bytes((1 << 20) + 1000), id=1, name="long.png")
        assert "is larger than 1 MB" in page.hear_until("error")[-1]["text"]
    with server.page() as page:
        page.hear()
        with pytest.raises(ConnectionClosed) as closed:
            page.say("photo", bytes(2 << 20), id=1, name="long.png")
            page.hear_until("never", 10)
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    assert everything_in(tmp_path) == before


def test_tabs_are_bounded(server):
    with server.page() as one, server.page() as two, server.page() as three:
        assert one.hear()["type"] == two.hear()["type"] == "hello"
        assert "As many tabs as can be" in three.hear()["text"]
        with pytest.raises(ConnectionClosed) as closed:
            three.hear(10)
        assert closed.value.rcvd.code == 4001
    assert_goes_on(server)


def test_too_many_points_and_too_early(server, portrait):
    with server.page() as page:
        page.say("drag", id=1, drags=DRAGS, mask="auto", scale=1)
        assert "not ready yet" in page.hear_until("error")[-1]["text"]
        page.say("drag", id=1, drags=DRAGS[:1] * 69, mask="auto", scale=1)
        assert "68 can be" in page.hear_until("error")[-1]["text"]
        page.say("face", id=2, number=1, box=None, likeness="auto")
        assert "no photo yet" in page.hear_until("error")[-1]["text"]
        page.open(portrait)
        page.say("face", id=2, number=5, box=None, likeness="auto")
        assert "There is no face 5" in page.hear_until("error")[-1]["text"]
        page.say("save", id=90, result=3, format="png")
        assert "nothing to save" in page.hear_until("error")[-1]["text"]


# What it does


def test_a_drag_saved_is_the_command_lines(server, portrait, ready, tmp_path):
    """Stopped in the middle, with a painted mask: the hardest case to repeat."""
    ready(portrait)
    mask = Image.new("RGBA", (256, 256))
    mask.paste((255, 60, 50, 255), (60, 90, 190, 200))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    with server.page() as page:
        faces = page.open(portrait, "me.png")["faces"]
        assert len(faces) == 1 and np.shape(faces[0]["landmarks"]) == (68, 2)
        learned = page.learn()
        assert learned["likeness"] == "somewhat like you" and learned["cached"]
        page.say("drag", buffer.getvalue(), id=7, drags=DRAGS, mask="painted", scale=2.0)
        page.hear_until("frame")
        page.say("stop")
        heard = page.hear_until("result")
        result = heard[-1]
        assert result["id"] == 7 and not result["rough"] and 1 <= result["steps"] < 8
        assert result["reason"] == "stopped" and np.shape(result["points"]) == (2, 2)
        saved = {}
        for kind, count in (("png", 1), ("json", 2)):
            page.say("save", id=90, result=result["result"], format=kind)
            for _ in range(count):
                answer = page.hear_until("saved")[-1]
                saved[answer["name"]] = answer["data"]
    assert saved.keys() == {"me-photodrag.png", "me-edit.json", "me-mask.png"}
    folder = tmp_path / "saved"
    folder.mkdir()
    for name, data in saved.items():
        (folder / name).write_bytes(data)
    assert run("edit", portrait, "--edit", folder / "me-edit.json", "--out", folder / "cli.png", **as_here()).code == 0
    ours = picture(saved["me-photodrag.png"])
    assert np.array_equal(ours, picture((folder / "cli.png").read_bytes()))
    old = picture(portrait.read_bytes())
    assert (ours != old).any() and np.array_equal(ours[:90], old[:90]) and np.array_equal(ours[:, 190:], old[:, 190:])
    # What the page was shown is what is saved, but for JPEG.
    x0, y0, x1, y1 = result["region"]
    shown = old.copy()
    shown[y0:y1, x0:x1] = picture(result["data"])
    assert np.abs(shown.astype(int) - ours).mean() < 1


def test_the_page_of_a_person(cache, models, portrait, ready, tmp_path):
    """Their face is found beside a larger one, and what the page saves is what the command line makes of it."""
    learned = learn("anna", [portrait, mirrored(portrait, "mirror.png")]).person
    own = np.array(Image.open(portrait))
    both = np.full((400, 700, 3), 90, np.uint8)
    both[:, :400] = cv2.resize(own[:, ::-1], (400, 400))
    both[60:316, 430:686] = own
    path = tmp_path / "both.png"
    Image.fromarray(both).save(path)
    faces = detect(both)
    assert len(faces) == 2
    elsewhere = replace(learned, portraits=[replace(one, descriptor=OTHER) for one in learned.portraits])
    with served(AppState(models=models, person=elsewhere)) as running, running.page() as page:
        assert page.open(portrait)["person"] is None
    ready(path)
    settings = {"dragging": DragSettings(steps=2), "models": models, "person": learned}
    with served(AppState(**settings)) as running, running.page() as page:
        assert page.open(path)["person"] in (1, 2)
        page.learn()
        page.say("drag", id=1, drags=presets.drags({"smile": 0.5}, faces[0].landmarks), mask="auto", scale=1.0)
        result = page.hear_until("result")[-1]
        assert isinstance(result["exemplars"], list) and 0 < result["share"] <= 1
        page.say("save", id=90, result=result["result"], format="json")
        edit = json.loads(page.hear_until("saved")[-1]["data"])
    assert edit["person"] == "anna"


@pytest.mark.parametrize("steps", [2])
def test_a_video_saved_is_the_command_lines(server, portrait, ready, tmp_path, monkeypatch):
    monkeypatch.setattr("photodrag.pipeline.films.frames.FRAMES", 3)
    ready(portrait)
    folder = tmp_path / "saved"
    folder.mkdir()
    with server.page() as page:
        page.open(portrait, "me.png")
        page.learn()
        page.say("drag", id=1, drags=DRAGS, mask="auto", scale=1.0)
        result = page.hear_until("result")[-1]["result"]
        for kind in ("json", "mp4"):
            page.say("save", id=90, result=result, format=kind)
            heard = page.hear_until("saved")
            (folder / heard[-1]["name"]).write_bytes(heard[-1]["data"])
        assert heard[-1]["name"] == "me-photodrag.mp4"
        assert heard[-2]["type"] == "filming" and (heard[-2]["done"], heard[-2]["total"]) == (3, 3)
        assert page.hear_until("ended")[-1]["job"] == "film"
    given = ["--edit", folder / "me-edit.json", "--video", folder / "cli.mp4", "--out", folder / "cli.png"]
    assert main(["edit", str(portrait), *map(str, given)]) == 0
    ours, theirs = (frames(folder / name) for name in ("me-photodrag.mp4", "cli.mp4"))
    assert len(ours) == 3 + 20 and np.array_equal(ours, theirs)
    assert (ours[0] != ours[-1]).any()


def frames(video: Path) -> np.ndarray:
    capture, seen = cv2.VideoCapture(str(video)), []
    while (read := capture.read())[0]:
        seen.append(read[1])
    return np.array(seen)


def test_a_video_is_cancelled_and_the_oldest_can_not_be_made(server, portrait, ready, monkeypatch, tmp_path):
    monkeypatch.setattr("photodrag.pipeline.films.frames.FRAMES", 1000)
    ready(portrait)
    with server.page() as page:
        page.open(portrait)
        page.learn()
        results = []
        for _ in range(server.app_state.limits.films + 1):
            page.say("drag", id=1, drags=DRAGS, mask="auto", scale=1.0)
            page.hear_until("frame")
            page.say("stop")
            results.append(page.hear_until("result")[-1]["result"])
        page.say("save", id=90, result=results[1], format="mp4")
        page.hear_until("filming")
        (tab,) = server.app_state.tabs
        job = tab._jobs["film"]
        page.say("cancel")
        wait_until(lambda: job.cancelled)
        job.join(20)
        assert not (tmp_path / "cache" / "page").exists()  # it is made in memory
        page.say("save", id=90, result=results[0], format="png")  # a picture can be made of all
        page.hear_until("saved")
        page.say("save", id=90, result=results[0], format="mp4")
        error = page.hear_until("error")[-1]
        assert error["about"] == "film" and "drag again" in error["text"]


def test_a_drag_to_its_end(server, portrait, ready):
    ready(portrait)
    with server.page() as page:
        page.open(portrait)
        page.learn()
        page.say("drag", id=1, drags=DRAGS, mask="auto", scale=4.0)
        heard = page.hear_until("result")
        result = heard[-1]
        frames = [one for one in heard if one["type"] == "frame"]
        points = [one for one in heard if one["type"] == "points"]
        assert frames and points and points[0]["step"] == 0
        assert np.allclose(points[0]["points"], [handle for handle, _ in DRAGS], atol=0.01)
        first, last = (
            np.hypot(*np.subtract(one["points"], [t for _, t in DRAGS]).T).mean() for one in (points[0], result)
        )
        assert last < 0.7 * first
        # A frame, made small, is nearly the picture that is made in the end.
        x0, y0, x1, y1 = frames[-1]["region"]
        old = picture(portrait.read_bytes())
        final, before = old.copy(), old[y0:y1, x0:x1].astype(int)
        a0, b0, a1, b1 = result["region"]
        final[b0:b1, a0:a1] = picture(result["data"])
        final = final[y0:y1, x0:x1].astype(int)
        changed = (np.abs(final - before) > 12).any(2)
        shown = [picture(one["data"]).astype(int) for one in frames if one["region"] == frames[-1]["region"]]
        assert shown[-1].shape == final.shape
        nearest = min(np.abs(frame - final)[changed].mean() for frame in shown)  # the last need not be the best
        assert nearest < 0.5 * np.abs(before - final)[changed].mean()
        # What now lies where a handle came to was at the handle.
        page.say("origin", id=3, result=result["result"], point=result["points"][0])
        origin = page.hear_until("origin")[-1]
        assert origin["id"] == 3
        assert np.hypot(*np.subtract(origin["point"], DRAGS[0][0])) < 2 < np.hypot(*np.subtract(*DRAGS[0]))


@pytest.mark.parametrize("steps", [2])
def test_results_of_another_tab_are_unknown(server, portrait, ready):
    """A page that has come back has a new tab, and asks by the numbers of its old one."""
    ready(portrait)
    numbers = []
    for _ in range(2):
        with server.page() as page:
            page.open(portrait)
            page.learn()
            page.say("drag", id=1, drags=DRAGS, mask="auto", scale=1.0)
            numbers.append(page.hear_until("result")[-1]["result"])
            for old in numbers[:-1]:
                page.say("save", id=90, result=old, format="json")
                assert "nothing to save" in page.hear_until("error")[-1]["text"]
                page.say("origin", id=2, result=old, point=DRAGS[0][1])
                assert page.hear_until("origin")[-1]["point"] is None
            page.say("origin", id=3, result=0, point=DRAGS[0][1])
            assert page.hear_until("origin")[-1]["point"] == DRAGS[0][1]
    assert len(set(numbers)) == 2


def test_controls_are_the_command_lines(server, portrait, ready, tmp_path):
    """What sliders, a region and another photo's expression ask for are the handles of `photodrag edit`, and what is
    saved is the edit with the fields of its file."""
    ready(portrait)
    other = mirrored(portrait, "other.png")
    amounts = {"smile": 0.35, "slim-face": 1.0}
    given = [f"--{name}={amount}" for name, amount in amounts.items()]
    more = ["--expression-from", other, "--amount", 0.5, "--region", "nose:+2,-1,rotate=5,scale=0.9"]
    saved = tmp_path / "cli.json"
    command = ["edit", portrait, *given, *more, "--steps", 1, "--out", tmp_path / "cli.png", "--save-edit", saved]
    ran = run(*command, "--json", **as_here())
    with server.page() as page:
        page.open(portrait, "me.png")
        page.say("controls", id=2, number=1, controls=NO_CONTROLS)  # of no face yet: nothing is answered
        page.say("expression", other.read_bytes(), id=3, name="folder/other.png")
        heard = page.hear_until("expression")[-1]
        assert (heard["id"], heard["name"]) == (3, "other.png")
        page.learn()
        expression = {"amount": 0.5, "landmarks": heard["landmarks"]}
        controls = {"presets": amounts, "expression": expression, "regions": ["nose:+2,-1,rotate=5,scale=0.9"]}
        page.say("controls", id=2, number=7, controls=controls)
        answer = page.hear_until("controls")[-1]
        page.say("drag", id=4, drags=[], controls=controls, mask="auto", scale=1.0)
        page.hear_until("points")
        page.say("stop")
        result = page.hear_until("result")[-1]
        page.say("save", id=90, result=result["result"], format="json")
        content = json.loads(page.hear_until("saved")[-1]["data"])
    wanted = [[handle["start"], handle["target"]] for handle in json.loads(ran.out)["handles"]]
    assert answer["number"] == 7
    assert np.allclose(answer["drags"], wanted, atol=0.02)  # a file's landmarks are rounded
    assert answer["drags"] == result["drags"]
    kept = json.loads(saved.read_text())
    assert {name: content[name] for name in controls} == {name: kept[name] for name in controls}


def test_a_painted_region(server, portrait, ready, tmp_path):
    """It is moved, and repeated from what is saved, though all of the photo may change."""
    ready(portrait)
    controls = NO_CONTROLS | {"regions": ["painted:+0%,+3%,rotate=0,scale=1"]}
    with server.page() as page:
        page.open(portrait, "me.png")
        page.learn()
        page.say("controls", b"", id=2, number=1, controls=controls)
        assert "Nothing is painted yet" in page.hear_until("error")[-1]["text"]
        assert page.hear_until("controls")[-1]["drags"] == []
        page.say("controls", painted_png(), id=2, number=2, controls=controls)
        drags = page.hear_until("controls")[-1]["drags"]
        page.say("drag", painted_png(), id=4, drags=[], controls=controls, mask="auto", scale=1.0)
        page.hear_until("points")
        page.say("stop")
        result = page.hear_until("result")[-1]
        page.say("save", id=90, result=result["result"], format="json")
        files = {one["name"]: one["data"] for one in (page.hear_until("saved")[-1] for _ in range(2))}
    landmarks = detect(picture(portrait.read_bytes()))[0].landmarks
    inside = [mark for mark in landmarks if 95 <= mark[0] < 160 and 128 <= mark[1] < 165]
    assert len(drags) >= 12 and all(end[1] > start[1] and end[0] == start[0] for start, end in drags)
    assert np.allclose([start for start, _ in drags], inside, atol=0.01)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    edit = read_edit_file(tmp_path / "me-edit.json")
    assert edit.mask == "auto" and edit.regions[0].mask == str(tmp_path / "me-mask.png")
    plan = plan_edit(portrait, (), (), edit.mask, controls=Controls(regions=edit.regions))
    assert np.allclose(drags, plan.drags, atol=0.01)


def painted_png() -> bytes:
    """The mouth of the portrait, painted."""
    image, buffer = Image.new("RGBA", (256, 256)), io.BytesIO()
    image.paste((255, 60, 50, 255), (95, 128, 160, 165))
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no picture", r"^other\.png is not a picture of a known kind"),
        (b'{"photodrag expression": 1, "landmarks": [[0, 0]]}', r"^other\.png holds no expression"),
        (png((8, 0), np.full((64, 64), 200, np.uint8)), r"[Nn]o face"),
    ],
)
def test_expressions_that_there_are_none(server, portrait, data, said):
    with server.page() as page:
        page.open(portrait)
        page.say("expression", data, id=3, name="other.png")
        error = page.hear_until("error")[-1]
        assert (error["about"], error["id"]) == ("expression", 3)
        assert re.search(said, error["text"]) and error["text"].count(".png") <= 2


def test_a_warp_is_there_before_the_face_is_learnt(server, portrait, slow_projection):
    """Where a mouth's corner goes, the corner is what is seen; elsewhere, nothing moves."""
    with server.page() as page:
        face = page.open(portrait)["faces"][0]
        page.say("face", id=2, number=1, box=None, likeness="auto")
        page.hear_until("likeness")
        landmarks = np.array(face["landmarks"])
        end = (landmarks[48] + (-6.0, -4.0)).tolist()
        page.say("warp", id=2, number=5, drags=[[face["landmarks"][48], end]], presets={})
        heard = page.hear_until("warp")[-1]
        assert (heard["number"], heard["outlines"]) == (5, [])
        assert np.allclose(came_from(heard, end), (6, 4), atol=0.7)
        assert np.hypot(*came_from(heard, landmarks[8])) < 0.5 and np.hypot(*came_from(heard, landmarks[27])) < 0.5
        page.say("warp", id=2, number=6, drags=[], presets={"gaze-x": 0.5, "forehead": 0.5})
        heard = page.hear_until("warp")[-1]
        assert len(heard["outlines"]) == 2
        eyes = [np.mean(outline, 0) for outline in heard["outlines"]]
        assert eyes[0][0] > landmarks[36:42].mean(0)[0] and eyes[1][0] > landmarks[42:48].mean(0)[0]
        slow_projection.set()


def came_from(heard: dict, place) -> np.ndarray:
    """The offset that a warp has at a place of the photo, between its cells."""
    x0, y0, x1, y1 = heard["region"]
    offsets = np.frombuffer(heard["data"], "<f4").reshape(40, 40, 2)
    x, y = ((place[0] + 0.5 - x0) / (x1 - x0) * 40 - 0.5, (place[1] + 0.5 - y0) / (y1 - y0) * 40 - 0.5)
    return cv2.remap(offsets, np.float32([[x]]), np.float32([[y]]), cv2.INTER_LINEAR)[0, 0]


def test_the_sample(server):
    with server.page() as page:
        assert page.hear_until("hello")[-1]["sample"]
        page.say("sample", id=1)
        heard = page.hear_until("faces")
        assert heard[0]["name"] == "astronaut.png" and len(heard[-1]["faces"]) == 1


def test_impossible_drags_are_told_in_words(server, portrait, ready):
    ready(portrait)
    with server.page() as page:
        page.open(portrait)
        page.learn()
        for drags, mask, data, said in [
            ([], "auto", None, "0 handles and 0 targets"),
            ([[[1, 1], [2, 300]]], "auto", None, "lies outside"),
            (DRAGS, "painted", b"no picture", "did not arrive whole"),
            (DRAGS, "painted", empty_png(), "Nothing is painted yet"),
            (DRAGS, "painted", b"", "Nothing is painted yet"),  # "What I paint" was chosen, and no more
        ]:
            page.say("drag", data, id=1, drags=drags, mask=mask, scale=1)
            assert said in page.hear_until("error")[-1]["text"]


def empty_png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("steps", [2])
def test_a_rough_likeness_can_be_dragged(server, portrait, slow_projection):
    with server.page() as page:
        page.open(portrait)
        page.say("face", id=2, number=1, box=None, likeness="auto")
        likeness = page.hear_until("likeness")[-1]
        x0, y0, x1, y1 = likeness["region"]
        assert picture(likeness["data"]).ndim == 3 and 0 <= x0 < x1 <= 256 and 0 <= y0 < y1 <= 256
        page.say("drag", id=1, drags=DRAGS, mask="face", scale=1.0)
        result = page.hear_until("result")[-1]
        assert result["rough"]
        page.say("save", id=90, result=result["result"], format="png")
        assert "finished likeness" in page.hear_until("error")[-1]["text"]
        slow_projection.set()
        assert not page.hear_until("inverted")[-1]["cached"]
        page.say("drag", id=2, drags=DRAGS, mask="face", scale=1.0)
        assert not page.hear_until("result")[-1]["rough"]


def test_what_the_photo_alone_reshapes_waits_for_no_likeness(server, portrait, slow_projection, tmp_path):
    """And is saved as the command line makes it."""
    with server.page() as page:
        page.open(portrait)
        page.say("face", id=2, number=1, box=None, likeness="auto")
        page.hear_until("face")
        page.say(
            "drag",
            id=1,
            drags=[],
            controls={"presets": {"gaze-x": 0.8}, "expression": None, "regions": []},
            mask="auto",
            scale=1.0,
        )
        result = page.hear_until("result")[-1]
        assert not result["rough"] and result["steps"] == 0 and result["points"] == []
        saved = {}
        for kind in ("png", "json"):
            page.say("save", id=90, result=result["result"], format=kind)
            saved[kind] = page.hear_until("saved")[-1]["data"]
        page.say("origin", id=3, result=result["result"], point=[100, 200])
        assert np.allclose(page.hear_until("origin")[-1]["point"], [100, 200], atol=0.1)
        slow_projection.set()
    (tmp_path / "edit.json").write_bytes(saved["json"])
    assert run("edit", portrait, "--edit", tmp_path / "edit.json", "--out", tmp_path / "cli.png", **as_here()).code == 0
    assert np.array_equal(picture(saved["png"]), picture((tmp_path / "cli.png").read_bytes()))


def test_two_tabs_at_once(server, portrait, ready, slow_projection):
    """One learns a face, the other drags: both get on."""
    ready(portrait)
    other = mirrored(portrait, "other.png")
    with server.page() as learning, server.page() as dragging:
        learning.open(other)
        learning.say("face", id=2, number=1, box=None, likeness="auto")
        learning.hear_until("likeness")
        dragging.open(portrait)
        dragging.learn()
        dragging.say("drag", id=1, drags=DRAGS, mask="auto", scale=1.0)
        dragging.hear_until("frame")
        learning.hear_until("likeness")


def test_a_closed_tab_leaves_nothing(server, portrait, slow_projection, tmp_path):
    before = everything_in(tmp_path)
    with server.page() as page:
        page.open(portrait)
        page.say("face", id=2, number=1, box=None, likeness="auto")
        page.hear_until("likeness")
        (tab,) = server.app_state.tabs
        photo, closed = weakref.ref(tab._opened.photo), weakref.ref(tab)
        jobs = list(tab._jobs.values())
        del tab
    wait_until(lambda: not server.app_state.tabs)
    for job in jobs:
        job.join(20)
        assert job.cancelled and not job._thread.is_alive()
    del jobs, job

    def gone() -> bool:
        gc.collect()
        return photo() is None and closed() is None  # the jobs of a tab hold the file's bytes

    wait_until(gone)
    assert everything_in(tmp_path) == before


# Results belong to what they were asked for


@contextmanager
def held(queue: JobQueue) -> Iterator[None]:
    """The turn is another tab's for so long."""
    holding, go_on = threading.Event(), threading.Event()
    job = Job(queue, "other", lambda job: holding.set() or go_on.wait(20), lambda error: None)
    assert holding.wait(20)
    try:
        yield
    finally:
        go_on.set()
        job.join(5)


def test_a_drag_is_of_the_face_that_was_chosen_before_it(server, portrait, ready):
    """The later job of a tab goes first: it must not take what was learnt of the face before for that one's."""
    ready(portrait)
    with server.page() as page:
        page.open(portrait)
        page.learn()
        (tab,) = server.app_state.tabs
        with held(server.app_state.queue):
            page.say("face", id=5, number=1, box=None, likeness="auto")
            page.say("drag", id=6, drags=DRAGS, mask="auto", scale=1.0)
            wait_until(lambda: "drag" in tab._jobs)
        error = page.hear_until("error")[-1]
        assert (error["about"], error["id"]) == ("drag", 6) and "not ready yet" in error["text"]
        page.hear_until("inverted")


def test_a_late_job_writes_nothing_into_what_replaced_it(server, portrait, slow_projection, monkeypatch):
    """A job that has seen that it is still wanted, and goes on when it isn't any more."""
    passed, go_on, step = threading.Event(), threading.Event(), Job.step

    def slow_step(job: Job) -> None:
        step(job)
        if job is learning.get("job") and not passed.is_set():
            passed.set()
            go_on.wait(20)

    learning: dict[str, Job] = {}
    monkeypatch.setattr(Job, "step", slow_step)
    with server.page() as page:
        page.open(portrait)
        page.say("face", id=2, number=1, box=None, likeness="auto")
        page.hear_until("likeness")
        (tab,) = server.app_state.tabs
        learning["job"] = tab._jobs["invert"]
        assert passed.wait(20)
        page.say("photo", mirrored(portrait, "other.png").read_bytes(), id=3, name="other.png")
        wait_until(lambda: learning["job"].cancelled)
        go_on.set()
        page.hear_until("faces")
        page.say("drag", id=4, drags=DRAGS, mask="auto", scale=1.0)
        page.say("controls", id=2, number=1, controls=NO_CONTROLS)  # of no face: nothing is answered
        error = page.hear_until("error")[-1]
        assert error["id"] == 4 and "not ready yet" in error["text"]
    learning.clear()


@pytest.mark.parametrize("steps", [1])
def test_a_file_that_was_asked_for_comes_after_another_photo(server, portrait, ready):
    ready(portrait)
    with server.page() as page:
        page.open(portrait, "me.png")
        page.learn()
        page.say("drag", id=1, drags=DRAGS, mask="auto", scale=1.0)
        result = page.hear_until("result")[-1]["result"]
        (tab,) = server.app_state.tabs
        with held(server.app_state.queue):
            page.say("save", id=7, result=result, format="png")
            page.say("save", id=8, result=result, format="json")
            page.say("face", id=9, number=1, box=None, likeness="auto")
            page.say("photo", portrait.read_bytes(), id=10, name="other.png")
            wait_until(lambda: "photo" in tab._jobs)
        heard = {one["id"]: one for one in (page.hear_until("saved")[-1] for _ in range(2))}
        assert {id: one["name"] for id, one in heard.items()} == {7: "me-photodrag.png", 8: "me-edit.json"}
        assert np.array_equal(picture(heard[7]["data"]).shape, (256, 256, 3))


def test_a_job_that_ended_keeps_nothing(server, portrait):
    with server.page() as page:
        page.open(portrait)
        (tab,) = server.app_state.tabs
        wait_until(lambda: tab._jobs["photo"].ended)
        assert not {"_work", "_ended"} & vars(tab._jobs["photo"]).keys()


def test_a_page_that_asks_and_never_listens_is_closed(cache, models):
    limits = Limits(messages=50)
    with served(AppState(limits=limits, models=models)) as running:
        outboxes = []
        with running.page() as page:
            page.hear_until("hello")
            (tab,) = running.app_state.tabs
            outboxes.append(tab._outbox)
            page.socket.recv_bufsize = None
            monkeyed = tab._outbox.get

            async def never() -> str:
                await asyncio.sleep(3600)
                return await monkeyed()

            tab._outbox.get = never
            with pytest.raises(ConnectionClosed) as closed:
                for _ in range(10_000):
                    page.say("origin", id=1, result=0, point=[1, 2])
                page.hear_until("never", 10)
            assert closed.value.rcvd is None or closed.value.rcvd.code == 4000
        wait_until(lambda: not running.app_state.tabs)


# The queue of jobs


def test_turns_are_fair_by_time():
    """A tab of long steps and one of short ones get the same time; the later job of a tab goes first."""
    queue, spent, ended = JobQueue(), {}, threading.Event()

    def computing(name: str, seconds: float):
        def work(job: Job) -> None:
            while not ended.is_set():
                began = time.monotonic()
                time.sleep(seconds)
                spent[name] = spent.get(name, 0) + time.monotonic() - began
                job.step()

        return work

    errors = []
    jobs = [
        Job(queue, "a", computing("long", 0.05), errors.append),
        Job(queue, "b", computing("earlier", 0.005), errors.append),
        Job(queue, "b", computing("later", 0.005), errors.append),
    ]
    time.sleep(1.5)
    ended.set()
    for job in jobs:
        job.join(5)
    assert errors == [None] * 3
    assert spent.get("earlier", 0) < 0.2 * spent["later"]
    assert 0.6 < spent["long"] / (spent["later"] + spent.get("earlier", 0)) < 1.6


def test_a_waiting_job_is_cancelled_at_once():
    queue, go_on, errors = JobQueue(), threading.Event(), []
    holding = Job(queue, "a", lambda job: go_on.wait(10), errors.append)
    waiting = Job(queue, "b", lambda job: errors.append("it ran"), errors.append)
    waiting.cancel()
    waiting.join(5)
    assert [type(error) for error in errors] == [Cancelled]
    go_on.set()
    holding.join(5)
    assert errors[1:] == [None]


# The command


def test_serve_until_ctrl_c(cache):
    ran = subprocess.Popen(
        [COMMAND, "serve", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(PHOTODRAG_CACHE=str(cache)),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        address = re.fullmatch(
            r"The page is at (http://127\.0\.0\.1:(\d+)/\?token=[\w-]{40,})\n", ran.stdout.readline()
        )
        assert address
        with socket.create_connection(("127.0.0.1", int(address[2])), timeout=60) as raw:
            raw.sendall(
                f"GET /?{address[1].partition('?')[2]} HTTP/1.1\r\nHost: 127.0.0.1:{address[2]}\r\n\r\n".encode()
            )
            assert raw.recv(100).startswith(b"HTTP/1.1 200")
            taken = run("serve", "--port", address[2], PHOTODRAG_CACHE=str(cache))
            assert (taken.code, taken.out) == (2, "") and f"Port {address[2]} is taken" in taken.err
        ran.send_signal(signal.SIGINT)
        _, err = ran.communicate(timeout=30)
    finally:
        ran.kill()
    assert ran.returncode == 130
    assert err == "Stopped; the page is closed, and no photo is kept.\n"


def test_other_machines_are_let_in_only_on_purpose():
    ran = run("serve", "--host", "0.0.0.0", "--no-browser")
    assert ran.code == 2 and ran.err.count("\n") == 1 and "--allow-others" in ran.err


def test_without_the_extra(tmp_path):
    """A uvicorn that can't be imported stands for one that isn't installed."""
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('No module named uvicorn', name='uvicorn')")
    ran = run("serve", "--no-browser", PYTHONPATH=str(tmp_path))
    assert ran.code == 2 and ran.err.count("\n") == 1 and "pip install 'photodrag[page]'" in ran.err


def test_a_likeness_that_is_wanted_is_learned_and_saved(server, portrait, ready, monkeypatch):
    """And the edit's file says it, so that the command line makes the same picture."""
    ready(portrait)
    tuned = []

    def tune_inversion(photo, inversion, progress):
        progress("tuning", 1, 1)
        tuned.append(photo.path.name)
        return inversion

    monkeypatch.setattr(jobs, "tune_inversion", tune_inversion)
    with server.page() as page:
        page.open(portrait)
        page.learn("fine")
        assert tuned == []
        page.learn("tuned")
        assert tuned == [portrait.name]
        page.say("drag", id=3, drags=DRAGS, mask="auto", scale=1.0)
        result = page.hear_until("result")[-1]
        page.say("save", id=90, result=result["result"], format="json")
        assert json.loads(page.hear_until("saved")[-1]["data"])["likeness"] == "tuned"
