"""One published checkpoint, fetched with pooch and checked before it is read.

A file whose SHA-256 nobody knows is taken as it first comes, and its SHA-256 is noted, so that
another content under the same name is noticed from then on.
"""

import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pooch
from tqdm import tqdm

from photodrag.weights.common.errors import Failure, UserError
from photodrag.weights.common.files import PART, Progress, cannot_write, make_folder, write_whole, wrong_file
from photodrag.weights.fetching.published import Checkpoint, expected_sha256, noted_sha256_path
from photodrag.weights.fetching.resuming import Received, ResumingDownloader, Unreachable

BAR = "{desc}: {percentage:3.0f}% |{bar}| {n_fmt}B of {total_fmt}B, {remaining} left"
WIDTH = 90
"""Columns of the bar."""


@contextmanager
def fetch_checkpoint(
    checkpoint: Checkpoint, folder: Path, progress: Progress | None = None
) -> Iterator[tuple[Path, str]]:
    """A context with the checkpoint's file and its SHA-256 [64 hexadecimal digits]: checked, or, where none is known,
    noted when the context ends without an error.

    A file that a person put into `folder` is taken, and stays. Otherwise it is downloaded into a hidden folder inside
    `folder`, which is removed when the context ends without an error; what came before a stop (Ctrl-C, a lost
    connection) stays there for a day, and the next call goes on with it.

    Raises UserError for a wrong file put there by hand, Failure where the right one can't be had."""
    by_hand, parts = folder / checkpoint.file, folder / f".{checkpoint.file}{PART}"
    expected = expected_sha256(checkpoint, folder)
    put_by_hand = os.path.lexists(by_hand)
    if checkpoint.file_by_hand and not put_by_hand:
        raise UserError(
            f"{checkpoint.name} lies where only a browser may fetch it: get it from {checkpoint.urls[0]}, and put it, "
            f"as {checkpoint.file}, into {folder}."
        )
    path = by_hand if put_by_hand else download(checkpoint, expected, parts, progress)
    try:
        got = pooch.file_hash(path)
    except OSError as error:
        raise UserError(f"Could not read {path}: {error.strerror}.") from error
    if put_by_hand and expected not in (None, got):
        raise wrong_file(path, got, expected)
    try:
        yield path, got
    except UserError:
        if not put_by_hand and not expected:  # what came may well be no checkpoint at all
            shutil.rmtree(parts, ignore_errors=True)
        raise
    if not expected:
        line = f"{got}  {checkpoint.file}\n"  # as the program sha256sum writes and reads it
        write_whole(noted_sha256_path(checkpoint, folder), lambda file: file.write(line.encode()))
        if progress:
            progress(f"fetching done: the SHA-256 of {checkpoint.file}, which nobody has published, is noted as {got}")
    if not put_by_hand:
        shutil.rmtree(parts, ignore_errors=True)


class Published(Protocol):
    """What can be downloaded: a file's name, its bytes where they are known, and its addresses, mirrors last."""

    @property
    def file(self) -> str: ...
    @property
    def size(self) -> int | None: ...
    @property
    def urls(self) -> tuple[str, ...]: ...


def download(published: Published, expected: str | None, parts: Path, progress: Progress | None) -> Path:
    """Where the file is that was downloaded into the folder `parts`, checked against a SHA-256, if one is expected;
    what came before a stop stays there. Raises Failure where it can't be had."""
    make_folder(parts)
    downloader = ResumingDownloader(parts / "part", expected is not None, _progress_bar(published.file, progress))
    if progress:
        size = f" ({published.size / 1e6:.0f} MB)" if published.size else ""
        progress(f"fetching {published.file}{size} from {urlsplit(published.urls[0]).hostname}")
    reasons = []
    for url in published.urls:
        try:
            return _retrieve(url, published.file, expected, parts, downloader)
        except Unreachable as error:
            reasons.append(str(error))
        except OSError as error:
            raise cannot_write(parts.parent / published.file, error) from error
    if not downloader.part.exists():
        shutil.rmtree(parts, ignore_errors=True)
    which = f"that file, whose SHA-256 is {expected}," if expected else "that file"
    raise Failure(
        f"Could not fetch {published.file} ({'; '.join(reasons)}); connect to a network and try again, "
        f"or put {which} from {published.urls[0]} into {parts.parent}."
    )


def _retrieve(url: str, file: str, expected: str | None, parts: Path, downloader: ResumingDownloader) -> Path:
    """Have pooch fetch and check it; once more where old bytes may have been to blame for a wrong hash."""
    try:
        with _pooch_quiet():
            return Path(pooch.retrieve(url, expected and f"sha256:{expected}", file, parts, downloader=downloader))
    except ValueError as error:  # a hash that doesn't match; pooch has thrown the file away
        if downloader.continued:
            return _retrieve(url, file, expected, parts, downloader)
        got = str(error).partition("but got ")[2][:64]
        raise Unreachable(
            f"what {urlsplit(url).hostname} sent was thrown away: its SHA-256 is {got}, expected was {expected}"
        ) from error


@contextmanager
def _pooch_quiet() -> Iterator[None]:
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _progress_bar(file: str, progress: Progress | None) -> Received:
    """Tell the progress five times a second, as a bar with the time that is left."""
    began, last = time.monotonic(), 0.0
    first: int | None = None

    def received(have: int, total: int | None) -> None:
        nonlocal last, first
        now = time.monotonic()
        first = have if first is None else first
        if not progress or now - last < 0.2:
            return
        last, doing = now, f"downloading {file}"
        if total is None:
            progress(f"{doing}: {have / 1e6:.1f} MB")
        else:
            how = {"prefix": doing, "initial": first, "unit_scale": True, "bar_format": BAR}
            progress(tqdm.format_meter(have, total, now - began, WIDTH, **how))

    return received
