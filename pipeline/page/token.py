"""The token that opens the page: one for a day, so that an open page outlives a restart of its server."""

import os
import secrets
import time
from pathlib import Path

from photodrag.weights.common.files import DAY, cache_folder, cannot_write, make_folder

BYTES = 32


def current_token() -> str:
    """The token in the user's cache, which nobody else can read, or a new one if that is a day old.

    Raises UserError where it can't be kept."""
    path = make_folder(cache_folder("page"), private=True) / "token"
    kept = _kept(path)
    if kept:
        return kept
    token = secrets.token_urlsafe(BYTES)
    try:
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)
    except FileExistsError:  # another server was quicker
        return _kept(path) or token
    except OSError as error:
        raise cannot_write(path, error) from error
    return token


def _kept(path: Path) -> str | None:
    """What lies there, if it is ours alone, young and long enough."""
    try:
        status = path.lstat()
        private = os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
        token = path.read_text("ascii")
    except (OSError, ValueError):
        return None
    young = time.time() - status.st_mtime < DAY
    return token if private and young and len(token) >= BYTES and not path.is_symlink() else None
