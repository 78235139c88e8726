"""What the commands of the pages run on: files under the names that the pages use, and what stands in for something
that would have to be fetched or takes long.

- a generator of 32 pixels for `face`, and published ones' golden cousins for theirs, which would have to be fetched:
  the pictures are nonsense, and the command is the same;
- class 2 for cifar10's class 6: what stands in for it has four classes;
- an offset of equal numbers for every direction of an attribute, which generators of FFHQ's W alone have;
- the same numbers for every person's likeness, which dlib takes a third of a second for;
- numbers of a picture's own for the attributes of a face that it isn't, another distance for lpips-vgg;
- the mean code for what a projection finds in a minute, two steps for a drag's 120, one for a tuning's 54, three
  pictures for a film's 40, `compare` in a few steps: so all of it takes seconds."""

import json
import shutil
import threading
import urllib.request
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import uvicorn
from documents import ROOT
from PIL import Image
from user_cache import link

from photodrag import weights
from photodrag.drag import DragSettings
from photodrag.invert import identity, perceptual
from photodrag.invert.projection import ProjectSettings, Stage
from photodrag.invert.tuning import TuneSettings
from photodrag.pipeline.compare import run as comparison
from photodrag.pipeline.compare.row import CompareSettings
from photodrag.pipeline.editing import code_edit, inversion, whole_edit
from photodrag.pipeline.editing.part_map import part_map
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.faces.irises import find_irises
from photodrag.pipeline.films import frames
from photodrag.pipeline.measures.attributes import Labeller
from photodrag.pipeline.page.token import current_token
from photodrag.weights import catalogue
from photodrag.weights.common.files import cache_folder
from photodrag.weights.fetching.published import CHECKPOINTS
from photodrag.weights.formats.checkpoint import sha256_of

FACE = "nvidia-sg3repo-stylegan2-32.pkl"
PUBLISHED = {
    "ffhq": "nvidia-ada-skip-32.pkl",
    "afhqcat": "nvidia-ada-skip-32.pkl",
    "car": "nvidia-sg3repo-stylegan2-32.pkl",
    "cifar10": "nvidia-ada-conditional-16.pkl",
    "stylegan3-r-afhqv2": "nvidia-sg3r-64.pkl",
}
SHIFT = {"lpips-vgg": "st-lpips-vgg"}
"""What stands for a distance whose backbone would have to be fetched."""
SQUARES = {"cat.jpg": (800, 720), "street.jpg": (1100, 620), "frog.png": (400, 400)}
PORTRAITS = "photo.jpg", "me.jpg", "profile.jpg", "singer.jpg", "laughing.jpg", "holiday/beach.jpg", "holiday/wood.jpg"
MASKS = {"MASK.png": (380, 430, 520, 580), "HAND.png": (450, 540, 480, 580), "microphone.png": (450, 540, 480, 580)}
"""Their white boxes."""
EDITS = {
    "edit.json": [[412, 530], [412, 510]],
    "smile.json": [[412, 530], [408, 518]],
    "brow.json": [[410, 480], [410, 474]],
}
FEW = CompareSettings(
    ProjectSettings((Stage(2, 32), Stage(2, 32, 24))), TuneSettings(1, whole=32, face=24), DragSettings(steps=2)
)


def lay_networks(golden: Path, patch: pytest.MonkeyPatch) -> None:
    """A small generator for `face`, and answers at once for what takes minutes."""
    load, load_distance = weights.load, perceptual.load

    def load_small(name="face", *rest, **more):
        generator = load(golden / FACE if str(name) == "face" else name, *rest, **more)
        generator.subject = "face" if str(name) == "face" else generator.subject
        return generator

    def mean_code(generator, *_, **__):
        w_plus = generator.w_avg.expand(1, generator.num_ws, -1).contiguous()
        return SimpleNamespace(w_plus=w_plus, loss=1.0, steps=1, seconds=1.0)

    patch.setattr(weights, "load", load_small)
    patch.setattr(inversion, "project", mean_code)
    patch.setattr(whole_edit, "check_has_attributes", lambda generator: None)
    patch.setattr(code_edit, "attribute_offset", lambda name, generator: 0.1 * torch.ones_like(generator.w_avg))
    patch.setattr(identity, "descriptor", lambda *_: np.zeros(128))
    patch.setattr(frames, "FRAMES", 3)
    patch.setattr(comparison, "CompareSettings", lambda: FEW)
    patch.setattr(perceptual, "load", lambda name="st-lpips-vgg", *rest: load_distance(SHIFT.get(name, name), *rest))
    patch.setattr(Labeller, "scores", lambda self, picture: picture[: len(self.names), 0, 0].astype(float))
    patch.setattr(uvicorn, "Server", VisitedServer)
    patch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing is fetched


def lay_weights(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A cache that holds the default weights, as the user's own does."""
    for path in map(weights.get, ("face", "st-lpips-vgg", "st-lpips-alex")):
        link(path, folder / path.parent.name / path.name)
    patch.setenv("PHOTODRAG_CACHE", str(folder))


def lay_files(folder: Path, golden: Path) -> None:
    """Whatever the commands read. The astronaut's left corner of the mouth lies at 412,530 of a photo."""
    (folder / "holiday").mkdir()
    (folder / "pictures").mkdir()  # a film's, as --frames writes them
    shutil.copytree(ROOT / "data", folder / "data")
    with Image.open(ROOT / "data" / "astronaut.png") as astronaut:
        face = astronaut.convert("RGB").crop((96, 0, 352, 256))
    portrait, group = Image.new("RGB", (600, 680), "gray"), Image.new("RGB", (480, 280), "gray")
    portrait.paste(face, (308, 391))
    other = Image.new("RGB", portrait.size, "gray")  # another expression, as far as landmarks tell
    other.paste(face.rotate(4, Image.Resampling.BICUBIC).resize((256, 268)), (300, 380))
    group.paste(face, (0, 0))
    group.paste(face.resize((200, 200)), (270, 40))
    group.save(folder / "group.jpg")
    for name in PORTRAITS:
        (other if name == "laughing.jpg" else portrait).save(folder / name)
    for name, size in SQUARES.items():
        face.resize(size).save(folder / name)
    for name, box in MASKS.items():
        mask = Image.new("L", portrait.size)
        mask.paste(255, box)
        mask.save(folder / name)
    (found,) = detect(np.array(portrait))
    photo = np.array(portrait)
    painted = part_map(photo.shape, found.landmarks, find_irises(photo, found.landmarks))
    painted[painted.any(2)] = np.roll(painted, -3, 0)[painted.any(2)]
    Image.fromarray(painted).save(folder / "painted.png")
    for name, drag in EDITS.items():
        (folder / name).write_text(json.dumps({"photodrag": 1, "drags": [drag]}))
    shutil.copy(golden / "nvidia-ada-skip-32.pkl", folder / "network-snapshot-004000.pkl")
    shutil.copy(golden / "rosinality-stylegan1-128.model", folder / "train_step-5.model")


def lay_published(golden: Path, patch: pytest.MonkeyPatch) -> None:
    """Checkpoints where a person without a network lays them, under the published names, taken for the published."""
    by_name = {checkpoint.name: checkpoint for checkpoint in CHECKPOINTS}
    stand_ins = {}
    for name, file in PUBLISHED.items():
        shutil.copy(golden / file, cache_folder("weights") / by_name[name].file)
        stand_ins[name] = catalogue.published_entry(replace(by_name[name], sha256=sha256_of(golden / file)))
    patch.setattr(catalogue, "ENTRIES", tuple(stand_ins.get(entry.name, entry) for entry in catalogue.ENTRIES))


class VisitedServer(uvicorn.Server):
    """The page's server, which ends when somebody has seen the page."""

    visits = 0

    def run(self, sockets=None) -> None:
        port = sockets[0].getsockname()[1]
        threading.Thread(target=self._visit, args=(port,), daemon=True).start()
        super().run(sockets)

    def _visit(self, port: int) -> None:
        try:
            browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with browser.open(f"http://127.0.0.1:{port}/?token={current_token()}", timeout=60) as answer:
                VisitedServer.visits += b"Photodrag" in answer.read()
        finally:
            self.should_exit = True
