"""Bad messages and uploads to the page's server: wrong types, huge numbers, cut and damaged pictures and masks, things
asked for too early, sockets closed in the middle of a word.

python tests/bench/page_fuzz.py [--count 200] [--seed 0]

After each the server must say something or close within ten seconds, and let a new page in; at the end its log must
hold no traceback, and a good photo must be opened. Says what failed, by its number, and exits with 1; --only N does
one of them again."""

import io
import json
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from page_server import Page, Server, started
from PIL import Image
from tqdm import tqdm
from websockets.exceptions import ConnectionClosed

ASTRONAUT = Path(__file__).parents[2] / "data" / "astronaut.png"
LONGEST = 10.0
"""Seconds that an answer may take."""
ANSWERS = {"photo": ("faces", "error"), "face": ("inverted", "error"), "drag": ("result", "error")}
"""What ends the waiting for one; others are followed by a question that is always answered."""
KINDS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "TGA", "PSD")
ODD: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        0.5,
        -0.0,
        1e-300,
        1e6,
        9999999,
        1e7,
        1e300,
        -1e300,
        2**31 - 1,
        2**31,
        2**63,
        10**30,
    ),
    *(float("nan"), float("inf"), "", "x", "\0", "../../x", "\ud800", "ö" * 900, "x" * 2000, "auto", "painted", "png"),
    *([], [[]], [1], [[1, 2]], [[[1, 2], [3, 4]]] * 100, {}, {"smile": 1}, {"smile": "1"}, {"a": [{}]}),
]


NO_CONTROLS = {"presets": {}, "expression": None, "regions": []}
CONTROLS = {
    "presets": {"smile": 0.5, "open-mouth": -0.2, "gaze-x": 0.3},
    "expression": {"amount": 0.5, "landmarks": [[0.1 * number, 0.2] for number in range(68)]},
    "regions": ["nose:+1%,-2%,rotate=5,scale=1.1"],
}


def right_messages(face: dict | None) -> list[dict]:
    """One of each kind, as the page says it."""
    mouth = face["names"]["mouth.left"] if face else [200, 140]
    return [
        {"type": "photo", "id": 1, "name": "me.png"},
        {"type": "sample", "id": 1},
        {"type": "face", "id": 2, "number": 1, "box": None, "likeness": "auto"},
        {"type": "controls", "id": 2, "number": 1, "controls": CONTROLS},
        {"type": "expression", "id": 5, "name": "other.png"},
        {"type": "warp", "id": 2, "number": 1, "drags": [[[100, 130], [96, 126]]], "presets": {"gaze-x": 0.3}},
        {
            "type": "drag",
            "id": 3,
            "drags": [[mouth, [mouth[0] - 5, mouth[1] - 5]]],
            "controls": NO_CONTROLS,
            "mask": "auto",
            "scale": 1.5,
        },
        {"type": "drag", "id": 3, "drags": [[mouth, [mouth[0] - 5, mouth[1] - 5]]], "mask": "auto", "scale": 1.5}
        | {"controls": CONTROLS},
        {"type": "drag", "id": 3, "drags": [[mouth, [mouth[0] - 5, mouth[1]]]], "mask": "painted", "scale": 1}
        | {"controls": NO_CONTROLS},
        {"type": "stop"},
        {"type": "origin", "id": 4, "result": 1, "point": mouth},
        {"type": "save", "id": 5, "result": 1, "format": "png"},
        {"type": "cancel"},
    ]


class Fuzzer:
    """What is made of chance."""

    def __init__(self, chance: random.Random, photo: bytes):
        self.chance, self.photo = chance, photo
        self.ways: list[Callable[[Page], None]] = [
            self.noise,
            self.wrong_field,
            self.wrong_field,
            self.wrong_field,
            self.missing_or_more,
            self.deep,
            self.wrong_length,
            self.damaged_photo,
            self.damaged_photo,
            self.damaged_mask,
            self.any_order,
            self.flood,
            self.odd_drag,
            self.odd_drag,
        ]

    def noise(self, page: Page) -> None:
        """Bytes, or letters."""
        data = self.chance.randbytes(self.chance.choice((0, 1, 3, 4, 5, 100, 10_000)))
        page.socket.send(data if self.chance.random() < 0.5 else data.decode("latin-1"))

    def wrong_field(self, page: Page) -> None:
        """One field, or something in it, is something else."""
        said = json.loads(json.dumps(self.chance.choice(right_messages(None))))
        name = self.chance.choice(list(said))
        value = said[name]
        if isinstance(value, list) and value and self.chance.random() < 0.7:
            value[self.chance.randrange(len(value))] = self.chance.choice(ODD)
        else:
            said[name] = self.chance.choice(ODD)
        self.say(page, said, self.chance.choice((None, b"", self.photo)))

    def missing_or_more(self, page: Page) -> None:
        """A field too few, or too many."""
        said = self.chance.choice(right_messages(None))
        if self.chance.random() < 0.5:
            said.pop(self.chance.choice(list(said)))
        else:
            said["more"] = self.chance.choice(ODD)
        self.say(page, said, None)

    def deep(self, page: Page) -> None:
        """Brackets in brackets, and numbers of many digits."""
        page.socket.send(self.chance.choice(("[" * 100_000, '{"type":' * 50_000, "1" * 10_000, '{"type": "stop"}' * 9)))

    def wrong_length(self, page: Page) -> None:
        """The JSON's length is another."""
        text = json.dumps(right_messages(None)[0]).encode()
        length = self.chance.choice((0, 1, len(text) - 1, len(text) + 1, 2**31, 2**32 - 1))
        page.socket.send(length.to_bytes(4, "big") + text + self.photo[:1000])

    def damaged_photo(self, page: Page) -> None:
        """A picture in some format, cut, with other bytes, or with something behind it."""
        name = f"me.{self.chance.choice(('png', 'jpg', 'tif', 'heic', 'cr2', '..', '/etc/passwd', 'ö' * 90))}"
        page.say("photo", self.damaged(self.picture(self.chance.choice(KINDS))), id=1, name=name)
        self.expect(page, "photo")

    def damaged_mask(self, page: Page) -> None:
        """Of a drag on a face that was learned."""
        face = self.learned(page)
        mask = Image.new("RGBA", self.chance.choice(((512, 512), (1, 1), (300, 20), (3000, 3))), (255, 0, 0, 255))
        mouth = face["names"]["mouth.left"]
        page.say(
            "drag",
            self.damaged(self.encoded(mask, "PNG")),
            id=3,
            drags=[[mouth, [mouth[0] - 4, mouth[1]]]],
            mask="painted",
            scale=1.0,
        )
        page.say("stop")
        self.expect(page, "drag")

    def odd_drag(self, page: Page) -> None:
        """Numbers that the protocol allows, and no page would say."""
        face = self.learned(page)
        mouth, chance = face["names"]["mouth.left"], self.chance
        places = [mouth, [0, 0], [-1e6, 3], [9e6, -9e6], [511, 511], [mouth[0] + 1e-9, mouth[1]]]
        drags = [[chance.choice(places), chance.choice(places)] for _ in range(chance.choice((0, 1, 1, 2, 5)))]
        scale = chance.choice((1e-300, 1e-9, 0.001, 1, 100, 1e6))
        if chance.random() < 0.3:
            drags = [[mouth, [mouth[0] - 4, mouth[1]]]]
        if chance.random() < 0.2:
            box = [chance.choice((-1e6, -5, 0, 100, 9e6)) for _ in range(4)]
            page.say("face", id=8, number=None, box=box, likeness="quick")
            self.expect(page, "face")
        page.say("drag", id=3, drags=drags, mask=chance.choice(("auto", "face")), scale=scale)
        page.say("stop")
        self.expect(page, "drag")

    def any_order(self, page: Page) -> None:
        """Right messages, when they make no sense."""
        for _ in range(self.chance.randrange(2, 12)):
            said = self.chance.choice(right_messages(None))
            self.say(page, said, self.photo if said["type"] == "photo" else None)

    def flood(self, page: Page) -> None:
        """Many at once."""
        said = self.chance.choice(right_messages(None)[1:])
        for _ in range(self.chance.choice((20, 300))):
            self.say(page, said, None)

    # What they are made of

    def learned(self, page: Page) -> dict:
        """A face that can be dragged."""
        page.say("photo", self.photo, id=1, name="me.png")
        face = page.hear_until("faces", LONGEST)[-1]["faces"][0]
        page.say("face", id=2, number=1, box=None, likeness="quick")
        page.hear_until("inverted", LONGEST)
        return face

    def say(self, page: Page, said: dict, data: bytes | None) -> None:
        text = json.dumps(said)
        page.socket.send(text if data is None else len(text).to_bytes(4, "big") + text.encode() + data)

    def expect(self, page: Page, kind: str) -> None:
        """Wait for the answer."""
        limit = time.monotonic() + LONGEST
        while page.hear(max(0.01, limit - time.monotonic()))["type"] not in ANSWERS[kind]:
            pass

    def picture(self, kind: str) -> bytes:
        image = Image.open(io.BytesIO(self.photo)).convert("RGB").resize((self.chance.choice((40, 200)), 60))
        return self.encoded(image, kind) if kind != "PSD" else b"8BPS\0\1" + self.chance.randbytes(300)

    def encoded(self, image: Image.Image, kind: str) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind)
        return buffer.getvalue()

    def damaged(self, data: bytes) -> bytes:
        whole, chance = bytearray(data), self.chance
        how = chance.randrange(4)
        if how == 0:
            del whole[chance.randrange(len(whole)) :]
        elif how == 1:
            for _ in range(chance.choice((1, 5, 50))):
                whole[chance.randrange(len(whole))] = chance.randrange(256)
        elif how == 2:
            at = chance.randrange(min(200, len(whole)))
            whole[at : at + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
        else:
            whole += chance.randbytes(chance.choice((1, 1000)))
        return bytes(whole)


def cut_in_the_middle(server: Server, chance: random.Random) -> None:
    """A connection that ends within a request, a header, or a message."""
    upgrade = f"GET /session?token={server.token} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    upgrade += f"Origin: http://127.0.0.1:{server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    upgrade += f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n"
    frame = b"\x82\xff" + (1 << 20).to_bytes(8, "big") + b"abcd" + chance.randbytes(5000)
    sent = upgrade.encode() + chance.choice((frame, chance.randbytes(300), b"\x88\x80abcd", b"\x81\x7e"))
    whole = chance.random() >= 0.3
    if not whole:
        sent = sent[: chance.randrange(len(upgrade))]
    with socket.create_connection(("127.0.0.1", server.port), timeout=LONGEST) as raw:
        raw.sendall(sent)
        if whole and chance.random() < 0.5:  # to half a request there is no answer
            raw.recv(200)


def attempt(server: Server, photo: bytes, seed: str) -> str | None:
    """One bad thing; what went wrong, if anything did."""
    chance = random.Random(seed)
    fuzzer = Fuzzer(chance, photo)
    way = chance.choice([*fuzzer.ways, None, None])
    what = way.__name__ if way else "cut_in_the_middle"
    try:
        if way is None:
            cut_in_the_middle(server, chance)
        else:
            try:
                with server.page() as page:
                    page.hear(LONGEST)
                    way(page)
                    if chance.random() < 0.8:  # or it goes without another word
                        page.say("origin", id=77, result=0, point=[1, 2])
                        limit = time.monotonic() + LONGEST
                        while page.hear(max(0.01, limit - time.monotonic())).get("id") != 77:
                            pass
            except ConnectionClosed:
                pass
        with server.page() as page:
            assert page.hear(LONGEST)["type"] == "hello"
    except TimeoutError:
        return f"{what}: no answer within {LONGEST:g} s"
    except Exception as error:
        return f"{what}: {type(error).__name__}: {error}"
    return None if "Traceback" not in server.log else f"{what}: {server.log[-1500:]}"


@click.command()
@click.option("--count", type=click.IntRange(1), default=200)
@click.option("--seed", type=int, default=0)
@click.option("--only", type=int, help="The number of one of them.")
def main(count: int, seed: int, only: int | None) -> None:
    failed = []
    with started() as server:
        small = Image.fromarray(np.asarray(Image.open(ASTRONAUT).convert("RGB"))[:300, 60:360])
        buffer = io.BytesIO()
        small.save(buffer, "PNG")
        photo = buffer.getvalue()
        with server.page() as page:
            page.say("photo", photo, id=1, name="me.png")
            face = page.hear_until("faces", 600)[-1]["faces"][0]
            page.say("face", id=2, number=1, box=None, likeness="quick")
            page.hear_until("inverted", 600)
            mouth = face["names"]["mouth.left"]
            page.say("drag", id=3, drags=[[mouth, [mouth[0] - 4, mouth[1]]]], mask="auto", scale=1.0)
            page.hear_until("result", 600)
        for number in tqdm(range(count) if only is None else [only], disable=None):
            if wrong := attempt(server, photo, f"{seed}/{number}"):
                failed.append(number)
                click.echo(f"{number}: {wrong}")
                (server.folder / "log").write_bytes(b"")
                if server.process.poll() is not None:
                    break
        with server.page() as page:
            page.say("photo", photo, id=1, name="me.png")
            assert page.hear_until("faces")[-1]["faces"]
        said = server.log
    click.echo(f"{count if only is None else 1} bad messages and uploads, {len(failed)} failed; it goes on")
    click.echo(f"its log: {said!r}" if said else "its log is empty")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
