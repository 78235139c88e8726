"""Whatever a person can do wrong, or a machine refuse: one sentence, the right exit code, nothing lost.

Every case runs the real command, without a network."""

import io
import json
import re
import signal
import subprocess
import warnings
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from command import COMMAND, MOUTH, environment, everything_in, run
from pictures import png
from PIL import Image

from photodrag.pipeline.cli import main
from photodrag.pipeline.photos import read


@pytest.fixture
def fails(tmp_path):
    """Run a command that must fail so, saying one sentence, and leave everything as it was."""

    def check(code: int, sentence: str, *arguments: object, ignoring: str = "$^", **more: str) -> None:
        before = everything_in(tmp_path)
        ran = run(*arguments, **more)
        assert ran.code == code, ran
        assert ran.out == ""
        assert re.fullmatch(r"[^\n]+\n", ran.err), ran.err
        assert re.search(sentence, ran.err), ran.err
        after = {path: content for path, content in everything_in(tmp_path).items() if not re.search(ignoring, path)}
        assert after == before

    return check


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 30,000 × 30,000."""
    return png((8, 2), np.zeros((1, 3), np.uint8), size=(30_000, 30_000))


def animation() -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("missing.png", None, r"There is no file .*missing\.png: check"),
        ("empty.png", b"", r"empty\.png is empty"),
        ("cut.png", lambda portrait: encoded(portrait, "PNG")[:20_000], r"cut\.png is cut short or damaged"),
        ("cut.jpg", lambda portrait: encoded(portrait, "JPEG")[:3000], r"cut\.jpg is cut short or damaged"),
        ("letter.jpg", b"Dear Sir or Madam,\n", r"letter\.jpg is not a picture"),
        ("dot.png", lambda _: encoded(Image.new("RGB", (1, 1)), "PNG"), r"dot\.png is 1 × 1 pixels, too small"),
        ("bomb.png", lambda _: bomb(), r"bomb\.png says it is 30,000 × 30,000 pixels"),
        ("moving.gif", lambda _: animation(), r"moving\.gif holds 2 frames"),
        ("wall.png", lambda _: encoded(Image.new("RGB", (300, 300), "grey"), "PNG"), r"No face was found in wall\.png"),
    ],
)
def test_wrong_photo(fails, portrait, portrait_image, name, content, sentence):
    path = portrait.with_name(name)
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content(portrait_image))
    fails(2, sentence, "edit", path, "--drag", "0,0:1,0" if name == "dot.png" else "20,20:25,20")
    fails(2, sentence, "faces", path)
    fails(2, sentence, "invert", path)


@pytest.mark.parametrize("command", ["faces", "invert"])
def test_odd_names_in_one_line(command, tmp_path, capsys):
    assert main([command, str(tmp_path / "two  spaces\nand a line.png")]) == 2
    assert re.fullmatch(r"There is no file /[^\n]*/two  spaces and a line\.png: [^\n]+\n", capsys.readouterr().err)


def test_folder_as_photo(fails, portrait):
    fails(2, "photos is a folder: name a picture in it", "edit", portrait.parent, *MOUTH)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ([], r"Nothing is to be dragged: give --drag X,Y:X,Y, like 412,530:412,510\."),
        (["--drag", "104,139"], r"'104,139' is not X,Y:X,Y: give .* like 412,530:412,510"),
        (["--drag", "104,139:101"], "is not X,Y:X,Y"),
        (["--drag", "104,139,101,135"], "is not X,Y:X,Y"),
        (["--drag", "104;139:101;135"], "is not X,Y:X,Y"),
        (["--drag", "nan,139:101,135"], "is not X,Y:X,Y"),
        (["--drag", "1e999,139:101,135"], "is not X,Y:X,Y"),
        (["--drag", ""], "is not X,Y:X,Y"),
        (["--drag", "104,139:+1"], "is not X,Y:X,Y"),
        (["--drag", "104,139:+1,2"], "is not X,Y:X,Y"),
        (["--drag", "mouht:+1,+2"], r"There is no landmark 'mouht': give a number .* or one of brow\.left, "),
        (["--drag", "mouth.left:+0,-200"], r"The target 104\.\d+,-6\d\.\d+ lies outside portrait\.png"),
        (["--pin", "104"], r"'104' is not X,Y\|NAME: give a point, like 412,530 or nose"),
        (["--pin", "104,139"], "The handle 104,139 is its own target"),
        ([*MOUTH, "--pin", "104.4,138.9"], "The handle 104.4,138.9 has two targets"),
        (["--drag", "100,60:100,65", "--snap"], r"is 27 px from the nearest landmark \(19\)"),
        (["--drag", "nose:+1,+1", "--align", "square"], "A square of the photo is edited, which has no landmarks"),
        (["--drag", "104,139:104,139"], "The handle 104,139 is its own target"),
        (["--drag", "-20,139:101,135"], r"The handle -20,139 lies outside portrait\.png, which is 256 × 256 pixels"),
        (["--drag", "104,139:104,256"], r"The target 104,256 lies outside portrait\.png"),
        (["--drag", "240,250:240,245"], "The handle 240,250 lies outside the crop around the face, "),
        (["--drag", "104,139:104,250"], "The target 104,250 lies outside the crop around the face"),
        ([*MOUTH, "--face", "2"], r"There is no face 2 in portrait\.png: 1 is the only one"),
        ([*MOUTH, "--face", "0"], r"'--face': 0 is not in the range 1<=x<=10000"),
        ([*MOUTH, "--face", "one"], "'one' is not a valid integer"),
        ([*MOUTH, "--box", "1,2,3"], "'1,2,3' is not X,Y,WIDTH,HEIGHT: give a box"),
        ([*MOUTH, "--box", "10,10,0,0"], "The box 10,10,0,0 has no area"),
        ([*MOUTH, "--box", "200,70,1e-300,1e-300"], "The box 200,70,1e-300,1e-300 is too small for a face"),
        ([*MOUTH, "--box", "1,1,99,99", "--face", "1"], "Both --face and --box"),
        ([*MOUTH, "--steps", "0"], "0 is not in the range"),
        (
            [*MOUTH, "--method", "dragon"],
            "'dragon' is not one of 'photodrag', 'draggan', 'draggan-code', 'freedrag', 'flow', 'flow-raft'",
        ),
        ([*MOUTH, "--device", "abacus"], "'abacus' is not one of"),
        ([*MOUTH, "--dra", "1,1:2,2"], "No such option"),
        ([*MOUTH, "--mask", "missing.png"], r"There is no file missing\.png"),
        ([*MOUTH, "--generator", "fase"], "There is no generator 'fase', perhaps 'face'; choose one of: face"),
    ],
)
def test_wrong_options(fails, portrait, arguments, sentence):
    fails(2, sentence, "edit", portrait, *arguments)


def test_number_of_a_face_that_is_not_there(fails, portrait, portrait_image):
    pair = Image.new("RGB", (512, 256))
    pair.paste(portrait_image, (0, 0))
    pair.paste(portrait_image.resize((240, 240)), (256, 0))
    pair.save(portrait.with_name("pair.png"))
    fails(
        2,
        r"There is no face 3 in pair\.png: they go from 1 to 2",
        "edit",
        portrait.with_name("pair.png"),
        *MOUTH,
        "--face",
        3,
    )


def test_wrong_masks(fails, portrait):
    mask = portrait.with_name("mask.png")
    Image.new("L", (256, 255), 255).save(mask)
    fails(
        2,
        r"mask\.png has 256 × 255 pixels, but the photo, as one sees it, 256 × 256",
        "edit",
        portrait,
        *MOUTH,
        "--mask",
        mask,
    )
    Image.new("L", (256, 256), 0).save(mask)
    fails(2, r"mask\.png is black throughout", "edit", portrait, *MOUTH, "--mask", mask)


def test_wrong_outputs(fails, portrait, locked_folder):
    mask, folder = portrait.with_name("mask.png"), portrait.with_name("folder.png")
    Image.new("L", (256, 256), 255).save(mask)
    folder.mkdir()
    (portrait.parent / "file").write_text("not a folder")
    for out, sentence in {
        folder: r"Could not write .*folder\.png: it is a folder",
        portrait.parent / "nowhere" / "out.png": r"Could not write .*out\.png: the folder .*nowhere does not exist",
        portrait.parent / "file" / "out.png": r"Could not write .*out\.png: part of that path is a file",
        locked_folder / "out.png": r"Could not write .*out\.png: you have no permission to write there",
        portrait: r"portrait\.png is the file that the edit is made from",
        mask: r"mask\.png is the file that the edit is made from",
        portrait.with_name("out.doc"): r"out\.doc does not say what format to write",
        portrait.with_name("out"): "out does not say what format to write",
    }.items():
        fails(2, sentence, "edit", portrait, *MOUTH, "--mask", mask, "--out", out)
    for path, sentence in {
        portrait: r"portrait\.png is the file that the edit is made from",
        locked_folder / "edit.json": "you have no permission to write there",
        portrait.with_name("out.png"): r"out\.png can't be both the picture and the edit",
    }.items():
        out = portrait.with_name("out.png")
        fails(2, sentence, "edit", portrait, *MOUTH, "--out", out, "--save-edit", path)


def test_default_output_that_cannot_be_written(fails, portrait):
    portrait.with_name("portrait-photodrag.png").mkdir()
    fails(2, r"portrait-photodrag\.png: it is a folder", "edit", portrait, *MOUTH)


def test_full_disk(fails, portrait, ready, small_disk):
    ready(portrait)
    out = small_disk / "out.png"
    out.write_bytes(b"an older picture")
    sentence = r"Could not write .*out\.png: the disk is full; make room and try again\."
    fails(1, sentence, "edit", portrait, *MOUTH, "--steps", 1, "--out", out)


def test_no_network_and_no_weights(fails, portrait, tmp_path):
    cache = tmp_path / "cache"
    digits = "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5"
    sentence = rf"random_face-2021\.7\.21\.1-py3-none-any\.whl.*{digits}.*into {cache / 'weights'}\."
    # Fetching would be told on stderr, too.
    aside = {"ignoring": "/cache", "PHOTODRAG_CACHE": str(cache)}
    fails(1, sentence, "edit", portrait, *MOUTH, "--quiet", **aside)
    assert [path.name for path in (cache / "weights").iterdir()] == ["random-face.lock"]
    ran = run("weights", "get", "face", PHOTODRAG_CACHE=str(cache))
    assert ran.code == 1 and re.fullmatch(r"Fetching random-face .*…\nCould not fetch .*\n", ran.err), ran


def test_download_of_a_wrong_file(fails, portrait, tmp_path):
    name = "random_face-2021.7.21.1"
    shelf, cache = tmp_path / "shelf", tmp_path / "cache"
    shelf.mkdir()
    with ZipFile(shelf / f"{name}-py3-none-any.whl", "w") as wheel:
        info = f"{name}.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: random-face\nVersion: 2021.7.21.1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: me\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    aside = {"ignoring": "/cache", "PHOTODRAG_CACHE": str(cache), "PIP_FIND_LINKS": str(shelf)}
    sentence = r"The random_face.*\.whl that pip fetched is not the right file and was thrown away: its SHA-256 is"
    fails(1, sentence, "edit", portrait, *MOUTH, "--quiet", **aside)
    assert [path.name for path in (cache / "weights").iterdir()] == ["random-face.lock"]


def test_wrong_file_laid_by_hand(fails, portrait, tmp_path):
    cache = tmp_path / "cache"
    (cache / "weights").mkdir(parents=True)
    (cache / "weights" / "random_face-2021.7.21.1-py3-none-any.whl").write_bytes(b"PK")
    sentence = r"random_face.*\.whl is not the right file: its SHA-256 is .* expected was e5d10e2b"
    fails(2, sentence, "edit", portrait, *MOUTH, ignoring=r"random-face\.lock$", PHOTODRAG_CACHE=str(cache))


@pytest.mark.parametrize(
    "content, sentence",
    [
        (None, r"There is no file .*edit\.json"),
        ("", r"edit\.json is no JSON"),
        ('{"photodrag": 1, "drags": [', r"edit\.json is no JSON: look at line 1, column"),
        ("[1, 2]", r"edit\.json should hold an object"),
        (b"\xff\xfe\x00", r"edit\.json is no text in UTF-8"),
        ({"drags": []}, "lacks the field 'photodrag'"),
        ({"photodrag": 2}, "the field 'photodrag' should be 1, the version known here, not 2"),
        ({"photodrag": 1, "maks": "face"}, "has a field 'maks', which there isn't: the fields are photodrag, drags"),
        ({"photodrag": 1, "drags": [[1, 2, 3, 4]]}, r"the field 'drags' should be .* not \[\[1, 2, 3, 4\]\]"),
        ({"photodrag": 1, "drags": [[["1", 2], [3, 4]]]}, "the field 'drags' should be"),
        ({"photodrag": 1, "drags": [[[float("nan"), 2], [3, 4]]]}, r"the field 'drags' should be .* not \[\[\[NaN"),
        ({"photodrag": 1, "drags": [[[True, 2], [3, 4]]]}, "the field 'drags' should be"),
        ({"photodrag": 1, "mask": 3}, "the field 'mask' should be"),
        ({"photodrag": 1, "face": "largest"}, "the field 'face' should be"),
        ({"photodrag": 1, "box": [1, 2, 3]}, "the field 'box' should be"),
        ({"photodrag": 1, "face": 1, "box": [1, 2, 3, 4]}, "has both 'face' and 'box'"),
        ({"photodrag": 1, "generator": 7}, "the field 'generator' should be"),
        ({"photodrag": 1, "align": "circle"}, 'the field \'align\' should be "face", "square" or null, not'),
        ({"photodrag": 1, "class": -1}, "the field 'class' should be a class's number from 0 to 1000000"),
        ({"photodrag": 1, "method": "dragon"}, 'the field \'method\' should be one of "photodrag", "draggan", '),
        ({"photodrag": 1, "steps": 0}, "the field 'steps' should be a whole number from 1 to 10000, or null, not 0"),
        ({"photodrag": 1, "steps": 2.5}, "the field 'steps' should be"),
        ({"photodrag": 1, "seed": -1}, "the field 'seed' should be"),
        ('{"photodrag": 1, "seed": 1, "seed": 2}', "the field 'seed' is there twice"),
        ({"photodrag": 1}, "Nothing is to be dragged"),
        ({"photodrag": 1, "drags": [[[104, 139], [104, 139]]]}, "The handle 104,139 is its own target"),
    ],
)
def test_wrong_edit_files(fails, portrait, content, sentence):
    path = portrait.with_name("edit.json")
    if content is not None:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    fails(2, sentence, "edit", portrait, "--edit", path)


def test_wrong_checkpoints(fails, portrait, golden, cache, tmp_path):
    for folder in ("added", "files"):
        (cache / "weights" / folder).mkdir()
    whole, cut = golden / "rosinality-16.pt", tmp_path / "cut.pkl"
    cut.write_bytes((golden / "legacy-tf-16.pkl").read_bytes()[:100_000])
    fails(2, r"portrait\.png was not opened: it is a picture", "weights", "add", portrait)
    fails(2, r"cut\.pkl was not opened", "edit", portrait, *MOUTH, "--quiet", "--generator", cut)
    fails(2, r"There is no file nothing\.pkl", "edit", portrait, *MOUTH, "--quiet", "--generator", "nothing.pkl")
    fails(2, "The name 'face' is taken", "weights", "add", whole, "--name", "face")
    fails(2, r"let the name .*out\.pkl end in \.safetensors", "weights", "convert", whole, tmp_path / "out.pkl")


@pytest.mark.parametrize(
    "file, arguments, sentence",
    [
        ("rosinality-16.pt", ["--box", "300,300,50,50"], "The box 300,300,50,50 does not fit the photo, which is 256"),
        ("rosinality-16.pt", ["--box", "90,130,30,9"], "too small for a picture: draw it 16 pixels a side or more"),
        (
            "rosinality-16.pt",
            ["--box", "0,0,128,128"],
            "The handle 104.4,138.9 lies outside the square that is edited, which reaches from about 0,0 to 128,128: "
            "move it there or choose another square with --box",
        ),
        ("rosinality-16.pt", ["--face", "1"], r"A face was chosen \(--face\) where a square of the photo is edited"),
        ("rosinality-16.pt", ["--mask", "face"], "The mask can't be the face .* give --mask auto or a picture"),
        ("rosinality-16.pt", ["--class", "0"], r"rosinality-16\.pt has no classes: leave --class out"),
        ("nvidia-ada-conditional-16.pkl", [], r"16\.pkl has 4 classes: choose one with --class N, from 0 to 3"),
        ("nvidia-ada-conditional-16.pkl", ["--class", "4"], "has no class 4: its 4 go from 0 to 3"),
        ("nvidia-ada-conditional-16.pkl", ["--class", "-1"], "Invalid value for '--class': -1 is not in the range"),
        ("nvidia-ada-conditional-16.pkl", ["--class", "two"], "'two' is not a valid integer"),
        ("README.md", [], r"README\.md was not opened: "),
    ],
)
def test_wrong_uses_of_a_generator(fails, portrait, golden, cache, file, arguments, sentence):
    (cache / "weights" / "files").mkdir()
    given = "edit", portrait, *MOUTH, "--quiet", "--generator", golden / file, *arguments
    fails(2, sentence, *given, ignoring=r"weights/files/[0-9a-f]{64}\.safetensors$")


def test_wrong_names(fails, cache):
    fails(2, "There is no weights 'fase', perhaps 'face'; choose one of: face", "weights", "info", "fase")
    fails(2, "There is no weights 'fase'", "weights", "get", "fase")
    fails(2, "There is no file fase.pkl; check its name", "weights", "info", "fase.pkl")
    fails(2, "Nothing of face is kept by Photodrag", "weights", "remove", "face", PHOTODRAG_CACHE=str(cache / "none"))
    fails(2, r"No such command 'drag' \(see `photodrag --help`\)", "drag")
    fails(2, "No inversion 'abc' is kept, so nothing was removed", "cache", "remove", "abc")
    fails(2, "Missing argument", "cache", "remove")
    fails(2, r"Missing argument 'PHOTO", "invert")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_device_that_is_not_there(fails, portrait, cache):
    fails(
        2,
        r"The device 'cuda' can't be used here \(.*\); 'cpu' always can\.",
        "edit",
        portrait,
        *MOUTH,
        "--device",
        "cuda",
    )


def test_nobody_reads_the_output(portrait):
    shell = f"{COMMAND} faces {portrait} --json | true; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", shell], capture_output=True, encoding="utf-8", env=environment())
    assert (ran.returncode, ran.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cannot_be_printed(portrait):
    with open("/dev/full", "w") as full:
        ran = subprocess.run([COMMAND, "faces", portrait], stdout=full, stderr=subprocess.PIPE, env=environment())
    assert (ran.returncode, ran.stderr) == (1, b"Could not print the result: No space left on device.\n")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ],
)
def test_too_little_memory(error, portrait, monkeypatch, capsys):
    def fail(path):
        raise error

    monkeypatch.setattr("photodrag.pipeline.photos.read.read_photo", fail)
    assert main(["faces", str(portrait)]) == 1
    assert re.fullmatch(r"There is not enough memory for this: [^\n]+\n", capsys.readouterr().err)


def test_our_own_mistakes_crash_loudly(portrait, monkeypatch):
    def fail(path):
        warnings.warn("nobody needs to know", stacklevel=1)
        raise ZeroDivisionError

    monkeypatch.setattr("photodrag.pipeline.photos.read.read_photo", fail)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError):
        main(["faces", str(portrait)])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_warnings_of_libraries_are_not_shown(portrait, monkeypatch, capsys):
    read_photo = read.read_photo

    def warn(path):
        warnings.warn("nobody needs to know", stacklevel=1)
        return read_photo(path)

    monkeypatch.setattr(read, "read_photo", warn)
    assert main(["faces", str(portrait)]) == 0
    assert capsys.readouterr().err == ""
