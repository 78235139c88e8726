"""Codes that other programs wrote, read without running anything in the files, and written for them.

NVIDIA's projector and DragGAN write `projected_w.npz` with an array `w` [1, num_ws, 512]; PTI, e4e and rosinality's
projector write .pt files with a tensor [N, num_ws, 512], [num_ws, 512] or [1, 512], alone or in a dict by the
photo's name or as `latent`; II2S writes .npz with `latent_in` or a bare .npy."""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import write_whole
from photodrag.weights.formats.checkpoint import open_checkpoint

NAMES = ("w", "latent", "latents", "latent_in", "w_plus", "ws")
"""Under which codes are found, the likeliest first."""
SIZE = 256 << 20
"""Bytes that a file may hold: some seven thousand codes."""


def read_latents(path: str | Path, w_dim: int = 512) -> Tensor:
    """The codes in a file, float32 [N, n, w_dim]: n of them for each of N pictures, 1 where they share it.

    Raises UserError for a file that can't be read, or holds no codes of that width."""
    found = [
        array for array in _arrays(Path(path)) if array.ndim in (1, 2, 3) and array.shape[-1] == w_dim and array.numel()
    ]
    if not found:
        raise UserError(f"{path} holds no codes of {w_dim} numbers: give what a projector wrote (.npz, .npy or .pt).")
    latents = found[0].float()
    if not torch.isfinite(latents).all():
        raise UserError(f"{path} holds codes that are no finite numbers: project the photo again.")
    if latents.ndim == 3:
        return latents
    # Two dimensions are the codes of one picture, never a batch of single ones, as PTI and e4e write them.
    return latents.reshape(1, -1, w_dim)


def read_direction(path: str | Path, w_dim: int = 512) -> Tensor:
    """A direction in W in a file (.npy, .npz, .pt, .safetensors), float32 [n, w_dim]: one for all codes (n = 1), or one
    for each, in a row or flat, as InterFaceGAN's boundaries [1, 512] and e4e's [1, 9216] are.

    Raises UserError for a file that can't be read, or holds none of that width."""
    fits = [array for array in _arrays(Path(path)) if array.ndim in (1, 2, 3) and array.numel()]
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


def _arrays(path: Path) -> list[Tensor]:
    return _numpy(path) if _is_numpy(path) else _leaves(open_checkpoint(path).content)


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


def _numpy(path: Path) -> list[Tensor]:
    """The arrays of numbers in an .npz or .npy file, those with a known name first."""
    try:
        if path.stat().st_size > SIZE or _unpacked(path) > SIZE:
            raise UserError(f"{path} is larger than any file of codes ({SIZE >> 20} MB): name another one.")
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            named = {"": content} if isinstance(content, np.ndarray) else {n: content[n] for n in content.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(
            f"{path} was not read: it is damaged, or holds Python objects; give an array of numbers."
        ) from error
    return [torch.from_numpy(array) for _, array in sorted(named.items(), key=_likelihood) if array.dtype.kind == "f"]


def _unpacked(path: Path) -> int:
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as archive:
        return sum(info.file_size for info in archive.infolist())


def _leaves(value: object) -> list[Tensor]:
    """The tensors of numbers in a tree, those under a known name first."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return [torch.from_numpy(np.array(value))]
    if isinstance(value, Tensor):
        return [value] if value.is_floating_point() else []
    if isinstance(value, dict):
        value = [item for _, item in sorted(value.items(), key=_likelihood)]
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list | tuple) else []


def _likelihood(item: tuple[object, object]) -> int:
    return NAMES.index(item[0]) if item[0] in NAMES else len(NAMES)
