"""The page in a real browser: Chromium, driven by Playwright. Skipped where there is none."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import time

import cv2
import numpy as np
import pytest
from browser import chromium, needs_chromium, playwright
from command import COMMAND, as_here, environment, run
from pictures import mirrored, png
from PIL import Image
from serving import served, wait_until

from photodrag.drag import DragSettings
from photodrag.pipeline.faces import presets
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.faces.preset_table import PRESET_GROUPS, PRESETS
from photodrag.pipeline.films import frames
from photodrag.pipeline.page.app_state import AppState
from photodrag.pipeline.page.limits import Limits
from photodrag.pipeline.page.preview import Preview

expect = playwright.expect
pytestmark = needs_chromium

SIDE = 256
MOUTH, TARGET = (104.4, 138.9), (99.0, 134.0)
SLOW = 90_000  # ms
POINT_COLOURS = [0xFF, 0x4D, 0x3D], [0x2F, 0xB4, 0xFF]
KEEP_SOCKETS = (
    "WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.socket = this; } }"
)
"""The page's connection, for a test that cuts it or speaks for the server."""
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Drawn at the next frame, and there at the one after it."""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def steps() -> int:
    """A drag's, at most: a test that stops one asks for more than it lets pass."""
    return 3


@pytest.fixture
def feature_side() -> int:
    """The command line's is twice as large: only a test that compares with it needs that."""
    return 64


@pytest.fixture
def server(cache, models, steps, feature_side):
    dragging = DragSettings(steps=steps, feature_side=feature_side)
    with served(AppState(limits=Limits(pixels=50_000_000), dragging=dragging, models=models)) as running:
        yield running


@pytest.fixture
def tab(browser, server):
    page = opened(browser, server.url)
    yield page
    page.context.close()
    assert page.troubles == []


def opened(browser, url: str, **options):
    page = browser.new_context(**{"viewport": {"width": 1000, "height": 700}, **options}).new_page()
    page.set_default_timeout(30_000)
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.add_init_script(KEEP_SOCKETS)
    page.goto(url)
    return page


def choose(page, path) -> None:
    """Upload the portrait, whose only face is taken by itself, and wait until its inversion is there."""
    page.set_input_files("#file", path)
    expect(page.locator("body")).to_have_attribute("data-phase", "ready", timeout=SLOW)
    page.click("#fit")


def on_screen(page, point) -> tuple[float, float]:
    """Where a point of the portrait is, while all of it is shown."""
    box = page.locator("#canvas").bounding_box()
    scale = min(box["width"], box["height"]) / SIDE
    x0, y0 = (box[start] + (box[size] - SIDE * scale) / 2 for start, size in (("x", "width"), ("y", "height")))
    return x0 + (point[0] + 0.5) * scale, y0 + (point[1] + 0.5) * scale


def pull(page, start, end) -> None:
    page.mouse.move(*on_screen(page, start))
    page.mouse.down()
    page.mouse.move(*on_screen(page, np.mean([start, end], 0)))
    page.mouse.move(*on_screen(page, end))
    page.mouse.up()


def wait_for_result(page) -> None:
    expect(page.locator("#start")).to_have_text("Start", timeout=SLOW)
    expect(page.locator("#status")).to_contain_text("Done in", timeout=SLOW)


def colour_at(page, point) -> list[int]:
    x, y = on_screen(page, point)
    box = page.locator("#canvas").bounding_box()
    script = "([x, y]) => [...document.querySelector('canvas').getContext('2d').getImageData(x, y, 1, 1).data]"
    page.evaluate(TWO_FRAMES)
    return page.evaluate(script, [round(x - box["x"]), round(y - box["y"])])[:3]


def seen(page) -> list[list[int]]:
    """Colours around the mouth's corner, beside where its point is drawn, whose size says whether it is chosen."""
    return [colour_at(page, place) for place in [(112, 134), (114, 146), (93, 146), (95, 150)]]


def saved(page, button: str, count: int = 1) -> dict[str, bytes]:
    got = []

    def keep(download) -> None:
        got.append(download)

    page.on("download", keep)
    page.click(button)
    for _ in range(200):
        if len(got) == count:
            break
        page.wait_for_timeout(50)
    page.remove_listener("download", keep)
    assert len(got) == count
    return {one.suggested_filename: open(one.path(), "rb").read() for one in got}


def picture(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


@pytest.mark.parametrize(("steps", "feature_side"), [(DragSettings.steps, DragSettings.feature_side)])
def test_upload_pull_stop_undo_save(tab, portrait, ready, tmp_path, monkeypatch):
    choose(tab, ready(portrait))
    tab.uncheck("#landmarks")
    before = seen(tab)
    assert "looks somewhat like you" in tab.inner_text("#quality")
    expect(tab.locator("#start")).to_be_disabled()
    pull(tab, MOUTH, TARGET)
    expect(tab.locator("#points li button").first).to_have_text(re.compile(r"1: 10\d, 139 → 99, 134"))
    tab.click("#start")
    expect(tab.locator("#start")).to_have_text("Stop")
    expect(tab.locator("body")).not_to_have_attribute("data-frames", "0", timeout=SLOW)
    tab.evaluate("document.body.dataset.dragging === 'true' && document.getElementById('start').click()")
    wait_for_result(tab)
    assert int(tab.get_attribute("body", "data-first")) > 0
    assert re.search(
        r"(Still|Like) you.* \(identity distance 0\.\d\d; a poor copy: about 0\.20", tab.inner_text("#quality")
    )

    after = seen(tab)
    assert after != before
    tab.keyboard.press("Control+z")  # the drag
    expect(tab.locator("#save-png")).to_be_disabled()
    assert seen(tab) == before
    tab.keyboard.press("Control+z")  # the point
    expect(tab.locator("#points li")).to_have_count(0)
    expect(tab.locator("#undo")).to_be_disabled()
    tab.keyboard.press("Control+Shift+z")
    expect(tab.locator("#points li")).to_have_count(1)
    tab.click("#redo")
    expect(tab.locator("#save-png")).to_be_enabled()
    assert seen(tab) == after

    files = saved(tab, "#save-png") | saved(tab, "#save-json")
    assert files.keys() == {"portrait-photodrag.png", "portrait-edit.json"}
    assert saved(tab, "#save-jpeg").keys() == {"portrait-photodrag.jpg"}
    monkeypatch.setattr(frames, "FRAMES", 1000)
    tab.click("#save-mp4")
    expect(tab.locator("#status")).to_contain_text(re.compile(r"Making the video: picture \d+ of 1000"), timeout=SLOW)
    tab.get_by_role("button", name="Cancel the video").click()
    expect(tab.locator("#status")).to_have_text("No video was made.")
    monkeypatch.setattr(frames, "FRAMES", 3)
    assert saved(tab, "#save-mp4").keys() == {"portrait-photodrag.mp4"}
    expect(tab.locator("#save-mp4")).to_have_text("Video")
    edit, out = tmp_path / "portrait-edit.json", tmp_path / "cli.png"
    edit.write_bytes(files["portrait-edit.json"])
    steps = json.loads(edit.read_text())["steps"]
    assert steps is None or 1 <= steps < DragSettings.steps  # it may have ended before Stop came
    assert run("edit", portrait, "--edit", edit, "--out", out, **as_here()).code == 0
    ours = picture(files["portrait-photodrag.png"])
    assert np.array_equal(ours, picture(out.read_bytes()))
    assert (ours != picture(portrait.read_bytes())).any()


def test_before_and_after(tab, portrait, ready):
    choose(tab, ready(portrait))
    tab.uncheck("#landmarks")
    old = colour_at(tab, (100, 128))
    pull(tab, MOUTH, (96.0, 128.0))
    tab.keyboard.press("Enter")
    wait_for_result(tab)
    tab.click("#clear-points")
    new = colour_at(tab, (100, 128))
    assert new != old
    tab.keyboard.down("b")
    assert colour_at(tab, (100, 128)) == old
    tab.keyboard.up("b")
    assert colour_at(tab, (100, 128)) == new
    for value, colour in (("100", old), ("0", new)):
        tab.locator("#wiper").fill(value)
        assert colour_at(tab, (100, 128)) == colour


def test_less_than_all_of_it_is_said(tab, portrait, ready, monkeypatch):
    choose(tab, ready(portrait))
    found = iter([0.7, 0.5])
    monkeypatch.setattr("photodrag.invert.identity.identity_distance", lambda a, b: next(found))
    pull(tab, MOUTH, (96.0, 128.0))
    tab.keyboard.press("Enter")
    wait_for_result(tab)
    expect(tab.locator("#status")).to_contain_text("Only 50% of the way was gone")


def points_seen(page, yes: bool) -> None:
    """The pulled point's target is drawn or not, by now with its handle on it, and the button says so."""
    expect(page.get_by_role("button", name="Points", exact=True)).to_have_attribute("aria-pressed", str(yes).lower())
    assert (colour_at(page, TARGET) in POINT_COLOURS) == yes


@pytest.mark.parametrize("steps", [8])
def test_a_finished_result_is_shown_without_points(tab, portrait, ready):
    """… until the photo is touched, or H or the button asks for them; and what is not yet done is always shown."""
    photo, beside = on_screen(tab, (200.0, 60.0)), (900, 20)
    choose(tab, ready(portrait))
    pull(tab, MOUTH, TARGET)
    points_seen(tab, True)
    tab.keyboard.press("h")
    points_seen(tab, False)
    tab.keyboard.press("h")
    tab.click("#start")
    wait_for_result(tab)
    points_seen(tab, False)
    tab.mouse.move(*photo)
    points_seen(tab, True)
    tab.keyboard.down("b")
    assert colour_at(tab, TARGET) not in POINT_COLOURS
    tab.keyboard.up("b")
    tab.mouse.move(*beside)
    points_seen(tab, False)
    tab.keyboard.press("h")
    points_seen(tab, True)
    tab.locator("#show-points").focus()
    tab.keyboard.press("Enter")
    points_seen(tab, False)
    tab.mouse.move(*photo)
    points_seen(tab, False)  # it was asked for

    pull(tab, (149.6, 140.8), (154.0, 138.0))
    points_seen(tab, True)
    tab.mouse.move(*beside)
    points_seen(tab, True)
    tab.keyboard.press("Control+z")
    points_seen(tab, False)
    tab.check("input[name=mask][value=face]")
    points_seen(tab, True)
    tab.keyboard.press("Control+z")
    points_seen(tab, False)
    tab.locator("#points li button").first.click()
    points_seen(tab, True)


def test_points_are_moved_and_removed(tab, portrait, ready):
    choose(tab, ready(portrait))
    pull(tab, MOUTH, TARGET)
    pull(tab, TARGET, (110.0, 150.0))
    row = tab.locator("#points li button").first
    expect(row).to_have_text(re.compile(r"→ 110, 150"))
    pull(tab, (149.6, 140.8), (149.6, 140.8))  # a click: stays where it is
    expect(tab.locator("#points li")).to_have_count(2)
    tab.mouse.click(*on_screen(tab, (110.0, 150.0)), button="right")
    expect(tab.locator("#points li")).to_have_count(1)
    expect(tab.locator("#start")).to_be_disabled()
    tab.keyboard.press("Control+z")
    expect(tab.locator("#points li")).to_have_count(2)
    tab.locator("#points li button[aria-label='Remove point 1']").click()
    expect(tab.locator("#points li")).to_have_count(1)


def test_presets_are_sliders(tab, portrait, ready, tmp_path):
    """They pull what the command line's presets pull, each move is one change, and a hand wins."""
    choose(tab, ready(portrait))
    smile, told = tab.get_by_role("slider", name="Smile"), tab.locator("#of-presets")
    first, *folded = PRESET_GROUPS
    expect(tab.get_by_role("slider")).to_have_count(len(PRESET_GROUPS[first]) + 1)  # and the wiper
    for title in folded:
        tab.get_by_text(title, exact=True).click()
    expect(tab.get_by_role("slider")).to_have_count(len(PRESETS) + 1)
    smile.fill("0.4")
    expect(told).to_have_text("2 of sliders, shown without numbers.")
    tab.get_by_role("slider", name="Open mouth").fill("0.5")
    expect(told).to_have_text("5 of sliders, shown without numbers.")
    smile.focus()
    tab.keyboard.down("ArrowLeft")
    tab.keyboard.down("ArrowLeft")  # held
    tab.keyboard.up("ArrowLeft")
    expect(smile).to_have_value("0.3")
    tab.keyboard.press("Control+z")
    expect(smile).to_have_value("0.4")
    tab.keyboard.press("Control+Shift+z")
    expect(smile).to_have_value("0.3")
    amounts = {"smile": 0.3, "open-mouth": 0.5}
    corner, end = presets.drags(amounts, detect(np.array(picture(portrait.read_bytes())))[0].landmarks)[0]
    pull(tab, end, MOUTH)  # the corner's target, to about its handle
    expect(tab.locator("#points li")).to_have_count(1)
    expect(told).to_have_text("And 4 of sliders, shown without numbers.")
    tab.click("#start")
    wait_for_result(tab)
    expect(told).to_have_text("And 4 of sliders, shown without numbers.")
    (content,) = (json.loads(data) for data in saved(tab, "#save-json").values())
    ((handle, _),) = content["drags"]
    assert tuple(handle) == corner and content["presets"] == amounts
    for _ in range(2):  # the drag, the pull by hand
        tab.keyboard.press("Control+z")
    expect(told).to_have_text("5 of sliders, shown without numbers.")
    smile.dblclick()
    expect(smile).to_have_value("0")
    tab.get_by_role("button", name="Open mouth: back to 0").click()
    expect(told).to_be_hidden()
    expect(tab.locator("#start")).to_be_disabled()


def test_what_presets_reshape_without_a_point(tab, portrait, ready):
    """Eyes look aside: without a drag, again after an undo, and in the edit's file as such."""
    choose(tab, ready(portrait))
    tab.get_by_text("Eyes and brows", exact=True).click()
    gaze = tab.get_by_role("slider", name="Gaze x")
    expect(tab.locator("#start")).to_be_disabled()
    gaze.fill("0.8")
    expect(tab.locator("#of-presets")).to_be_hidden()
    tab.click("#start")
    wait_for_result(tab)
    (done,) = (picture(data) for data in saved(tab, "#save-png").values())
    was = picture(portrait.read_bytes())
    assert (done != was)[95:112, 90:165].any() and np.array_equal(done[130:], was[130:])
    (content,) = (json.loads(data) for data in saved(tab, "#save-json").values())
    assert content["presets"] == {"gaze-x": 0.8} and content["drags"] == []
    gaze.fill("0")
    expect(tab.locator("#start")).to_be_disabled()


def preview_is(page, shown: bool) -> None:
    """There, marked as one, and nothing to be saved; or gone."""
    expect(page.locator("body")).to_have_attribute("data-preview", str(shown).lower())
    expect(page.locator("#preview")).to_have_text("Rough preview: Start makes the picture." if shown else "")
    if shown:
        expect(page.locator("#save-png")).to_be_disabled()


@pytest.mark.parametrize("steps", [2])
def test_a_preview_answers_before_the_face_is_learnt(tab, portrait, slow_projection):
    """It shows the mouth's corner where it goes, and is gone at an undo, with the picture and with another photo."""
    tab.set_input_files("#file", portrait)
    smile = tab.get_by_role("slider", name="Smile")
    expect(smile).to_be_enabled(timeout=SLOW)
    tab.click("#fit")
    tab.uncheck("#landmarks")
    tab.locator("#show-points").click()  # points lie over what is looked at
    before = seen(tab)
    smile.fill("0.8")
    preview_is(tab, True)
    assert seen(tab) != before
    expect(tab.locator("body")).to_have_attribute("data-phase", "learning")
    tab.keyboard.press("Control+z")
    preview_is(tab, False)
    smile.fill("0.6")
    preview_is(tab, True)
    expect(tab.locator("#start")).to_be_enabled(timeout=SLOW)
    tab.click("#start")
    slow_projection.set()
    expect(tab.locator("#save-png")).to_be_enabled(timeout=SLOW)
    wait_for_result(tab)
    preview_is(tab, False)
    pull(tab, (150.0, 110.0), (156.0, 112.0))
    preview_is(tab, True)
    tab.set_input_files("#file", portrait)
    preview_is(tab, False)


def test_a_late_preview_is_dropped(tab, portrait, ready):
    """One that was asked for before an undo."""
    choose(tab, ready(portrait))
    tab.evaluate("""
        const { onmessage } = socket;
        window.late = [];
        socket.onmessage = (event) => {
            const text = typeof event.data === "string" ? event.data : new TextDecoder().decode(event.data);
            if (text.includes('"type": "warp"')) late.push(event);
            else onmessage(event);
        };
        window.arrive = () => late.splice(0).forEach(onmessage);
        0
    """)
    tab.get_by_role("slider", name="Smile").fill("0.5")
    wait_until(lambda: tab.evaluate("late.length") == 1)
    tab.keyboard.press("Control+z")
    tab.evaluate("arrive()")
    tab.wait_for_timeout(200)
    preview_is(tab, False)
    tab.get_by_role("slider", name="Smile").fill("0.6")  # and the next one is asked for
    wait_until(lambda: tab.evaluate("late.length") == 1)
    tab.evaluate("arrive()")
    preview_is(tab, True)


@pytest.mark.parametrize("steps", [2])
def test_an_expression_and_a_region(tab, portrait, ready, tmp_path):
    """Both can be undone, and are in the edit's file."""
    choose(tab, ready(portrait))
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    tab.get_by_text("Expression", exact=True).click()
    tab.set_input_files("#expression-file", bad)
    expect(tab.locator("#status")).to_contain_text("bad.jpg is not a picture of a known kind")
    other = mirrored(portrait, "laughing.png")
    tab.set_input_files("#expression-file", other)
    expect(tab.locator("#expression-name")).to_have_text("As in laughing.png.")
    preview_is(tab, True)
    tab.get_by_role("slider", name="How much").fill("0.5")
    tab.get_by_text("A part of the face, as one", exact=True).click()
    tab.select_option("#region", label="Nose")
    tab.get_by_role("slider", name="Size").fill("0.9")
    expect(tab.locator("#region option:checked")).to_have_text("Nose (moved)")
    tab.keyboard.press("Control+z")
    expect(tab.locator("#region option:checked")).to_have_text("Nose")
    tab.keyboard.press("Control+Shift+z")
    tab.locator("#start", has_text="Start").click()
    wait_for_result(tab)
    (content,) = (json.loads(data) for data in saved(tab, "#save-json").values())
    assert content["regions"] == ["nose:+0%,+0%,scale=0.9"] and content["drags"] == []
    assert content["expression"]["amount"] == 0.5 and len(content["expression"]["landmarks"]) == 68
    for _ in range(3):  # the drag, the region, how much
        tab.keyboard.press("Control+z")
    expect(tab.get_by_role("slider", name="How much")).to_have_value("0.8")
    tab.keyboard.press("Control+z")
    expect(tab.locator("#expression-name")).to_be_hidden()
    expect(tab.locator("#start")).to_be_disabled()


def test_keyboard_alone(tab, portrait, ready):
    choose(tab, ready(portrait))
    tab.select_option("#landmark", label="Mouth, left corner")
    tab.focus("#add")
    tab.keyboard.press("Enter")
    row = tab.locator("#points li button").first
    before = [int(number) for number in re.findall(r"\d+", row.inner_text())[1:]]
    tab.keyboard.press("Shift+ArrowLeft")
    tab.keyboard.press("ArrowUp")
    after = [int(number) for number in re.findall(r"\d+", row.inner_text())[1:]]
    assert np.allclose(np.subtract(after, before), [0, 0, -10, -1], atol=1)
    tab.keyboard.press("Enter")
    expect(tab.locator("#start")).to_have_text("Stop")
    wait_for_result(tab)
    tab.locator("#canvas").focus()
    tab.keyboard.press("Delete")
    expect(tab.locator("#points li")).to_have_count(0)


def test_a_mask_is_painted_and_kept_to(tab, portrait, ready):
    choose(tab, ready(portrait))
    pull(tab, MOUTH, (98.0, 132.0))
    tab.check("input[value=brush]")
    tab.locator("#size").fill("120")
    pull(tab, (85.0, 139.0), (110.0, 139.0))
    tab.keyboard.press("Control+z")  # at once: the stroke is one change, and there already
    expect(tab.locator("input[name=mask][value=auto]")).to_be_checked()
    tab.keyboard.press("Control+Shift+z")
    expect(tab.locator("input[value=painted]")).to_be_checked()
    tab.click("#start")
    wait_for_result(tab)
    files = saved(tab, "#save-json", 2) | saved(tab, "#save-png")
    with Image.open(io.BytesIO(files["portrait-mask.png"])) as image:
        mask = np.array(image)
    assert mask.shape == (SIDE, SIDE) and mask[139, 100] == 255 and mask[139, 200] == mask[60, 100] == 0
    ours, old = picture(files["portrait-photodrag.png"]), picture(portrait.read_bytes())
    assert (ours != old).any() and np.array_equal(ours[mask == 0], old[mask == 0])


def test_the_face_is_painted_by_its_landmarks(tab, portrait, ready):
    """As the jaw and the brows, raised over the forehead, go round it."""
    choose(tab, ready(portrait))
    pull(tab, MOUTH, TARGET)
    tab.check("input[value=brush]")
    tab.click("#paint-face")
    expect(tab.locator("input[value=painted]")).to_be_checked()
    tab.click("#start")
    wait_for_result(tab)
    with Image.open(io.BytesIO(saved(tab, "#save-json", 2)["portrait-mask.png"])) as image:
        mask = np.array(image)
    landmarks = detect(picture(portrait.read_bytes()))[0].landmarks
    up = 0.45 * (landmarks[17:27].mean(0) - landmarks[48:68].mean(0))
    outline = np.concatenate((landmarks[:17], (landmarks[17:27] + up)[::-1]))
    wanted = cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [outline.round().astype(np.int32)], 255)
    painted, asked = mask > 127, wanted > 127
    assert asked.mean() > 0.1 and (painted & asked).sum() > 0.97 * (painted | asked).sum()


def test_a_drag_done_again_tells_its_own_first_picture(tab, portrait, slow_projection, monkeypatch):
    """A drag on the unfinished likeness, whose first picture is late, is done again on the finished one."""
    edit, late = Preview.edit, iter([3.0])
    monkeypatch.setattr(Preview, "edit", lambda *given: time.sleep(next(late, 0)) or edit(*given))
    tab.set_input_files("#file", portrait)
    expect(tab.locator("body")).to_have_attribute("data-phase", "learning", timeout=SLOW)
    tab.click("#fit")
    pull(tab, MOUTH, TARGET)
    expect(tab.locator("#start")).to_be_enabled(timeout=SLOW)
    tab.click("#start")
    expect(tab.locator("body")).to_have_attribute("data-first", re.compile(r"^([3-9]|\d\d)\d{3}$"), timeout=SLOW)
    expect(tab.locator("#start")).to_have_text("Start", timeout=SLOW)
    slow_projection.set()
    expect(tab.locator("#save-png")).to_be_enabled(timeout=SLOW)
    wait_for_result(tab)
    assert 0 < int(tab.get_attribute("body", "data-first")) < 3000
    assert not re.search(r"First picture after ([3-9]|\d\d)", tab.inner_text("#status"))


def test_another_likeness_has_the_drag_made_anew(tab, portrait, ready):
    tab.set_input_files("#file", ready(portrait))
    expect(tab.locator("body")).to_have_attribute("data-phase", "ready", timeout=SLOW)
    tab.click("#fit")
    pull(tab, MOUTH, TARGET)
    tab.click("#start")
    wait_for_result(tab)
    tab.select_option("#likeness", "fine")
    expect(tab.locator("#save-png")).to_be_disabled()
    expect(tab.locator("#save-png")).to_be_enabled(timeout=SLOW)
    assert tab.locator("#points li").count() == 1
    tab.click("#undo")
    expect(tab.locator("#undo")).to_be_enabled()


def test_two_tabs(browser, tab, server, portrait, ready):
    other = opened(browser, server.url)
    for page in (tab, other):
        page.set_input_files("#file", ready(portrait))
    for page in (tab, other):
        expect(page.locator("body")).to_have_attribute("data-phase", "ready", timeout=SLOW)
        page.click("#fit")
        pull(page, MOUTH, TARGET)
        page.click("#start")
    for page in (tab, other):
        wait_for_result(page)
    assert other.troubles == []
    other.context.close()


def test_uploads_that_are_refused(tab, portrait, ready, tmp_path):
    broken, large = tmp_path / "broken.png", tmp_path / "large.png"
    broken.write_bytes(portrait.read_bytes()[:3000])
    large.write_bytes(png((8, 0), np.zeros((1, 1), np.uint8), size=(10_000, 10_000)))
    tab.set_input_files("#file", broken)
    expect(tab.locator("#status")).to_contain_text("broken.png is cut short or damaged")
    tab.set_input_files("#file", large)
    expect(tab.locator("#status")).to_contain_text(
        "large.png says it is 10,000 × 10,000 pixels; more than 50 megapixels"
    )
    choose(tab, ready(portrait))


def test_wrong_token(browser, server):
    page = opened(browser, server.origin + "/?token=wrong")
    assert "The token is missing or wrong" in page.inner_text("body")
    page.context.close()


def test_server_killed_and_restarted(browser, cache, portrait, ready):
    """The page says so, goes on, and drags again what was dragged."""

    def start(port: str) -> tuple[subprocess.Popen, str]:
        process = subprocess.Popen(
            [COMMAND, "serve", "--no-browser", "--port", port],
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment(PHOTODRAG_CACHE=str(cache)),
        )
        return process, process.stdout.readline().split()[-1]

    process, address = start("0")
    page = opened(browser, address)
    try:
        choose(page, ready(portrait))
        pull(page, MOUTH, TARGET)
        page.click("#start")
        expect(page.locator("body")).not_to_have_attribute("data-frames", "0", timeout=SLOW)
        process.send_signal(signal.SIGKILL)
        process.wait()
        expect(page.locator("#banner")).to_contain_text("The server does not answer")
        process, again = start(re.search(r":(\d+)/", address)[1])
        assert again == address
        expect(page.locator("#banner")).to_be_hidden(timeout=SLOW)
        expect(page.locator("body")).to_have_attribute("data-phase", "ready", timeout=SLOW)
        expect(page.locator("#points li")).to_have_count(1)
        expect(page.locator("#start")).to_have_text("Stop", timeout=SLOW)
        expect(page.locator("body")).not_to_have_attribute("data-frames", "0", timeout=SLOW)
    finally:
        page.context.close()
        process.kill()
        process.wait()
    assert page.troubles == []


def cut(page, server) -> None:
    """Close its connection, and wait until it learns its face again, in a new tab."""
    (old,) = server.app_state.tabs
    page.evaluate("socket.close()")
    wait_until(lambda: any(tab is not old and tab._chosen.choice for tab in server.app_state.tabs))
    wait_until(lambda: old not in server.app_state.tabs)


def relearning(page, server, path) -> None:
    """Have a page drag by a slider on the unfinished likeness of its first face, and be cut off meanwhile."""
    page.set_input_files("#file", path)
    expect(page.locator("#face-list button, body[data-phase=learning] #start").first).to_be_visible(timeout=SLOW)
    if page.locator("body").get_attribute("data-phase") == "choose":
        page.get_by_role("button", name="Face 1").click()
    expect(page.get_by_role("slider", name="Smile")).to_be_enabled(timeout=SLOW)
    page.get_by_role("slider", name="Smile").fill("0.4")
    page.click("#start")
    expect(page.locator("#start")).to_have_text("Stop")
    cut(page, server)


def nothing_is_left(page) -> None:
    expect(page.locator("body")).to_have_attribute("data-phase", "ready", timeout=SLOW)
    expect(page.locator("#status")).to_contain_text("Ready: pull points")
    expect(page.locator("#start")).to_have_text("Start")
    expect(page.locator("#undo")).to_be_disabled()


@pytest.mark.parametrize("steps", [DragSettings.steps])
def test_another_photo_while_a_page_that_came_back_still_learns(tab, server, portrait, slow_projection, ready):
    other = mirrored(portrait, "other.png")
    relearning(tab, server, portrait)
    tab.set_input_files("#file", ready(other))
    nothing_is_left(tab)


@pytest.mark.parametrize("steps", [DragSettings.steps])
def test_another_face_while_a_page_that_came_back_still_learns(tab, server, portrait, slow_projection):
    two = portrait.with_name("two.png")
    with Image.open(portrait) as image:
        Image.fromarray(np.hstack([np.array(image)] * 2)).save(two)
    relearning(tab, server, two)
    (new,) = server.app_state.tabs
    first = new._chosen.choice
    tab.get_by_role("button", name="Face 2").click()
    wait_until(lambda: new._chosen.choice not in (first, None))
    slow_projection.set()
    nothing_is_left(tab)


@pytest.mark.parametrize("steps", [1])
def test_results_of_before_a_cut_are_not_mistaken(tab, server, portrait, ready):
    choose(tab, ready(portrait))
    pull(tab, MOUTH, TARGET)
    for amount in ("0.2", "0.4"):
        tab.get_by_role("slider", name="Smile").fill(amount)
        tab.click("#start")
        expect(tab.locator("#save-png")).to_be_enabled(timeout=SLOW)
        wait_for_result(tab)
    cut(tab, server)
    expect(tab.locator("#save-png")).to_be_enabled(timeout=SLOW)  # the last one, made again
    for _ in range(3):  # that, the last one as it was, the slider
        tab.keyboard.press("Control+z")
        expect(tab.locator("#save-png")).to_be_disabled()
    pull(tab, (150.0, 110.0), (156.0, 112.0))
    expect(tab.locator("#status")).to_contain_text("No point can be added to this result")
    expect(tab.locator("#points li")).to_have_count(1)


@pytest.mark.parametrize("steps", [12])
def test_a_drag_outlives_two_cuts(tab, server, portrait, slow_projection):
    relearning(tab, server, portrait)
    cut(tab, server)
    slow_projection.set()
    expect(tab.locator("#save-png")).to_be_enabled(timeout=SLOW)
    wait_for_result(tab)


@pytest.mark.parametrize("steps", [1])
def test_a_point_placed_while_the_server_is_away(tab, server, portrait, ready):
    """It takes hold of what the result shows there, once that is made again."""
    choose(tab, ready(portrait))
    pull(tab, MOUTH, TARGET)
    tab.click("#start")
    wait_for_result(tab)
    (old,) = server.app_state.tabs
    tab.evaluate("socket.close()")
    pull(tab, (150.0, 110.0), (156.0, 112.0))  # at once: the page comes back after a second
    expect(tab.locator("#banner")).to_be_visible()
    expect(tab.locator("#points li")).to_have_count(2)
    expect(tab.locator("#start")).to_be_disabled()
    wait_until(lambda: old not in server.app_state.tabs)
    expect(tab.locator("#start", has_text="Start")).to_be_enabled(timeout=SLOW)
    expect(tab.locator("#points li")).to_have_count(2)


def test_answers_that_come_too_late_are_not_heard(tab, portrait, ready):
    """Those of another photo and of another face, whose ids are not what was asked last."""
    choose(tab, ready(portrait))
    expect(tab.locator("#status")).to_contain_text("Ready: pull points")
    for late in [
        {"type": "faces", "id": 0, "faces": []},
        {"type": "doing", "id": 0, "text": "inverting", "done": 3, "total": 9},
        {"type": "error", "about": "invert", "id": 0, "text": "No such face."},
        {"type": "error", "about": "photo", "id": 0, "text": "No such photo."},
    ]:
        tab.evaluate("message => socket.onmessage({ data: JSON.stringify(message) })", late)
    tab.wait_for_timeout(100)
    expect(tab.locator("body")).to_have_attribute("data-phase", "ready")
    expect(tab.locator("#status")).to_contain_text("Ready: pull points")


SLOW_MASKS = """
    const { toBlob } = HTMLCanvasElement.prototype, { send } = WebSocket.prototype;
    window.waiting = [], window.sent = [];
    HTMLCanvasElement.prototype.toBlob = function (...given) { waiting.push(() => toBlob.apply(this, given)); };
    WebSocket.prototype.send = function (data) {
        sent.push(data instanceof Blob ? "drag" : data);
        send.call(this, data);
    };
    0
"""
"""Ends in no function, which would be called."""


def start_with_a_slow_mask(page, photo) -> None:
    """A drag that is asked for, and whose painted mask isn't there yet."""
    choose(page, photo)
    pull(page, MOUTH, TARGET)
    page.check("input[value=brush]")
    page.evaluate(SLOW_MASKS)
    page.click("#paint-face")
    page.click("#start")


def test_a_drag_that_waits_for_its_mask_is_not_sent_for_another_face(tab, portrait, ready):
    start_with_a_slow_mask(tab, ready(portrait))
    expect(tab.locator("#start")).to_have_text("Stop")
    tab.locator("#face-list button").evaluate("button => button.click()")
    expect(tab.locator("#status")).to_contain_text("Ready: pull points", timeout=SLOW)
    tab.evaluate("waiting.forEach(go => go())")
    tab.wait_for_timeout(300)
    sent = tab.evaluate("sent")
    assert any('"face"' in said for said in sent) and "drag" not in sent


@pytest.mark.parametrize("steps", [DragSettings.steps])
def test_a_drag_that_waits_for_its_mask_can_be_stopped(tab, portrait, ready):
    start_with_a_slow_mask(tab, ready(portrait))
    tab.locator("#start", has_text="Stop").click()
    tab.evaluate("waiting.forEach(go => go())")
    wait_for_result(tab)
    expect(tab.locator("#status")).to_contain_text("Done in 1 steps: you stopped it")


def test_of_two_photos_the_one_chosen_last_is_opened(tab, portrait, ready):
    """However long the other one takes to be read from the disk."""
    tab.evaluate("""
        Blob.prototype.arrayBuffer = async function () {
            if (this.name === "slow.png") await new Promise(done => window.arrive = done);
            return new Response(this).arrayBuffer();
        };
        0
    """)
    slow = portrait.with_name("slow.png")
    shutil.copy(portrait, slow)
    tab.set_input_files("#file", slow)
    tab.wait_for_function("typeof window.arrive === 'function'")
    choose(tab, ready(portrait))
    tab.evaluate("arrive()")
    tab.wait_for_timeout(300)
    expect(tab.locator("body")).to_have_attribute("data-phase", "ready")


def test_a_box_is_drawn_after_all_not(tab, portrait, ready):
    """The button, pressed again, gives back the face and what was done to it."""
    choose(tab, ready(portrait))
    pull(tab, MOUTH, TARGET)
    draw = tab.locator("#draw-face")
    draw.evaluate("button => button.click()")
    expect(tab.locator("body")).to_have_attribute("data-phase", "choose")
    draw.evaluate("button => button.click()")
    expect(tab.locator("body")).to_have_attribute("data-phase", "ready")
    expect(tab.locator("#points li")).to_have_count(1)
    expect(tab.locator("#start")).to_be_enabled()


def test_a_photo_that_was_too_large_is_not_what_the_page_goes_on_with(tab, server, portrait, ready, tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(65 << 20)
    choose(tab, ready(portrait))
    tab.set_input_files("#file", large)
    expect(tab.locator("#status")).to_contain_text("large.png is larger than 64 MB")
    cut(tab, server)
    (new,) = server.app_state.tabs
    assert new._opened.photo.path.name == portrait.name
    expect(tab.locator("#status")).to_contain_text("Ready: pull points", timeout=SLOW)


class Fingers:
    """On the screen of a page, as many as places are given."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)

    def down(self, *places) -> None:
        self._touch("touchStart", places)

    def move(self, *places) -> None:
        self._touch("touchMove", places)

    def up(self) -> None:
        self._touch("touchEnd", ())

    def swipe(self, start, end) -> None:
        self.down(start)
        for share in (0.5, 1):
            self.move(tuple(np.add(start, share * np.subtract(end, start))))
        self.up()

    def _touch(self, kind: str, places) -> None:
        points = [{"x": float(x), "y": float(y), "id": number} for number, (x, y) in enumerate(places)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_fingers(browser, server, portrait, ready):
    page = opened(browser, server.url, **PHONE)
    choose(page, ready(portrait))
    fingers, rows = Fingers(page), page.locator("#points li button:first-child")
    fingers.swipe(on_screen(page, MOUTH), on_screen(page, TARGET))
    expect(rows).to_have_count(1)
    expect(rows.first).to_have_text(re.compile(r"1: 10\d, 139 → 99, 134"))
    cheek = on_screen(page, (150.0, 110.0))
    fingers.down(cheek)  # a tap: that place stays
    fingers.up()
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_have_text(re.compile(r"2: (\d+, \d+) → \1"))
    fingers.swipe(cheek, on_screen(page, (158.0, 116.0)))  # the pin is taken hold of
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_have_text(re.compile(r"→ 158, 116"))

    # Two fingers on the face, twice as far apart in the end: no point is left, and all is twice as large.
    middle = on_screen(page, (127.5, 127.5))
    apart = [tuple(np.add(middle, (0, way))) for way in (-40, 40, -60, 60, -80, 80)]
    fingers.down(apart[0])
    fingers.down(*apart[:2])
    fingers.move(*apart[2:4])
    fingers.move(*apart[4:])
    fingers.up()
    expect(rows).to_have_count(2)
    fingers.down(on_screen(page, (127.5 + 40, 127.5 + 20)))
    fingers.up()
    expect(rows).to_have_count(3)
    seen_at = [int(number) for number in re.findall(r"\d+", rows.nth(2).inner_text())[1:3]]
    assert np.allclose(seen_at, (127.5 + 20, 127.5 + 10), atol=4)

    # A finger that slides a preset, and one that moves the page under the photo.
    box = page.get_by_role("slider", name="Smile").bounding_box()
    if box["y"] > PHONE["viewport"]["height"] - 60:
        page.evaluate("y => scrollBy(0, y)", box["y"] - PHONE["viewport"]["height"] + 120)
        box = page.get_by_role("slider", name="Smile").bounding_box()
    line = box["y"] + box["height"] / 2
    fingers.swipe((box["x"] + box["width"] / 2, line), (box["x"] + 0.8 * box["width"], line))
    expect(page.locator("#of-presets")).to_be_visible()
    assert 0.3 <= float(page.get_by_role("slider", name="Smile").input_value()) <= 0.9
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]
    page.get_by_role("button", name="Start").tap()
    wait_for_result(page)
    page.context.close()
    assert page.troubles == []


@pytest.mark.parametrize("steps", [8])
def test_points_under_fingers(browser, server, portrait, ready):
    page = opened(browser, server.url, color_scheme="dark", **PHONE)
    choose(page, ready(portrait))
    fingers, button = Fingers(page), page.get_by_role("button", name="Points", exact=True)
    fingers.swipe(on_screen(page, MOUTH), on_screen(page, TARGET))
    page.get_by_role("button", name="Start").tap()
    wait_for_result(page)
    points_seen(page, False)
    for yes in (True, False):
        button.tap()
        points_seen(page, yes)
    fingers.down(on_screen(page, (150.0, 110.0)))
    points_seen(page, True)
    fingers.up()
    expect(page.locator("#points li")).to_have_count(2)
    page.context.close()
    assert page.troubles == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1200])
def test_accessible(browser, server, portrait, ready, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    device = PHONE if width == 390 else {"viewport": {"width": width, "height": 740}}
    page = opened(browser, server.url, color_scheme=scheme, bypass_csp=True, **device)

    def check() -> None:
        found = axe.Axe().run(page).response["violations"]
        assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    check()
    choose(page, ready(portrait))
    pull(page, MOUTH, TARGET)
    for title in ("Head", "Expression", "A part of the face, as one"):
        page.get_by_text(title, exact=True).click()
    page.get_by_role("slider", name="Turn left").fill("-0.5")
    page.set_input_files("#expression-file", portrait)
    expect(page.locator("#expression-amount")).to_be_visible()
    page.get_by_text("Keys", exact=True).click()
    expect(page.locator("#of-presets")).to_be_visible()
    check()
    if folder := os.environ.get("PHOTODRAG_SCREENSHOTS"):
        page.screenshot(path=os.path.join(folder, f"{scheme}-{width}.png"))
    page.context.close()
