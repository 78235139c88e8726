"""Films as people see them: in Chromium. Debian's plays H.264; others may not, and then say so."""

import base64

import numpy as np
import pytest
from browser import chromium, needs_chromium
from swatches import furthest, swatches

from photodrag.pipeline.films.video import encoded_video

pytestmark = needs_chromium
TYPES = {".mp4": 'video/mp4; codecs="avc1.640028"', ".webm": 'video/webm; codecs="vp09.00.40.08"'}
CLOSE = 5, 5, 16
"""Levels of red, green and blue. Without a GPU Chromium turns films to RGB by libyuv, which has blue's 2.11 as 2.0."""
OPENED = """async ([data, type]) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const video = window.video = document.createElement("video");
    video.muted = true;
    const ready = new Promise((done, failed) => {
        video.onloadeddata = done;
        video.onerror = () => failed(new Error(video.error.message));
    });
    video.src = URL.createObjectURL(new Blob([bytes], { type }));
    document.body.append(video);
    await ready;
    return [video.readyState, video.duration, video.videoWidth, video.videoHeight];
}"""
SEEN = """async at => {
    const there = new Promise(done => { video.onseeked = done; });
    video.currentTime = at;
    await there;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext("2d", { colorSpace: "srgb", willReadFrequently: true });
    let data = [0, 0, 0, 0];
    for (let tries = 0; data[3] === 0 && tries < 100; tries++) {  // a busy Chromium may have no frame to draw yet
        await new Promise(done => setTimeout(done, 50 * Math.min(tries, 1)));
        context.drawImage(video, 0, 0);
        ({ data } = context.getImageData(0, 0, canvas.width, canvas.height));
    }
    return btoa(Array.from(data, value => String.fromCharCode(value)).join(""));
}"""
PLAYED = """async () => {
    video.currentTime = 0;
    const times = [], ended = new Promise(done => { video.onended = done; });
    video.ontimeupdate = () => times.push(video.currentTime);
    await video.play();
    await ended;
    return [...times, video.currentTime];
}"""


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        yield browser.new_page()


@pytest.mark.parametrize("shape", [(128, 160), (161, 99), (720, 1280)], ids=["small", "odd", "large"])
@pytest.mark.parametrize("suffix", TYPES)
def test_it_plays_in_its_colours(page, suffix, shape):
    """White, the fields upright, the fields upside down: each is there at its time, in its colours, and it ends."""
    if not page.evaluate("type => document.createElement('video').canPlayType(type)", TYPES[suffix]):
        pytest.skip(f"this Chromium plays no {TYPES[suffix]}")
    fields = swatches(*shape)
    film = encoded_video([np.full_like(fields, 255), fields, fields[::-1, ::-1]], suffix)
    opened = page.evaluate(OPENED, [base64.b64encode(film).decode(), TYPES[suffix].partition(";")[0]])
    height, width = (side + side % 2 for side in shape)
    assert opened[0] >= 2 and opened[1] == pytest.approx(23 / 20, abs=0.01) and opened[2:] == [width, height]
    shown = []
    for at in (0.025, 0.075, 0.125, 1.0):
        data = base64.b64decode(page.evaluate(SEEN, at))
        shown.append(np.frombuffer(data, np.uint8).reshape(height, width, 4)[: shape[0], : shape[1], :3])
    assert shown[0].min() > 250
    for picture in (shown[1], *(picture[::-1, ::-1] for picture in shown[2:])):
        assert (furthest(picture) <= CLOSE).all()
    times = page.evaluate(PLAYED)
    assert len(times) > 2 and times == sorted(times) and times[-1] == pytest.approx(opened[1], abs=0.01)
