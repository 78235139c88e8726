"""How soon the page shows what a drag does: small seeded drags of a face, over the page's own WebSocket.

python tests/bench/page.py [--photo PHOTO] [--drags N]

Prints how long the first picture takes from the change, how many come a second, and where the time goes: the drag's
own steps, and of each picture the generator's drawing, the blending into the photo, the JPEG. The first run of a
photo learns its face, which isn't counted.

With --preview: how long a slider's move takes, in a real browser, until the page shows the bent photo: right after a
photo's drop, while the face is learnt, and once it is ready.

With --fresh: how long a photo that was never seen before takes from the drop to the first picture of a drag, which
begins as soon as the page knows where the face is; the server has loaded nothing yet."""

import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from photodrag.pipeline.page import jobs, preview
from photodrag.pipeline.page.app_state import AppState
from photodrag.weights import keep_freed_memory

sys.path += [str(Path(__file__).parents[1] / "pipeline"), str(Path(__file__).parents[1])]
from serving import served
from user_cache import lay_out

ASTRONAUT = Path(__file__).parents[2] / "data" / "astronaut.png"
PLACES = "mouth.left", "mouth.right", "brow.left", "brow.right", "nose", "chin"
LENGTHS = 0.03, 0.07
"""Of a drag, in parts of the face's width."""
WATCHED = 4.0
"""Seconds after the first picture at which a drag is stopped."""
SCREEN = 2.0
"""Pixels of the screen to one of the photo."""

Spent = dict[str, list[float]]


def timed(owner: object, name: str, spent: Spent) -> None:
    """Let a function or method write down the seconds that each call takes."""
    work: Callable = getattr(owner, name)

    def measured(*arguments, **more):
        began = time.monotonic()
        try:
            return work(*arguments, **more)
        finally:
            spent[name].append(time.monotonic() - began)

    setattr(owner, name, measured)


def drags_of(face: dict, count: int, seed: int) -> list[list]:
    """So many small drags of one point each: [[handle, target]]."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        handle = np.array(face["names"][PLACES[number % len(PLACES)]])
        angle, length = random.uniform(0, 2 * np.pi), random.uniform(*LENGTHS) * face["box"][2]
        made.append([[handle.tolist(), (handle + length * np.array([np.cos(angle), np.sin(angle)])).tolist()]])
    return made


def watch(page, number: int, drags: list) -> tuple[list[float], int]:
    """Drag, and say when each picture came, in seconds after the change, the result's where it was the first; and
    the steps that were made."""
    began, came, stopped = time.monotonic(), [], False
    page.say("drag", id=number, drags=drags, mask="auto", scale=SCREEN)
    while (heard := page.hear())["type"] != "result":
        if heard["type"] == "error":
            raise click.ClickException(heard["text"])
        if heard["type"] == "frame":
            came.append(time.monotonic() - began)
        if came and not stopped and time.monotonic() - began > came[0] + WATCHED:
            page.say("stop")
            stopped = True
    return came or [time.monotonic() - began], heard["steps"]


def told(spent: Spent, steps: int) -> str:
    """Where the time of all drags went, in words."""
    pictures, drawn, encoded = (sum(spent[name]) for name in ("edit", "_picture", "patch"))
    count = max(1, len(spent["edit"]))
    stepping = (sum(spent["drag_face"]) - pictures) / max(1, steps)
    parts = {"drawn": drawn, "blended": pictures - drawn - encoded, "JPEG": encoded}
    words = ", ".join(f"{part} {1000 * took / count:.1f}" for part, took in parts.items())
    return f"a step of the drag {1000 * stepping:.0f} ms; a picture {1000 * pictures / count:.0f} ms: {words}"


def from_the_drop(page, photo: Path) -> tuple[float, float]:
    """Seconds from a photo's drop to the first picture of a drag, and until the face is inverted."""
    began = time.monotonic()
    face = page.open(photo)["faces"][0]
    page.say("face", id=2, number=1, box=None, likeness="auto")
    page.hear_until("likeness")
    page.say("drag", id=3, drags=drags_of(face, 1, 0)[0], mask="auto", scale=SCREEN)
    while page.hear()["type"] not in ("frame", "result"):
        pass
    first = time.monotonic() - began
    page.hear_until("inverted")
    return first, time.monotonic() - began


SLIDE = """async ([name, amount]) => {
    const slider = document.getElementById(`preset-${name}`), { body } = document, before = body.dataset.previews;
    const frame = () => new Promise(requestAnimationFrame), began = performance.now();
    slider.value = amount;
    slider.dispatchEvent(new Event("input"));
    while (body.dataset.previews === before) await frame();
    await frame();
    return performance.now() - began;
}"""
"""Moves a slider, and says after how many ms the canvas showed the photo bent by it."""
MOVES = [
    ("smile", 0.2),
    ("smile", 0.4),
    ("open-mouth", 0.4),
    ("open-eyes", 0.5),
    ("raise-brows", -0.3),
    ("turn-left", 0.3),
]


def slid(page, moves: list[tuple[str, float]]) -> list[float]:
    """Milliseconds that each move of a slider takes to be seen."""
    return [page.evaluate(SLIDE, move) for move in map(list, moves)]


def previewed(photo: Path, cache: Path) -> None:
    """Print how soon sliders are answered, from the drop of a photo on."""
    from browser import chromium

    os.environ["PHOTODRAG_CACHE"] = str(cache)
    with served(AppState()) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.goto(server.url)
        page.set_input_files("#file", str(photo))
        page.wait_for_selector("#preset-smile:enabled", timeout=600_000)
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        for when in ("while the face is learnt", "once it is ready"):
            took = slid(page, MOVES)
            click.echo(f"{when}: {statistics.median(took):.0f} ms, at most {max(took):.0f}, of {len(took)} moves")
            page.wait_for_selector("body[data-phase=ready]", timeout=600_000)


@click.command()
@click.option("--photo", type=click.Path(path_type=Path), default=ASTRONAUT)
@click.option("--drags", "count", type=click.IntRange(1), default=20)
@click.option("--seed", type=int, default=0)
@click.option("--fresh", is_flag=True, help="From the drop of a photo that was never seen before.")
@click.option("--preview", "previewing", is_flag=True, help="How soon a slider is answered, in a real browser.")
def main(photo: Path, count: int, seed: int, fresh: bool, previewing: bool) -> None:
    keep_freed_memory()
    if previewing:
        with tempfile.TemporaryDirectory() as folder:
            previewed(photo, lay_out(Path(folder), "face", "st-lpips-vgg"))
        return
    if fresh:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PHOTODRAG_CACHE"] = str(lay_out(Path(folder), "face", "st-lpips-vgg"))
            with served(AppState()) as server, server.page() as page:
                first, whole = from_the_drop(page, photo)
        click.echo(f"first picture of a drag {first:.2f} s after the drop, the face inverted after {whole:.2f} s")
        return
    spent, firsts, rates, steps = defaultdict(list), [], [], 0
    with served(AppState()) as server, server.page() as page:
        face = page.open(photo)["faces"][0]
        page.learn()
        for owner, name in [
            (jobs, "drag_face"),
            (preview.Preview, "edit"),
            (preview.Preview, "_picture"),
            (preview, "patch"),
        ]:
            timed(owner, name, spent)
        for number, drags in enumerate(drags_of(face, count, seed)):
            came, made = watch(page, number, drags)
            steps += made
            firsts.append(came[0])
            if len(came) > 1:
                rates.append((len(came) - 1) / (came[-1] - came[0]))
    click.echo(f"first picture after {statistics.median(firsts):.2f} s, 95 % {np.quantile(firsts, 0.95):.2f} s")
    click.echo(f"{statistics.median(rates or [0.0]):.2f} pictures a second, in {len(rates)} of {count} drags")
    click.echo(told(spent, steps))


if __name__ == "__main__":
    main()
