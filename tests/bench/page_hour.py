"""The page's server under long use: two tabs of seeded chance, which open photos, choose faces, drag, stop, paint,
save, go away in the middle of all of it, and come again.

python tests/bench/page_hour.py [--minutes 60] [--seed 0] [--published]

Prints memory, threads, open files, and the files in cache and temporary folder, when each photo was learned and dragged
once, each tenth of the time, and at the end, when all tabs are gone. Exits with 1 where the log holds a traceback, an
answer failed to come within five minutes, or a file of a photo was left. --published: with the default `face` instead
of a small one."""

import io
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from page_server import Page, Server, started
from PIL import Image
from websockets.exceptions import ConnectionClosed

ASTRONAUT = Path(__file__).parents[2] / "data" / "astronaut.png"
LONGEST = 300.0
"""Seconds that an answer may take."""
KEPT = {"inversions", "unfinished", "page/token"}
"""Where the cache may hold files: of inversions, and the address's token."""


def photos() -> list[tuple[str, bytes]]:
    """Names and files, in several formats, of two pictures, so that inversions are found again."""
    picture = Image.open(ASTRONAUT).convert("RGB").crop((60, 0, 400, 340))
    made = []
    for name, side, kind in (("small.png", 300, "PNG"), ("small.tif", 300, "TIFF"), ("camera.jpg", 1600, "JPEG")):
        buffer = io.BytesIO()
        picture.resize((side, side)).save(buffer, kind)
        made.append((name, buffer.getvalue()))
    return made


def mask(chance: random.Random) -> bytes:
    """What somebody painted: a PNG of a box."""
    alpha = np.zeros((300, 300, 4), np.uint8)
    x, y = chance.randrange(150), chance.randrange(150)
    alpha[y : y + 120, x : x + 120] = 255
    buffer = io.BytesIO()
    Image.fromarray(alpha).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Tab:
    """One person, who does as chance says until the time is over."""

    server: Server
    chance: random.Random
    until: float
    done: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    ids: int = 0

    def run(self) -> None:
        """Visits, one after the other."""
        while time.monotonic() < self.until:
            try:
                with self.server.page() as page:
                    self.visit(page)
                    if self.chance.random() < 0.3:  # cut: no goodbye
                        page.socket.socket.close()
                        self.done["cut"] += 1
            except ConnectionClosed as error:
                self.done[f"closed {error.rcvd and error.rcvd.code}"] += 1
            except TimeoutError as error:
                self.wrong.append(f"no answer: {error}")
            except OSError:  # of the connection that was cut
                pass

    def visit(self, page: Page) -> None:
        """One page, from its opening on."""
        for _ in range(self.chance.randrange(1, 3)):
            name, data = self.chance.choice(photos())
            if self.chance.random() < 0.1:
                data = data[: self.chance.randrange(len(data))]
            self.say(page, "photo", data, name=name)
            if self.chance.random() < 0.1:
                return  # while it is opened
            answer = self.wait(page, "faces", "error")
            self.done[f"photo {answer['type']}"] += 1
            if answer["type"] == "error" or not answer["faces"]:
                continue
            face = answer["faces"][0]
            self.say(page, "face", number=1, box=None, likeness="quick")
            if self.chance.random() < 0.1:
                return  # while it is learned
            if self.wait(page, "inverted", "error")["type"] == "error":
                continue
            for _ in range(self.chance.randrange(1, 6)):
                if not self.drag(page, face) or time.monotonic() > self.until:
                    return

    def drag(self, page: Page, face: dict) -> bool:
        """A drag, perhaps stopped, and saved; whether the page stays."""
        handle = face["names"][self.chance.choice(("mouth.left", "mouth.right", "brow.left", "chin"))]
        way = [self.chance.uniform(-0.06, 0.06) * face["box"][2] for _ in range(2)]
        painted = self.chance.random() < 0.3
        drags = [[handle, [handle[0] + way[0], handle[1] + way[1]]]]
        kind, data = ("painted", mask(self.chance)) if painted else (self.chance.choice(("auto", "face")), None)
        self.say(page, "drag", data, drags=drags, mask=kind, scale=self.chance.choice((0.3, 1.0, 2.0)))
        if self.chance.random() < 0.3:
            self.say(page, "stop")
        if self.chance.random() < 0.1:
            return False
        result = self.wait(page, "result", "error")
        self.done[f"drag {result['type']}"] += 1
        if result["type"] == "result":
            for format in self.chance.sample(("png", "jpeg", "json"), self.chance.randrange(3)):
                self.say(page, "save", result=result["result"], format=format)
                self.done[f"save {self.wait(page, 'saved', 'error')['type']}"] += 1
            if self.chance.random() < 0.05:
                self.say(page, "save", result=result["result"], format="mp4")
                self.wait(page, "filming", "error")
                self.say(page, "cancel")
                self.done["video cancelled"] += 1
        return True

    def say(self, page: Page, kind: str, data: bytes | None = None, **content: object) -> None:
        self.ids += 1
        page.say(kind, data, **(content if kind in ("stop", "cancel") else {"id": self.ids, **content}))

    def wait(self, page: Page, *kinds: str) -> dict:
        """The next message of one of these kinds."""
        limit = time.monotonic() + LONGEST
        while (heard := page.hear(max(0.1, limit - time.monotonic())))["type"] not in kinds:
            pass
        return heard


def warm_up(server: Server) -> None:
    """Learn each photo, and drag it once."""
    tab = Tab(server, random.Random(0), 0.0)
    for name, data in photos():
        with server.page() as page:
            tab.say(page, "photo", data, name=name)
            face = tab.wait(page, "faces")["faces"][0]
            tab.say(page, "face", number=1, box=None, likeness="quick")
            tab.wait(page, "inverted")
            handle = face["names"]["mouth.left"]
            tab.say(page, "drag", drags=[[handle, [handle[0] - 4, handle[1]]]], mask="auto", scale=1.0)
            tab.wait(page, "result")


def told(server: Server, when: str) -> None:
    """Print what the server holds."""
    cache, temporary = server.files("cache"), server.files("temporary")
    click.echo(
        f"{when}: {server.memory:.0f} MiB, {server.threads} threads, {server.descriptors} open files; "
        f"{len(cache)} files in the cache, {len(temporary)} temporary ones"
    )


@click.command()
@click.option("--minutes", type=float, default=60.0)
@click.option("--seed", type=int, default=0)
@click.option("--published", is_flag=True, help="With the default `face` instead of a small one.")
def main(minutes: float, seed: int, published: bool) -> None:
    with started(small=not published) as server:
        warm_up(server)
        told(server, "when each photo was learned")
        until = time.monotonic() + 60 * minutes
        tabs = [Tab(server, random.Random(f"{seed}/{number}"), until) for number in range(2)]
        threads = [threading.Thread(target=tab.run) for tab in tabs]
        for thread in threads:
            thread.start()
        for part in range(1, 10):
            time.sleep(max(0.0, until - 60 * minutes * (1 - part / 10) - time.monotonic()))
            told(server, f"after {minutes * part / 10:.1f} min")
        for thread in threads:
            thread.join()
        time.sleep(10)  # a step that is under way ends, and then its job
        told(server, "at the end")
        left = [path for path in server.files("cache") if not any(path.startswith(kept) for kept in KEPT)]
        left += server.files("temporary")
        wrong = [*tabs[0].wrong, *tabs[1].wrong, *(f"left behind: {path}" for path in left)]
        wrong += [server.log[-3000:]] if "Traceback" in server.log else []
        wrong += [] if server.process.poll() is None else ["the server is gone"]
        click.echo(", ".join(f"{what} {count}" for what, count in sorted((tabs[0].done + tabs[1].done).items())))
    click.echo("\n".join(wrong) or "nothing went wrong")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
