"""The library that reads and writes a JPEG's coefficients, which knows files alone: it is given some that hold nothing
of the photo once the process is gone.

Where the system has them (Linux), these are links to files in memory that have no name, so that after a kill there is a
link to nothing. Elsewhere they are files in a private folder, which goes in any case but a kill. jpeglib copies what it
reads into files of its own, too, which it leaves where it fails (findings/jpeglib-leaves-files.sh): it is given ours
for these."""

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from photodrag.weights.common.files import temporary_folder

_ONE_AT_A_TIME = threading.Lock()
"""The library's version is the process's."""


def with_coefficients(data: bytes, change: Callable[[Any], None], progressive: bool) -> bytes:
    """A JPEG after `change` was called with what jpeglib.read_dct makes of it. progressive: whether the new one is to
    be. Raises OSError where the library can't read or write it."""
    import jpeglib
    from jpeglib import _bind, dct_jpeg

    _bind.print = lambda *_: None  # where it fails, it says so on stdout
    with _ONE_AT_A_TIME, temporary_folder() as folder:
        files = _Files(str(folder))
        dct_jpeg.tempfile = files
        try:
            old, new = files.NamedTemporaryFile(), files.NamedTemporaryFile()
            old.write(data)
            jpeglib.version.set("turbo210")
            picture = jpeglib.read_dct(old.name)
            picture.load()
            change(picture)
            if progressive:
                jpeglib.version.set("mozjpeg403")  # the only one of them that writes progressive ones
            picture.write_dct(new.name, flags=["+OPTIMIZE_CODING"])
            return Path(new.name).read_bytes()
        finally:
            dct_jpeg.tempfile = tempfile
            files.close()


class _Files:
    """Stands for the module `tempfile`, in a folder."""

    def __init__(self, folder: str):
        self._folder, self._open, self._count = folder, list[int](), 0
        self._in_memory = hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd")

    def NamedTemporaryFile(self, suffix: str = "", delete: bool = False) -> "_File":
        self._count += 1
        path = os.path.join(self._folder, f"{self._count}{suffix}")
        if self._in_memory:
            self._open.append(os.memfd_create("photodrag", os.MFD_CLOEXEC))
            os.symlink(f"/proc/self/fd/{self._open[-1]}", path)
        return _File(path)

    def close(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)


class _File:
    """As much of a named temporary file as the library uses."""

    def __init__(self, name: str):
        self.name = name

    def write(self, data: bytes) -> None:
        Path(self.name).write_bytes(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """It is not open."""
