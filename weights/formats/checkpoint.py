"""A checkpoint from anyone: told by its content what it is, opened without running a line of it."""

import mmap
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import file_sha256
from photodrag.weights.formats.budget import Refused
from photodrag.weights.formats.pickled import OLD_TORCH, read, read_old_torch
from photodrag.weights.formats.safetensors_files import arguments_in, looks_like_safetensors, read_safetensors
from photodrag.weights.formats.torch_files import ZIP, read_torch_zip

MAX_SIZE = 4 << 30
"""Bytes. Three networks of StyleGAN2 at 1024² with their optimisers' states take under one GiB."""

SUPPORTED = "a pickle by NVIDIA's code, a file by torch.save, or safetensors"
FETCH_FILE = "fetch the file itself"
OTHER_FILES = {
    b"version https://git-lfs": "it only says where Git LFS keeps the file; run 'git lfs pull' there, or " + FETCH_FILE,
    b"<!doctype": "it is a web page that was saved under that name; " + FETCH_FILE,
    b"<html": "it is a web page that was saved under that name; " + FETCH_FILE,
    b"<?xml": "it is a server's answer that was saved under that name; " + FETCH_FILE,
    b"{": "it is a text (JSON); " + FETCH_FILE,
    b"\xff\xd8\xff": "it is a picture; name a checkpoint here",
    b"\x89png": "it is a picture; name a checkpoint here",
    b"gif8": "it is a picture; name a checkpoint here",
    b"riff": "it is a picture or a sound; name a checkpoint here",
    b"\x1f\x8b": "it is compressed (gzip); unpack it first",
    b"bzh": "it is compressed (bzip2); unpack it first",
    b"\xfd7zxz": "it is compressed (xz); unpack it first",
    b"7z\xbc\xaf": "it is a 7z archive; unpack it first",
    b"rar!": "it is a RAR archive; unpack it first",
    b"pk\x05\x06": "it is an empty zip archive; fetch it again",
}
"""How files start, in lower case, that people have in a checkpoint's place, and what to tell them."""


@dataclass(frozen=True)
class RawCheckpoint:
    """What a file holds, in the layout of whoever wrote it: names and shapes are not looked at yet.

    `content` is a tree of dicts, lists, tuples, sets, scalars, torch.Tensors, numpy.ndarrays and Shells
    that may be walked with recursion; of safetensors it's a dict of tensors. `arguments` are the
    constructor's that a safetensors file of ours carries, `metadata` all that it carries."""

    format: Literal["pickle", "torch", "safetensors"]
    content: object
    arguments: dict[str, object] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def open_checkpoint(path: str | Path) -> RawCheckpoint:
    """Open a checkpoint, whatever it's called. Nothing in it is run, and no more memory is taken than
    a few times its size.

    Raises UserError for a file that can't be read or is none, with what it is instead where that shows,
    and for one that holds what no checkpoint needs."""
    path = Path(path)
    _check_regular_file(path)
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) == 0:
                raise Refused("it is empty; fetch it again")
            # Not closed here: views of it live on in a refusal's traceback, or as bytes in the content.
            return _read(path, memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
    except OSError as error:
        raise _cannot_read(path, error) from error
    except Refused as refusal:
        raise UserError(f"{path} was not opened: {refusal}.") from refusal


def sha256_of(path: str | Path) -> str:
    """The file's SHA-256 [64 hexadecimal digits]. Raises UserError for a file that can't be read, or is too large."""
    path = Path(path)
    _check_regular_file(path)
    try:
        with path.open("rb") as file:
            return file_sha256(file)
    except OSError as error:
        raise _cannot_read(path, error) from error


def _check_regular_file(path: Path) -> None:
    """Raise UserError for what can't be read to its end, before it is opened: a pipe would make us wait, a device
    would never end, nor would ten terabytes."""
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from error
    if stat.S_ISDIR(facts.st_mode):
        raise UserError(f"{path} is a folder; name the checkpoint in it.")
    if not stat.S_ISREG(facts.st_mode):
        raise UserError(f"{path} is no ordinary file; name a checkpoint.")
    if facts.st_size > MAX_SIZE:
        larger = f"it is larger than any checkpoint of a StyleGAN2 ({MAX_SIZE >> 30} GiB)"
        raise UserError(f"{path} was not opened: {larger}; name another file.")


def _cannot_read(path: Path, error: OSError | ValueError) -> UserError:
    if isinstance(error, FileNotFoundError):
        return UserError(f"There is no file {path}; check its name.")
    return UserError(f"Could not read {path}: {getattr(error, 'strerror', None) or error}.")


def _read(path: Path, data: memoryview) -> RawCheckpoint:
    head = bytes(data[:512])
    if head.startswith(ZIP):
        return RawCheckpoint("torch", read_torch_zip(data))
    if head.startswith(OLD_TORCH):
        return RawCheckpoint("torch", read_old_torch(data))
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return RawCheckpoint("pickle", read(data)[0])
    if looks_like_safetensors(head):
        state, metadata = read_safetensors(path, data)
        return RawCheckpoint("safetensors", state, arguments_in(metadata), metadata)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for beginning, advice in OTHER_FILES.items():
        if start.startswith(beginning):
            raise Refused(advice)
    raise Refused(f"it is none of {SUPPORTED}; name one of those")
