"""The commands, as a person or a script uses them; test_errors.py has what goes wrong."""

import io
import json
import re
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import click
import numpy as np
import pytest
from command import MOUTH, OnTerminal, environment, everything_in, run, started
from pictures import png, stored
from PIL import Image

from photodrag.invert import cache as kept
from photodrag.pipeline.cli import main, photodrag
from photodrag.pipeline.commands.cache import human_size
from photodrag.pipeline.commands.progress_bar import ProgressBar
from photodrag.pipeline.photos.read import read_photo

TWO = "--drag", "104.4,138.9:101,135", "--drag", "149.6,140.8:153,137"
FAR = (slice(None), slice(0, 30))
"""Pixels of the portrait outside the crop around the face."""


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def commands(group=photodrag, path=("photodrag",)):
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


def test_version():
    assert started("--version").out == f"photodrag {version('photodrag')}\n"


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
def test_help_has_an_example_that_can_be_typed(path, capsys):
    assert main([*path[1:], "--help"]) == 0
    text = capsys.readouterr().out
    assert re.search("Examples?:", text)
    lines = [line.strip() for line in text.splitlines() if line.startswith("      photodrag ")]
    assert lines
    for line in lines:
        words = shlex.split(line)[1:]
        asked, context = photodrag, click.Context(photodrag)
        while isinstance(asked, click.Group):
            asked = asked.get_command(context, words.pop(0))
        asked.make_context(asked.name, words)  # fails at options that there aren't


def test_nothing_typed_is_help():
    ran = started()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == run("--help").out
    assert "edit" in ran.out


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["edit", "--help"], ["edit", "missing.png"]])
def test_start_up_imports_nothing_that_computes(arguments):
    script = "import sys; from photodrag.pipeline.cli import main; main(sys.argv[1:]); print('|', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("|")[2].split())
    assert "click" in loaded
    heavy = {"torch", "cv2", "dlib"} if arguments[-1].startswith("--") else {"torch"}
    assert not loaded & heavy


def test_an_edit_loads_nothing_that_it_does_not_need(portrait, published_ready):
    """Neither what only other perceptual distances, downloads or tests need."""
    published_ready(portrait)
    script = "import sys; from photodrag.pipeline.cli import main; main(sys.argv[1:]); print('|', *sys.modules)"
    arguments = ["edit", str(portrait), *map(str, TWO), "--steps", "1", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True, env=environment()
    )
    loaded = set(done.stdout.rpartition("|")[2].split())
    assert "torch" in loaded
    assert not loaded & {"scipy", "torchvision", "lpips", "requests", "pooch", "sympy", "starlette", "pytest"}


def test_edit(portrait, published_ready, tmp_path):
    published_ready(portrait)
    before = everything_in(tmp_path)
    out, file = portrait.with_name("smile.png"), portrait.with_name("smile.json")
    ran = started("edit", portrait, *TWO, "--steps", 5, "--out", out, "--save-edit", file)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"The edited photo is {out}"
    assert re.search(r"handle 1: 104\.4,138\.9 → 101,135 came to [\d.]+,[\d.]+, [\d.]+ px short of 5\.2", ran.out)
    assert re.search(r"handle 2: 149\.6,140\.8 → 153,137 came to", ran.out)
    assert re.search(r"ended after \d steps: ", ran.out)
    assert re.search(
        r"the person: identity distance 0\.\d\d \(a poor copy has about 0\.2, the same person under 0\.6\)", ran.out
    )
    assert re.search(r"[\d.]+ s: .*load .*drag", ran.out)
    now = everything_in(tmp_path)
    assert now.keys() - before.keys() == {str(out), str(file)}
    assert before.items() <= now.items()
    old, new = pixels(portrait), pixels(out)
    assert old.shape == new.shape
    assert np.array_equal(old[FAR], new[FAR])
    assert (old != new)[120:170, 85:170].mean() > 0.1

    # The edit's file repeats it, to the bit; another file for the picture, so that both are there.
    again = run("edit", portrait, "--edit", file, "--out", portrait.with_name("again.png"), "--json")
    assert again.code == 0
    assert np.array_equal(pixels(portrait.with_name("again.png")), new)

    facts = json.loads(again.out)
    assert again.out.count("\n") == 1
    wanted = "photo output face handles stop_reason reconstruction identity seconds cached generator device version steps seed"  # noqa: E501
    assert facts.keys() >= set(wanted.split())
    assert facts["photo"] == str(portrait)
    assert facts["face"]["number"] == facts["face"]["of"] == 1
    assert np.shape(facts["face"]["quad"]) == (4, 2)
    assert facts["cached"] is True
    assert facts["reconstruction"]["distance"] == {"face": 0.1, "whole": 0.2}
    assert {"mse", "psnr", "identity"} <= facts["reconstruction"].keys()
    assert facts["device"] == "cpu" and facts["version"] == version("photodrag")
    assert facts["seed"] == 0 and 1 <= facts["steps"] <= 5
    for handle in facts["handles"]:
        way = np.subtract(handle["target"], handle["reached"])
        assert handle["left"] == pytest.approx(np.hypot(*way), abs=0.02)
    assert [handle["start"] for handle in facts["handles"]] == [[104.4, 138.9], [149.6, 140.8]]
    assert sum(took for stage, took in facts["seconds"].items() if stage != "total") < facts["seconds"]["total"]


def test_options_win_over_the_file_and_drags_add_up(portrait, ready, tmp_path):
    ready(portrait)
    mask = np.zeros((256, 256), np.uint8)
    mask[100:180, 60:200] = 255
    (portrait.parent / "masks").mkdir()
    Image.fromarray(mask).save(portrait.parent / "masks" / "mouth.png")
    edit = {"photodrag": 1, "drags": [[[104.4, 138.9], [101, 135]]], "mask": "../photos/masks/mouth.png", "steps": 50}
    (tmp_path / "edits").mkdir()
    file, saved = tmp_path / "edits" / "edit.json", portrait.with_name("saved.json")
    file.write_text(json.dumps(edit))
    ran = run(
        "edit", portrait, "--edit", file, *TWO[2:], "--steps", 2, "--seed", 7, "--save-edit", saved, "--json", "--quiet"
    )
    assert (ran.code, ran.err) == (0, "")
    facts = json.loads(ran.out)
    assert facts["output"] == str(portrait.with_name("portrait-photodrag.png"))
    assert (facts["steps"], facts["seed"], len(facts["handles"])) == (2, 7, 2)
    old, new = pixels(portrait), pixels(facts["output"])
    assert np.array_equal(old[mask == 0], new[mask == 0])
    assert not np.array_equal(old, new)
    assert json.loads(saved.read_text()) == {
        "photodrag": 1,
        "photo": read_photo(portrait).key[:16],
        "drags": [[[104.4, 138.9], [101, 135]], [[149.6, 140.8], [153, 137]]],
        "mask": "masks/mouth.png",
        "face": None,
        "box": None,
        "align": None,
        "generator": "face",
        "class": None,
        "steps": 2,
        "seed": 7,
        "tune": None,
    }


def test_several_faces(portrait, portrait_image, ready):
    pair = Image.new("RGB", (512, 256))
    pair.paste(portrait_image, (256, 0))
    pair.paste(portrait_image.resize((230, 230)), (0, 0))
    path = portrait.with_name("pair.png")
    pair.save(path)
    ready(path)
    listed = json.loads(run("faces", path, "--json").out)
    assert [face["number"] for face in listed["faces"]] == [1, 2]
    large, small = (face["landmarks"][48] for face in listed["faces"])
    assert large[0] > 256 > small[0]

    ran = run("edit", path, "--drag", f"{large[0]},{large[1]}:{large[0]},{large[1] - 4}", "--steps", 1, "--json")
    said = f"2 faces were found; face 1 (the largest) is edited; choose with --face N (see `photodrag faces {path}`).\n"
    assert (ran.code, ran.err) == (0, said)
    assert json.loads(ran.out)["face"]["of"] == 2
    old, new = pixels(path), pixels(json.loads(ran.out)["output"])
    assert np.array_equal(old[:, :200], new[:, :200]) and not np.array_equal(old, new)

    drag = f"{small[0]},{small[1]}:{small[0]},{small[1] - 4}"
    ran = run("edit", path, "--drag", drag, "--steps", 1, "--face", 2, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["face"]["number"] == 2
    new = pixels(json.loads(ran.out)["output"])
    assert np.array_equal(old[:, 300:], new[:, 300:]) and not np.array_equal(old, new)


def kinds(image: Image.Image) -> dict[str, tuple[str, bytes | Image.Image]]:
    """The portrait in every mode: its file's name → the mode it is kept in, and the file."""
    rgb = np.array(image)
    opacity = np.linspace(0, 255, 256).astype(np.uint8)[:, None].repeat(256, 1)
    deep = (rgb.astype(np.uint16) * 256 + 17).astype(">u2")
    return {
        "grey.png": ("L", image.convert("L")),
        "palette.png": ("RGB", image.quantize(128)),
        "cmyk.tif": ("CMYK", image.convert("CMYK")),
        "deep.png": ("RGB;16", png((16, 2), deep, size=(256, 256))),
        "alpha.png": ("RGBA", Image.fromarray(np.dstack([rgb, opacity]))),
    }


@pytest.mark.parametrize("name", ["grey.png", "palette.png", "cmyk.tif", "deep.png", "alpha.png"])
def test_kinds_of_photos(name, portrait, portrait_image, ready):
    path = portrait.with_name(name)
    mode, content = kinds(portrait_image)[name]
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.save(path)
    ready(path)
    ran = run("edit", path, *MOUTH, "--steps", 1, "--json")
    assert (ran.code, ran.err) == (0, "")
    out = portrait.with_name(f"{path.stem}-photodrag{path.suffix}")
    assert json.loads(ran.out)["output"] == str(out)
    new = stored(out, mode)
    if name == "palette.png":
        old = np.array(content.convert("RGB"))
    elif name == "deep.png":
        old = np.array(portrait_image).astype(np.uint16) * 256 + 17
    else:
        old = pixels(path)
    assert new.dtype == old.dtype
    assert np.array_equal(old[FAR], new[FAR])
    assert not np.array_equal(old, new)
    if mode == "RGBA":
        assert np.array_equal(old[..., 3], new[..., 3])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_are_those_of_the_photo_as_one_sees_it(orientation, portrait, portrait_image, capsys):
    seen = portrait_image.crop((40, 20, 240, 210))  # not square, so that a turned size would show
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpose that the orientation takes back
    kept = seen.transpose(undo[orientation]) if orientation > 1 else seen
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = portrait.with_name("turned.png")
    kept.save(path, exif=exif)
    assert main(["faces", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["width"], facts["height"]) == (200, 190)
    assert facts["faces"][0]["landmarks"][48] == pytest.approx([64.4, 118.9], abs=1.5)


def test_edit_of_a_turned_photo(portrait, portrait_image, ready):
    path = portrait.with_name("turned.tif")
    exif = Image.Exif()
    exif[0x0112] = 6
    portrait_image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
    ready(path)
    ran = run("edit", path, *MOUTH, "--steps", 1, "--json")
    assert (ran.code, ran.err) == (0, "")
    old, new = np.array(portrait_image), stored(portrait.with_name("turned-photodrag.tif"), "RGB")
    assert np.array_equal(old[FAR], new[FAR])
    assert not np.array_equal(old, new)


def test_white_mask_means_everywhere(portrait, ready):
    ready(portrait)
    mask = portrait.with_name("mask.png")
    Image.new("L", (256, 256), 255).save(mask)
    old, changed = pixels(portrait), []
    for options in (), ("--mask", mask):
        ran = run("edit", portrait, *MOUTH, "--steps", 1, *options, "--json")
        assert (ran.code, ran.err) == (0, "")
        changed.append((old != pixels(json.loads(ran.out)["output"])).any(2))
    assert not changed[1][FAR].any()  # beyond the crop nothing can change
    assert changed[1].mean() > 0.1 > 0.05 > changed[0].mean()


def test_box_instead_of_a_face(portrait, cache, capsys):
    assert main(["faces", str(portrait), "--box", "70,60,120,130"]) == 0
    assert re.match(r"face 1: box \d+,\d+,\d+,\d+\n  jaw     0 ", capsys.readouterr().out)


def test_faces_in_words(portrait):
    ran = run("faces", portrait)
    assert (ran.code, ran.err) == (0, "")
    numbers = [int(number) for number in re.findall(r"(\d+) [\d.]+,[\d.]+", ran.out.split("\n", 1)[1])]
    assert numbers == list(range(68))


def test_bar_on_a_terminal_only(portrait, ready):
    ready(portrait)
    with OnTerminal("edit", portrait, *MOUTH, "--steps", 3, anew=True) as terminal:
        ran = terminal.finish()
    assert ran.code == 0
    for words in ("finding the face …", "dragging ", " left", "100% |", "blending ", "writing "):
        assert words in ran.err
    assert ran.err.rpartition("\r")[2] == ""  # wiped at the end
    assert ran.out.startswith("The edited photo is")
    with OnTerminal("edit", portrait, *MOUTH, "--steps", 1, "--quiet") as terminal:
        assert terminal.finish().err == ""


def test_invert(portrait, portrait_image, ready):
    ready(portrait)
    wall = portrait.with_name("wall.png")
    Image.new("RGB", (300, 300), "grey").save(wall)
    ran = run("invert", wall, portrait, portrait.with_name("missing.png"), "--json")
    assert ran.code == 2
    assert re.fullmatch(r"No face was found in wall\.png: [^\n]+\nThere is no file [^\n]+\n", ran.err)
    failed, kept, missing = json.loads(ran.out)["inversions"]
    assert failed["photo"] == str(wall) and failed["error"] == ran.err.splitlines()[0]
    assert missing["error"] == ran.err.splitlines()[1]
    assert kept["photo"] == str(portrait) and kept["cached"] is True
    assert kept["reconstruction"]["identity"] == 0.5
    ran = run("invert", portrait)
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(
        r".*portrait\.png: the face was inverted, somewhat like the person: .*; kept from before\n", ran.out
    )


def test_cache(portrait, portrait_image, ready, cache):
    other = portrait.with_name("other.png")
    portrait_image.resize((250, 250)).save(other)
    ready(portrait), ready(other)
    damaged = cache / "inversions" / f"{'0' * 64}.safetensors"
    damaged.write_bytes(b"damaged")
    facts = json.loads(run("cache", "list", "--json").out)
    assert facts["folder"] == str(cache / "inversions")
    keys = {entry["photo"]: entry["key"] for entry in facts["inversions"]}
    assert keys.keys() == {"portrait.png", "other.png"}
    ran = run("cache", "list")
    assert (ran.code, ran.err) == (0, "")
    for photo, key in keys.items():
        line = rf"{key[:10]}  \d{{4}}-\d\d-\d\d \d\d:\d\d +\d+ kB  face +w\+p +0\.100  0\.200 +0\.50  {photo}\n"
        assert re.search(line, ran.out), ran.out
    assert re.search(r"2 inversions, \d+ kB, in ", ran.out)

    assert run("cache", "remove", keys["other.png"][:12].upper(), "unknown").code == 2
    assert len(list((cache / "inversions").iterdir())) == 3  # an unknown name removes nothing
    ran = run("cache", "remove", keys["other.png"][:12])
    assert re.fullmatch(r"Removed 1 inversion: \d+ kB freed\.\n", ran.out)
    ran = run("cache", "remove", "other.png")
    assert (ran.code, ran.out) == (2, "")
    ran = run("cache", "clear")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("Nothing was removed: answer y, or give --yes.\n")
    assert damaged.exists()
    ran = run("cache", "clear", "--yes")
    assert re.fullmatch(r"Removed 2 inversions: \d+ kB freed\.\n", ran.out)
    assert list((cache / "inversions").iterdir()) == []
    assert len(list((cache / "weights").iterdir())) == 2
    assert run("cache", "list").out == f"No inversions are kept in {cache / 'inversions'}.\n"


@pytest.mark.parametrize("answer, code, left", [("y\n", 0, 0), ("n\n", 0, 1), ("", 2, 1)])
def test_clearing_asks(answer, code, left, portrait, ready, cache, monkeypatch, capsys):
    ready(portrait)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main(["cache", "clear"]) == code
    assert "Remove all inversions (1) in " in capsys.readouterr().err
    assert len(list((cache / "inversions").iterdir())) == left


def test_two_keys_that_begin_alike(portrait, portrait_image, ready, cache, capsys):
    ready(portrait)
    file = next((cache / "inversions").iterdir())
    listed = kept.entries()[0][0]
    first = file.stem[:3]
    kept.keep(first + "0" * 61, listed.w_plus, kept.Record(listed.quality, 1, 1.0, "other.png", "face"))
    assert main(["cache", "remove", first]) == 2
    assert f"2 keys begin with '{first}', so nothing was removed" in capsys.readouterr().err
    assert len(kept.entries()) == 2


@pytest.mark.parametrize(
    "size, text", [(0, "0 B"), (999, "999 B"), (33_333, "33 kB"), (4_150_000, "4.2 MB"), (2e9, "2.0 GB")]
)
def test_sizes_for_people(size, text):
    assert human_size(size) == text


def test_weights(cache):
    rows = {row["name"]: row for row in json.loads(run("weights", "list", "--json").out)["weights"]}
    assert rows["face"]["path"].startswith(str(cache / "weights"))
    assert rows["face"]["sha256"] == "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5"
    ran = run("weights", "list")
    assert (ran.code, ran.err) == (0, "")
    assert all(name in ran.out for name in rows)
    said = rows["face"] | {"sha256": "SHA-256 e5d10e2be7df…\n", "path": f"  lies in {rows['face']['path']}\n"}
    assert all(said[fact] in ran.out for fact in ("source", "sha256", "licence", "path"))
    assert ran.out.count("  not fetched") == sum(row["path"] is None for row in rows.values()) > 0
    ran = run("weights", "info", "face")
    for words in (
        rows["face"]["sha256"],
        rows["face"]["path"] + ", whole",
        "non-commercial",
        "37.6 MB",
        rows["face"]["file"],
    ):
        assert words in ran.out
    ran = run("weights", "get", "face")
    assert (ran.code, ran.out, ran.err) == (0, rows["face"]["path"] + "\n", "")


def test_a_name_cannot_command_the_terminal(golden, cache, tmp_path):
    file = tmp_path / "red\x1b[31m.pkl"
    file.write_bytes((golden / "nvidia-ada-skip-32.pkl").read_bytes())
    for ran in (run("weights", "info", file), run("faces", file)):
        assert "red�[31m.pkl" in ran.out + ran.err and "\x1b" not in ran.out + ran.err


def test_a_note_cannot_command_the_terminal(capsys):
    with ProgressBar(shown=False) as bar:
        bar.note("What red\x1b[31m.pkl shows isn't known.")
    assert capsys.readouterr().err == "What red�[31m.pkl shows isn't known.\n"


def test_own_checkpoints(cache, golden, tmp_path):
    checkpoint, out = golden / "nvidia-ada-conditional-16.pkl", tmp_path / "grandma.safetensors"
    ran = run("weights", "add", checkpoint, "--name", "grandma", "--subject", "face")
    kept = cache / "weights" / "added" / "grandma.safetensors"
    assert (ran.code, ran.out, ran.err) == (0, f"Added as grandma, for --generator grandma; it is kept in {kept}\n", "")
    rows = {row["name"]: row for row in json.loads(run("weights", "list", "--json").out)["weights"]}
    assert (rows["grandma"]["subject"], rows["grandma"]["network"]["classes"]) == ("face", 4)
    listed = run("weights", "list").out
    assert re.search(
        r"Your own .*:\ngrandma +face +16 px +212 kB +SHA-256 [0-9a-f]{12}…\n.*unknown: see its source", listed
    )
    assert max(len(line) for line in listed.splitlines() if "lies in" not in line) < 132
    ran = run("weights", "convert", checkpoint, out)
    assert (ran.code, ran.out, ran.err) == (0, f"Written to {out}\n", "")
    for given, format in (("grandma", "NVIDIA's PyTorch"), (checkpoint, "NVIDIA's PyTorch"), (out, "safetensors")):
        ran = run("weights", "info", given)
        assert (ran.code, ran.err) == (0, "")
        assert "StyleGAN2, skip, 16 × 16, 6 codes, 4 classes\n" in ran.out
        assert re.search(rf"channels b4 32, b8 32, b16 16\nformat +.*{format}", ran.out)
        assert re.search(r"SHA-256 +[0-9a-f]{64}, none that is published\n", ran.out)
    ran = run("weights", "remove", "grandma")
    assert (ran.code, ran.err) == (0, "") and re.fullmatch(
        r"Removed what was kept of grandma: \d+ kB freed\.\n", ran.out
    )
    assert not kept.exists() and checkpoint.exists()


def test_a_download_shows_a_bar_and_is_kept_when_stopped(tmp_path):
    """Through a proxy that sends the mirror's file slowly; it can't speak to the first address, which is encrypted."""
    over, sent = threading.Event(), 3 << 20

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self):
            self.send_error(403)

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "357418027")
            self.end_headers()
            with suppress(ConnectionError):  # when it is stopped
                for _ in range(sent >> 18):
                    self.wfile.write(bytes(1 << 18))
                    over.wait(0.1)
            over.wait(60)

        def log_message(self, *_):
            pass

    cache = tmp_path / "cache"
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        proxy = f"http://127.0.0.1:{server.server_port}"
        aside = {
            "http_proxy": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "",
            "no_proxy": "",
            "PHOTODRAG_CACHE": str(cache),
        }
        with OnTerminal("weights", "get", "cat", **aside) as ran:
            ran.wait_for("MB of 357MB, ")
            ran.send(signal.SIGINT)
            ended = ran.finish()
        over.set()
        server.shutdown()
    assert ended.code == 130 and ended.out == ""
    assert "Fetching stylegan2-cat-config-f.pkl (357 MB) from nvlabs-fi-cdn.nvidia.com …\r\n" in ended.err
    bar = r"downloading stylegan2-cat-config-f\.pkl: +[01]% \|.*\| \d\.\d\dMB of 357MB, [\d:]+ left"
    assert re.search(bar, ended.err)
    assert ended.err.rstrip().endswith("Stopped; what came so far is kept for the next time.")
    kept = {path.relative_to(cache / "weights"): path.stat().st_size for path in cache.rglob("*") if path.is_file()}
    hidden = Path(".stylegan2-cat-config-f.pkl.photodrag-part")
    assert 1_000_000 < kept.pop(hidden / "part") <= sent
    assert set(kept) == {Path("cat.lock"), hidden / "part-mark"}
