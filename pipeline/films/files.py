"""Pictures in a row as a file: MP4, GIF, or a folder of PNGs; whole, or not at all."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from photodrag.pipeline.photos.write import check_writable
from photodrag.weights.common.errors import Failure, UserError
from photodrag.weights.common.files import PART, cannot_write, sweep, temporary_folder, write_whole

RATE, HOLD = 20, 1.0
"""Pictures a second, and seconds that the last one stays."""
VIDEO_SIDE, GIF_SIDE = 1280, 640
"""At most, of the longer side, in pixels."""


def check_film(video: Path | None, gif: Path | None, frames: Path | None, inputs: Iterable[Path]) -> None:
    """See, before the long work, that all that isn't None can be written. Raises UserError."""
    for path, suffix, option in ((video, ".mp4", "--video"), (gif, ".gif", "--gif")):
        if path and path.suffix.lower() != suffix:
            raise UserError(f"{path} is to be written by {option}: end its name in {suffix}.")
        if path:
            check_writable(path, inputs)
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
    """Write pictures, uint8 RGB [H, W, 3] of one size, wherever it isn't None; frames: 0000.png, … in a folder.

    Nothing appears before the last picture has come. Raises UserError, or Failure where OpenCV has no MPEG-4."""
    with temporary_folder() as work:
        small, writer, folder = [], None, None
        film = work / "film.mp4"
        try:
            for number, picture in enumerate(pictures):
                if video:
                    frame = bounded(picture, VIDEO_SIDE, 2)[..., ::-1]
                    if writer is None:
                        writer = _mp4(film, frame.shape)
                    writer.write(np.ascontiguousarray(frame))
                if gif:
                    small.append(bounded(picture, GIF_SIDE))
                if frames:
                    folder = folder or _hidden(frames)
                    _save_png(picture, folder / f"{number:04}.png")
            if writer and video:
                for _ in range(round(RATE * HOLD)):
                    writer.write(np.ascontiguousarray(frame))
                writer.release()
                with open(film, "rb") as made:
                    write_whole(video, lambda file: shutil.copyfileobj(made, file))
            if gif:
                write_whole(gif, lambda file: _write_gif(small, file))
            if folder and frames:
                _publish(folder, frames)
        finally:
            if writer:
                writer.release()
            if folder:
                shutil.rmtree(folder, ignore_errors=True)


def bounded(picture: np.ndarray, side: int, multiple: int = 1) -> np.ndarray:
    """A picture, made smaller where its longer side is more; both sides a multiple (MPEG-4 takes even ones)."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    new = tuple(max(multiple, round(length * scale) // multiple * multiple) for length in (width, height))
    return picture if new == (width, height) else cv2.resize(picture, new, interpolation=cv2.INTER_AREA)


def _mp4(path: Path, shape: tuple[int, ...]) -> cv2.VideoWriter:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (shape[1], shape[0]))
    if not writer.isOpened():
        raise Failure("This OpenCV can't write MPEG-4 video: take --gif or --frames instead of --video.")
    return writer


def _write_gif(pictures: list[np.ndarray], file: BinaryIO) -> None:
    # One palette for all, so that what stands still doesn't flicker.
    palette = Image.fromarray(np.concatenate((pictures[0], pictures[-1]))).quantize(256)
    images = [Image.fromarray(picture).quantize(palette=palette) for picture in pictures]
    durations = [1000 // RATE] * (len(images) - 1) + [round(1000 * HOLD)]
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)


def _hidden(folder: Path) -> Path:
    hidden = folder.absolute().with_name(f".{secrets.token_hex(8)}{PART}")
    try:
        hidden.mkdir()
    except OSError as error:
        raise cannot_write(folder, error) from error
    return hidden


def _save_png(picture: np.ndarray, path: Path) -> None:
    try:
        Image.fromarray(picture).save(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def _publish(hidden: Path, folder: Path) -> None:
    try:
        if folder.exists():
            folder.rmdir()  # an empty one, as `check_film` saw
        os.replace(hidden, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
