"""Files kept whole: the user's cache folder, writing all or nothing, one process at a time.

Nothing here knows what is kept; weights, inversions and edited photos all go through `write_whole`.
"""

import errno
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import platformdirs
from filelock import FileLock, Timeout

from photodrag.weights.common.errors import Failure, UserError

Progress = Callable[[str], None]
"""Told in a few words what is being done, whenever that takes long."""

PART = ".photodrag-part"
"""How the names of unfinished files and folders end. They start with a dot, too."""

FULL = {errno.ENOSPC, errno.EFBIG} | {getattr(errno, "EDQUOT", errno.ENOSPC)}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
DAY = 24 * 3600


def cache_folder(*parts: str) -> Path:
    """The user's cache folder for Photodrag, or a folder in it; it need not exist yet.

    The environment variable PHOTODRAG_CACHE names another one; it is read at every call."""
    root = os.environ.get("PHOTODRAG_CACHE") or platformdirs.user_cache_dir("photodrag", appauthor=False)
    return Path(root).expanduser().absolute().joinpath(*parts)


def make_folder(folder: Path, private: bool = False) -> Path:
    """Make a folder and those above it, and remove from it what killed processes left there. Gives the folder.

    private: it is the user's alone, whatever it was. Raises UserError where that can't be."""
    try:
        folder.mkdir(0o700 if private else 0o777, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    if private:
        close_to_others(folder)
    sweep(folder)
    return folder


def close_to_others(folder: Path) -> None:
    """Make a folder the user's alone, as older versions didn't; one that isn't there, or isn't ours, stays as it is.
    Windows keeps a user's folders from others by itself."""
    with suppress(OSError):
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)


def write_whole(path: Path, write: Callable[[BinaryIO], object], private: bool = False, lasting: bool = True) -> None:
    """Call `write` with an open binary file whose bytes become `path`: all of them, or none.

    A reader sees the old file or the new one. Whatever stops the writing (an error, Ctrl-C), the
    old file stays and nothing else does; only a killed process leaves a hidden file with a name in
    `PART`, which `sweep` removes. A link is followed, an existing file's mode is kept. private: the file is the
    user's alone, whatever there was. lasting: wait until it would outlive a power failure.

    Raises UserError where the path can't be written (Failure when the disk is full)."""
    path = Path(os.path.realpath(path))
    part = path.with_name(f".{secrets.token_hex(8)}{PART}")
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"Could not write {path}: it is {'a folder' if path.is_dir() else 'no ordinary file'}.")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        try:
            # Others may not read the new bytes either where they may not read the old ones.
            with open(part, "xb", opener=_private if private or path.exists() else None) as file:
                write(file)
                file.flush()
                if lasting:
                    os.fsync(file.fileno())
            if path.exists() and not private:
                shutil.copymode(path, part)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        if error.errno is None:  # not the system's: a library's own complaint
            raise
        raise cannot_write(path, error) from error


def write_bytes(path: Path, data: bytes) -> None:
    """The same, of bytes that are there. Raises UserError as `write_whole`."""
    write_whole(path, lambda file: file.write(data))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def cannot_write(path: Path, error: OSError) -> UserError:
    """The error to raise when the system refuses to write `path`: it says why, and what to do."""
    if error.errno in FULL:
        return Failure(f"Could not write {path}: the disk is full; make room and try again.")
    if error.errno in FORBIDDEN:
        return UserError(f"Could not write {path}: you have no permission to write there.")
    if error.errno == errno.ENOENT:
        return UserError(f"Could not write {path}: the folder {path.parent} does not exist.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return UserError(f"Could not write {path}: part of that path is a file, not a folder.")
    return Failure(f"Could not write {path}: {os.strerror(error.errno) if error.errno else error}.")


def remove_file(path: Path) -> None:
    """Remove a file that need not be there any more. Raises UserError where the system refuses."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def sweep(folder: Path, age: float = DAY) -> None:
    """Remove from a folder the unfinished files and folders that killed processes left.

    age: how long they must have been untouched [seconds]."""
    for part in folder.glob(f".*{PART}"):
        try:
            if time.time() - part.lstat().st_mtime < age:
                continue
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink()
        except OSError:  # another process was quicker, or the file isn't ours to remove
            continue


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A context with a folder of the user's alone, for what must be a file for a moment. It is gone afterwards; what a
    killed process left of one, the next call a day later removes."""
    sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(PART, ".photodrag-") as folder:
        yield Path(folder)


def file_sha256(file: BinaryIO) -> str:
    """The SHA-256 [64 hexadecimal digits] of what an open file holds, from its current position on."""
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def wrong_file(path: Path, got: str, expected: str) -> UserError:
    """The error to raise when a person put a file with another SHA-256 where the right one belongs."""
    return UserError(
        f"{path} is not the right file: its SHA-256 is {got}, expected was {expected}; "
        "put the right one in its place, or remove it to have it fetched."
    )


@contextmanager
def locked(path: Path, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """A context that one process at a time can be in: it holds a lock on the file `path`. The system frees the
    lock of a process that dies; the empty file stays. `waiting` is called when another process holds it.

    Raises UserError where the lock file can't be made."""
    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()
