"""Pictures in a row as a file: MP4, WebM, GIF, or a folder of PNGs; whole, or not at all."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from photodrag.pipeline.films.video import CODINGS, HOLD, RATE, Video, bounded, check_encoder
from photodrag.pipeline.photos.encoded import encoded
from photodrag.pipeline.photos.write import check_writable
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import PART, cannot_write, sweep, write_bytes

GIF_SIDE = 640
"""At most, of the longer side, in pixels."""


def check_film(video: Path | None, gif: Path | None, frames: Path | None, inputs: Iterable[Path]) -> None:
    """See, before the long work, that all that isn't None can be written. Raises UserError."""
    for path, suffixes, option in ((video, tuple(CODINGS), "--video"), (gif, (".gif",), "--gif")):
        if path and path.suffix.lower() not in suffixes:
            raise UserError(f"{path} is to be written by {option}: end its name in {' or '.join(suffixes)}.")
        if path:
            check_writable(path, inputs)
    if video:
        check_encoder(video.suffix.lower())
    if frames:
        try:
            if frames.exists() and not frames.is_dir():
                raise UserError(f"{frames} is a file: give --frames the name of a new folder.")
            if frames.exists() and any(frames.iterdir()):
                raise UserError(f"The folder {frames} isn't empty: give --frames the name of a new one.")
            with tempfile.NamedTemporaryFile(dir=frames.absolute().parent, prefix=".", suffix=PART):
                pass
            sweep(frames.absolute().parent)
        except OSError as error:
            raise cannot_write(frames, error) from error


def write_film(
    pictures: Iterable[np.ndarray], video: Path | None = None, gif: Path | None = None, frames: Path | None = None
) -> None:
    """Write pictures, uint8 sRGB [H, W, 3] of one size, wherever it isn't None; frames: 0000.png, … in a folder.

    Nothing appears before the last picture has come, and each file and the folder is written whole or not at all.
    Raises UserError where that can't be, Failure where the disk is full or the encoder fails."""
    film, small, folder = Video(video.suffix.lower()) if video else None, [], None
    try:
        for number, picture in enumerate(pictures):
            if film:
                film.add(picture)
            if gif:
                small.append(bounded(picture, GIF_SIDE))
            if frames:
                folder = folder or _hidden(frames)
                _save_png(picture, folder / f"{number:04}.png", frames)
        # Both are encoded before one is written, and in memory: a library at a full disk may say anything, or nothing.
        made = [(video, film.finished())] if video and film else []
        made += [(gif, _gif(small))] if gif else []
        for path, data in made:
            write_bytes(path, data)
        if folder and frames:
            _publish(folder, frames)
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _gif(pictures: list[np.ndarray]) -> bytes:
    # One palette for all, so that what stands still doesn't flicker.
    palette = Image.fromarray(np.concatenate((pictures[0], pictures[-1]))).quantize(256)
    images = [Image.fromarray(picture).quantize(palette=palette) for picture in pictures]
    durations = [1000 // RATE] * (len(images) - 1) + [round(1000 * HOLD)]
    buffer = BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
    return buffer.getvalue()


def _hidden(folder: Path) -> Path:
    hidden = folder.absolute().with_name(f".{secrets.token_hex(8)}{PART}")
    try:
        hidden.mkdir()
    except OSError as error:
        raise cannot_write(folder, error) from error
    return hidden


def _save_png(picture: np.ndarray, path: Path, folder: Path) -> None:
    """folder: its name once all are there, for an error."""
    data = encoded(picture, "PNG")
    try:
        with open(path, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(folder, error) from error


def _publish(hidden: Path, folder: Path) -> None:
    try:
        if folder.exists():
            folder.rmdir()  # an empty one, as `check_film` saw
        os.replace(hidden, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
