"""Checkpoints of the person's own: opened where they lie, added under a name, written as safetensors, removed."""

import os
import re
from dataclasses import replace
from os import PathLike
from pathlib import Path

from photodrag.weights import catalogue
from photodrag.weights.catalogue import ENTRIES, Entry, UserCheckpoint, added_path
from photodrag.weights.common.checked_safetensors import read_facts, write_checked
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import Progress, cache_folder, remove_file
from photodrag.weights.converted import converted_path, ensure_state
from photodrag.weights.fetching.published import UNKNOWN, published_with
from photodrag.weights.formats.checkpoint import sha256_of
from photodrag.weights.formats.generator_checkpoint import read_checkpoint

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
ENDINGS = {".pkl", ".pt", ".pth", ".safetensors"}


def resolve(name_or_path: str | PathLike[str], kind: str | None = None) -> Entry:
    """The entry of that name (and kind), or one for the checkpoint at that path. A name
    goes before a file that is called so; ./NAME is the file.

    Raises UserError where there is neither."""
    text = str(name_or_path)
    path = _expanded(text)
    known = text in catalogue.names()
    if known or not (os.path.exists(path) or path.name != text or path.suffix.lower() in ENDINGS):
        return catalogue.find(text, kind)
    return _entry(_checkpoint_at(path), path)


def add(
    path: str | PathLike[str], name: str | None = None, subject: str | None = None, progress: Progress | None = None
) -> Entry:
    """Keep a checkpoint, converted, in the user's cache, to be asked for by name: the file's, without its
    ending, unless one is given. `subject`: what its pictures show, "face" for faces aligned as FFHQ's are.

    Raises UserError for a file that isn't a whole generator, for a name that is taken or can't be one, and a
    cache that can't be written."""
    path = _expanded(path)
    name = name or path.stem
    if not re.fullmatch(NAME, name):
        raise UserError(f"{name!r} can't be a name: give one of letters, digits, dots, - and _ with --name.")
    if name.lower() in {entry.name.lower() for entry in ENTRIES}:
        raise UserError(f"The name {name!r} is taken: give another one with --name.")
    near = next((other for other in catalogue.names() if other.lower() == name.lower() and other != name), None)
    if near:  # on some disks it would be the same file
        raise UserError(f"A checkpoint was added as {near!r}: give another name than {name!r} with --name.")
    checkpoint = replace(_checkpoint_at(path), converted=added_path(name))
    entry = _entry(checkpoint, path)
    entry = replace(entry, name=name, subject=subject or entry.subject)
    if name in catalogue.names() and _sha256_added(name) != checkpoint.sha256:
        raise UserError(
            f"Another checkpoint was added as {name!r}: remove it with `photodrag weights remove {name}`, "
            "or give another name with --name."
        )
    state = ensure_state(entry, progress)
    facts = read_facts(checkpoint.converted)
    if subject and facts.get("subject") != subject:  # it was added before, with another subject or none
        write_checked(checkpoint.converted, state, facts | {"subject": subject})
    return entry


def convert(path: str | PathLike[str], out: str | PathLike[str], resolution: int | None = None) -> Path:
    """Write a checkpoint as safetensors: float32, NVIDIA's names for its tensors, the facts as metadata. Gives where.

    resolution: of its pictures, for one of StyleGAN or ProGAN that was trained only that far.
    Raises UserError for a file that isn't a whole generator, and for an output that can't be written."""
    path, out = _expanded(path), _expanded(out)
    if out.suffix != ".safetensors":
        raise UserError(f"What is written is safetensors: let the name {out} end in .safetensors.")
    checkpoint = _checkpoint_at(path)
    entry = _entry(checkpoint, path)
    if os.path.exists(out) and out.samefile(path):
        raise UserError(f"{out} is the checkpoint itself: give another name to write to.")
    facts = {"name": path.stem, "source": path.name, "licence": entry.licence, "source_sha256": checkpoint.sha256}
    facts |= {"subject": entry.subject} if entry.subject else {}
    network = read_checkpoint(path, resolution)
    write_checked(out, network.state, facts | network.facts())
    return out


def remove(name_or_path: str | PathLike[str]) -> int:
    """Remove the converted weights of that name or of the checkpoint at that path from the user's cache, never the
    checkpoint itself. Gives how much that freed [bytes].

    Raises UserError where none are kept, or they can't be removed."""
    entry = resolve(name_or_path)
    path = converted_path(entry)
    if path is None or not path.is_file():
        raise UserError(f"Nothing of {name_or_path} is kept by Photodrag, so nothing was removed.")
    size = path.stat().st_size
    remove_file(path)
    return size


def _checkpoint_at(path: Path) -> UserCheckpoint:
    """The file at that path, hashed; converted, it is kept under its hash."""
    sha256 = sha256_of(path)
    return UserCheckpoint(path.name, sha256, cache_folder("weights", "files") / f"{sha256}.safetensors", path)


def _sha256_added(name: str) -> str | None:
    """The SHA-256 of the checkpoint that was added under that name."""
    added = catalogue.find(name).user_checkpoint
    return added.sha256 if added else None


def _entry(checkpoint: UserCheckpoint, path: Path) -> Entry:
    """An entry for the checkpoint at that path, with what is published of it, or what it says of itself."""
    published, facts = published_with(checkpoint.sha256), read_facts(path)
    return Entry(
        kind="generator",
        name=str(path),
        description="generator",
        source=path.name,
        licence=published.licence if published else _displayable(facts.get("licence")) or UNKNOWN,
        size=path.stat().st_size,
        subject=published.subject if published else _displayable(facts.get("subject")),
        user_checkpoint=checkpoint,
    )


def _expanded(path: str | PathLike[str]) -> Path:
    """With the home folder for ~; as it is, where there is no such home."""
    return Path(os.path.expanduser(path))


def _displayable(fact: str | None) -> str | None:
    """What a converted file says of itself, unless it isn't fit to be shown."""
    return fact if fact and fact.isprintable() and len(fact) <= 100 else None
