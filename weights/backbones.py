"""What torchvision publishes and looks for in the torch hub's folder: the backbones of `lpips-vgg` and `lpips-alex`,
and RAFT."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import PART, Progress, cache_folder, cannot_write, file_sha256, locked, make_folder

TORCHVISION = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class Backbone:
    """A file that torchvision's makers publish, whose name has the first digits of its SHA-256."""

    file: str
    size: int | None
    """Bytes; None where nobody says: its SHA-256 tells it anyway."""
    sha256: str
    """64 hexadecimal digits, as many people's copies have it."""
    source: str = TORCHVISION

    @property
    def urls(self) -> tuple[str, ...]:
        """Where it lies."""
        return (self.source + self.file,)

    @property
    def path(self) -> Path:
        """Where torch looks for it; it need not be there."""
        return Path(torch.hub.get_dir()).absolute() / "checkpoints" / self.file


def is_whole(backbone: Backbone) -> bool:
    """Whether the right file lies where torch looks for it. It is read: half a gigabyte in half a second."""
    try:
        with backbone.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return backbone.size in (None, size) and file_sha256(file) == backbone.sha256
    except OSError:
        return False


def ensure_backbone(backbone: Backbone, progress: Progress | None = None) -> Path:
    """Where the backbone lies, fetched unless the right file is there: what else lies at its name is replaced as soon
    as the right one has come.

    Raises Failure, which says where to put it by hand, where it can't be had; UserError where it can't be written."""
    path = backbone.path
    if is_whole(backbone):
        return path
    from photodrag.weights.fetching.download import download  # see docs/design-notes.md#imports-that-wait

    def waiting() -> None:
        if progress:
            progress(f"waiting for another process that fetches {backbone.file}")

    folder = make_folder(path.parent)
    with locked(make_folder(cache_folder("weights")) / f"{backbone.file}.lock", waiting):
        if is_whole(backbone):  # another process has fetched it meanwhile
            return path
        if path.is_dir():
            raise UserError(f"{path} is a folder, where a file belongs: remove it to have that fetched.")
        if path.exists() and progress:
            progress(f"fetching {backbone.file} anew, for {path} is not the right file")
        parts = folder / f".{backbone.file}{PART}"
        fetched = download(backbone, backbone.sha256, parts, progress)
        try:
            os.replace(fetched, path)
        except OSError as error:
            raise cannot_write(path, error) from error
        shutil.rmtree(parts, ignore_errors=True)
    return path
