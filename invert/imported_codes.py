"""Codes that other programs wrote, read without running anything in the files, and written for them.

NVIDIA's projector and DragGAN write `projected_w.npz` with an array `w` [1, num_ws, 512]; PTI, e4e and rosinality's
projector write .pt files with a tensor [N, num_ws, 512], [num_ws, 512] or [1, 512], alone or in a dict by the
photo's name or as `latent`; II2S writes .npz with `latent_in` or a bare .npy; ReStyle and HyperStyle write .npy files
of a dict by the photos' names, with the codes [num_ws, 512], or a list of those of each step."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import write_whole
from photodrag.weights.formats.budget import Refused
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.pickled import read as read_pickle

NAMES = ("w", "latent", "latents", "latent_in", "w_plus", "ws")
"""Under which codes are found, the likeliest first."""
SIZE = 256 << 20
"""Bytes that a file may hold: some seven thousand codes."""


@dataclass(frozen=True, eq=False)
class Latent:
    """The codes of one picture."""

    codes: Tensor
    """float32 [n, w_dim]: n of them, or 1 where all layers share it."""
    name: str | None = None
    """What the file calls the picture; None where it doesn't."""


def read_latents(path: str | Path, w_dim: int = 512) -> list[Latent]:
    """The codes in a file, of one picture or several, in their order.

    Raises UserError for a file that can't be read, or holds no codes of that width."""
    found = list(_latents(_content(Path(path)), w_dim))
    if not found:
        raise UserError(f"{path} holds no codes of {w_dim} numbers: give what a projector wrote (.npz, .npy or .pt).")
    if not all(torch.isfinite(latent.codes).all() for latent in found):
        raise UserError(f"{path} holds codes that are no finite numbers: project the photo again.")
    return found


def chosen(latents: list[Latent], path: str | Path, photo: str | Path, index: int | None = None) -> Tensor:
    """The codes [n, w_dim] of a photo among those of a file: of that index; else the only ones, or those under the
    photo's name.

    Raises UserError where there are several and none is the photo's, and for an index that there isn't."""
    if index is not None:
        if index >= len(latents):
            raise UserError(f"{path} has codes of {_count(latents)}: --index is from 0 to {len(latents) - 1}.")
        return latents[index].codes
    named = [latent for latent in latents if latent.name and Path(latent.name).stem == Path(photo).stem]
    if len(named) == 1 or len(latents) == 1:
        return (named or latents)[0].codes
    names = [ascii(latent.name[:40])[1:-1] for latent in latents[:5] if latent.name]
    which = f" ({', '.join(names)}{', …' if len(latents) > 5 else ''})" if names else ""
    raise UserError(
        f"{path} has codes of {_count(latents)}{which}: say with --index, from 0 to {len(latents) - 1}, which are "
        f"those of {Path(photo).name}."
    )


def _count(latents: list[Latent]) -> str:
    return f"{len(latents)} pictures" if len(latents) != 1 else "one picture"


def _latents(value: object, w_dim: int, name: str | None = None) -> Iterator[Latent]:
    """The codes in a tree, each with the name under which it lies.

    In a dict one under a known name is the likeliest, and goes before all else; a list holds pictures, but where it
    has a name, one picture's steps, of which the last is the best."""
    array = torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
    if isinstance(array, Tensor):
        if array.is_floating_point() and array.ndim in (1, 2, 3) and array.shape[-1] == w_dim and array.numel():
            # Two dimensions are the codes of one picture, never a batch of single ones, as PTI and e4e write them.
            several = array.float() if array.ndim == 3 else array.float().reshape(1, -1, w_dim)
            yield from (Latent(codes, name) for codes in several)
    elif isinstance(value, dict):
        for known in NAMES:
            if found := list(_latents(value.get(known), w_dim, name)):
                yield from found
                return
        for key, item in value.items():
            yield from _latents(item, w_dim, str(key))
    elif isinstance(value, list | tuple):
        parts = [found for item in value if (found := list(_latents(item, w_dim, name)))]
        for found in parts[-1:] if name else parts:
            yield from found


def read_direction(path: str | Path, w_dim: int = 512) -> Tensor:
    """A direction in W in a file (.npy, .npz, .pt, .safetensors), float32 [n, w_dim]: one for all codes (n = 1), or one
    for each, in a row or flat, as InterFaceGAN's boundaries [1, 512] and e4e's [1, 9216] are.

    Raises UserError for a file that can't be read, or holds none of that width."""
    fits = [array for array in _leaves(_content(Path(path))) if array.ndim in (1, 2, 3) and array.numel()]
    found = [array for array in fits if array.shape[-1] % w_dim == 0 and (array.ndim < 3 or len(array) == 1)]
    if not found:
        raise UserError(
            f"{path} holds no direction of {w_dim} numbers, or of {w_dim} for each code: give another file."
        )
    direction = found[0].float().reshape(-1, w_dim)
    if not torch.isfinite(direction).all() or not direction.any():
        raise UserError(
            f"{path} holds a direction that leads nowhere (zeros, or no finite numbers): give another file."
        )
    return direction


def fitted(latent: Tensor, num_ws: int) -> Tensor:
    """The codes [n, w_dim] of one picture, or a direction, as w_plus [1, num_ws, w_dim] of a generator: a shared one
    repeated, and of more codes the first ones. `face` has sixteen, of which fifteen are StyleGAN2-FFHQ's own.

    Raises UserError for fewer codes than the generator has."""
    count = len(latent)
    if count == 1:
        latent = latent.expand(num_ws, -1)
    elif count < num_ws:
        raise UserError(f"The file has {count} codes, and the generator takes {num_ws}: name its own one.")
    return latent[None, :num_ws].contiguous()


def write_projected_w(path: str | Path, w_plus: Tensor, codes: int | None = None) -> None:
    """Write w_plus [1, num_ws, w_dim] as NVIDIA's projector does; `codes`: as many as the program that is to read it
    wants, the last one repeated where they are more. Raises UserError where it can't be written, or codes are none, or
    more than 64."""
    codes = w_plus.shape[1] if codes is None else codes
    if codes not in range(1, 65):
        raise UserError(f"{codes} codes can't be written: 1 to 64 can.")
    places = torch.arange(codes).clamp_max(w_plus.shape[1] - 1)
    w = w_plus.detach().cpu()[:, places].numpy()
    write_whole(Path(path), lambda file: np.savez(file, w=w))


def _content(path: Path) -> object:
    return _numpy(path) if _is_numpy(path) else open_checkpoint(path).content


def _leaves(value: object) -> Iterator[Tensor]:
    """All tensors of numbers in a tree, in a dict those under a known name first."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value = torch.from_numpy(np.array(value))
    if isinstance(value, Tensor) and value.is_floating_point():
        yield value
    elif isinstance(value, dict):
        for _, item in sorted(value.items(), key=lambda item: item[0] not in NAMES):
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)


def _is_numpy(path: Path) -> bool:
    """By its content: a .pt file is a zip archive, too."""
    try:
        with path.open("rb") as file:
            head = file.read(6)
        if head != b"\x93NUMPY" and not head.startswith(b"PK\x03\x04"):
            return False
        if head == b"\x93NUMPY":
            return True
        with zipfile.ZipFile(path) as archive:
            return all(name.endswith(".npy") for name in archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False  # open_checkpoint says what is wrong


def _numpy(path: Path) -> object:
    """What an .npz or .npy file holds: arrays by name, an array, or the list of one object. Nothing in it is run."""
    try:
        if path.stat().st_size > SIZE or _unpacked(path) > SIZE:
            raise UserError(f"{path} is larger than any file of codes ({SIZE >> 20} MB): name another one.")
        with path.open("rb") as file:
            if not zipfile.is_zipfile(path):
                return _array(file)
            content = np.load(file, allow_pickle=False)
            return {name: content[name] for name in content.files}
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        Refused,
        TokenError,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as error:
        raise UserError(
            f"{path} was not read: it is damaged, or holds Python objects; give arrays of numbers, or a dict of them."
        ) from error


def _array(file: BinaryIO) -> object:
    """What a .npy file holds. A dict, which numpy keeps as an array of one object, is read as checkpoints are."""
    version = np.lib.format.read_magic(file)
    if version > (2, 0):
        raise ValueError("another version")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, dtype = read_header(file)
    if not dtype.hasobject:
        file.seek(0)
        return np.load(file, allow_pickle=False)
    return read_pickle(memoryview(file.read()), lists=True)[0]


def _unpacked(path: Path) -> int:
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as archive:
        return sum(info.file_size for info in archive.infolist())
