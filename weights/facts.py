"""What a person wants to know about weights: what there is, where it comes from, where it lies."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from photodrag.weights import catalogue
from photodrag.weights.backbones import is_whole
from photodrag.weights.catalogue import Entry
from photodrag.weights.common.checked_safetensors import read_facts
from photodrag.weights.converted import converted_path, converted_state, source_sha256
from photodrag.weights.fetching.published import published_with
from photodrag.weights.formats.generator_checkpoint import NetworkSummary, network_of, read_checkpoint
from photodrag.weights.user_checkpoints import resolve


@dataclass(frozen=True)
class Facts:
    """The facts about one network. Sizes are in bytes."""

    kind: str
    name: str
    description: str
    origin: str
    """ "wheel", "backbone" (what torchvision downloads), "published" (a checkpoint) or "own"."""
    source: str
    urls: tuple[str, ...]
    """Where it can be fetched from, mirrors last; none for wheels and what is one's own."""
    licence: str
    resolution: int | None
    subject: str | None
    """What a generator's pictures show, where known."""
    file: str
    """What is downloaded (a wheel, a checkpoint, a backbone's .pth), or one's own file."""
    size: int | None
    sha256: str | None
    """Of that file; None where nobody knows it: see `agreeing`."""
    agreeing: int | None
    """Of a published checkpoint: how many people's copies of it have that SHA-256. 0: none was known, and
    the SHA-256, if any, is that of what was fetched here."""
    published: str | None
    """The name of the published checkpoint with that SHA-256."""
    path: Path | None
    """Where the weights lie on this machine; None before they are fetched or converted."""
    kept_size: int | None
    sound: bool | None
    """Whether what lies there was checked and found whole; None where nobody looked."""
    network: NetworkSummary | None
    """Of a generator; None where that isn't known without fetching it."""


def listing() -> list[Facts]:
    """The facts about all there is, without reading more than the headers of files."""
    return [_facts(entry, check=False) for entry in catalogue.entries()]


def info(name_or_path: str | PathLike[str]) -> Facts:
    """The facts about one name, its converted file checked, or about a checkpoint of the person's own, which is read.

    Raises UserError for an unknown name, and for a file that isn't a whole generator."""
    return _facts(resolve(name_or_path), check=True)


def _facts(entry: Entry, check: bool) -> Facts:
    path = entry.backbone.path if entry.backbone else converted_path(entry)
    path = path if path and path.is_file() else None
    if path and entry.backbone and entry.backbone.size not in (None, path.stat().st_size):
        path = None  # another program's, or one that was cut off
    sha256 = source_sha256(entry)
    network = network_of(read_facts(path)) if path and not entry.backbone else None
    if network is None and entry.user_checkpoint and entry.user_checkpoint.original:
        network = read_checkpoint(entry.user_checkpoint.original).network
    published = published_with(sha256) if sha256 else None
    return Facts(
        kind=entry.kind,
        name=entry.name,
        description=network.family if network and entry.user_checkpoint else entry.description,
        origin=_origin(entry),
        source=entry.source,
        urls=entry.urls,
        licence=entry.licence,
        resolution=entry.resolution or (network.resolution if network else None),
        subject=entry.subject,
        file=entry.file,
        size=entry.size,
        sha256=sha256,
        agreeing=entry.checkpoint.agreeing if entry.checkpoint else None,
        published=published.name if published else None,
        path=path,
        kept_size=path.stat().st_size if path else None,
        sound=_sound(entry) if check and path else None,
        network=network,
    )


def _sound(entry: Entry) -> bool:
    return is_whole(entry.backbone) if entry.backbone else converted_state(entry) is not None


def _origin(entry: Entry) -> str:
    if entry.user_checkpoint:
        return "own"
    if entry.checkpoint:
        return "published"
    return "wheel" if entry.wheel else "backbone"
