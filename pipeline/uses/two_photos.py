"""Two photos, one code: their faces fused, or the styles of one mixed into the other.

A code half way between two codes of W is a face as like one as the other (its whitened coordinates are half way, too,
for whitening is linear); what the generator misses of both photos goes along in the same shares, or a fusion would be
of two reconstructions, not of two people. Styles mix by layers (StyleGAN, arXiv 1812.04948, section 3.1): the first
codes say pose and shape, the last ones colours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
import torch

from photodrag.drag.methods import DEFAULT, find_method
from photodrag.invert import identity
from photodrag.pipeline.editing.controls import Controls
from photodrag.pipeline.editing.direction_names import CodeEdit, check_layers
from photodrag.pipeline.editing.inversion import Inversion, Models, Progress, silent
from photodrag.pipeline.editing.options import Inverting, Network
from photodrag.pipeline.editing.plan import Plan, plan_edit, usual_align
from photodrag.pipeline.editing.restyling import Guest, guest_of, restyled, unchanged
from photodrag.pipeline.editing.result import Edit
from photodrag.pipeline.editing.selection import Selection
from photodrag.pipeline.editing.whole_edit import Clock, finish_edit, found_network, inverted
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights import Generator, UserError

GROUPS = {"coarse": (4, 8), "middle": (16, 32), "fine": (64, 1 << 20)}
"""Sides of the blocks whose codes belong to a group, as StyleGAN's paper has them."""
ANY = Controls(code=CodeEdit(truncation=0.0))
"""Stands for an edit of the code where only that there is one counts."""


@dataclass(frozen=True, eq=False)
class TwoPhotos:
    """Both photos of a fusion or a mixture, found and inverted."""

    plan: Plan
    inversion: Inversion
    other: Plan
    other_inversion: Inversion
    clock: Clock


@dataclass(frozen=True, eq=False)
class Together:
    """The first photo with the other's face fused or mixed into its own."""

    edit: Edit
    other: Photo
    layers: tuple[int, ...]
    """The codes that are the other's, all or in part."""
    identities: tuple[float, float] | None
    """Identity distances of the face that was made to the photo's own and the other's; None where there are no
    faces."""


def fuse(
    photo: Photo | str | PathLike,
    other: Photo | str | PathLike,
    amount: float = 0.5,
    mask: np.ndarray | str | PathLike | None = None,
    *,
    selection: Selection = Selection(),
    other_selection: Selection = Selection(),
    network: Network = Network(),
    inverting: Inverting = Inverting(),
    progress: Progress = silent,
) -> Together:
    """The photo with a face that is `amount` of the way, 0 … 1, to the other photo's: 0 is the photo to the bit, 0.5
    half way between both. All but the face is the photo's.

    Raises UserError for anything that a person can put right."""
    if not 0 <= amount <= 1:
        raise UserError(f"{amount:g} is no amount of the other face: give 0 to 1, 0.5 for half way between both.")
    both = both_inverted(photo, other, mask, selection, other_selection, network, inverting, progress)
    w_plus = torch.lerp(both.inversion.w_plus, both.other_inversion.w_plus, amount) if amount else None
    guest = guest_of(both.other, both.other_inversion, amount) if both.plan.face else None
    return _together(both, w_plus, tuple(range(both.inversion.w_plus.shape[1])), guest, progress)


def mix(
    photo: Photo | str | PathLike,
    other: Photo | str | PathLike,
    layers: Sequence[int] | Sequence[str],
    mask: np.ndarray | str | PathLike | None = None,
    *,
    selection: Selection = Selection(),
    other_selection: Selection = Selection(),
    network: Network = Network(),
    inverting: Inverting = Inverting(),
    progress: Progress = silent,
) -> Together:
    """The photo with the other one's styles in these layers: numbers of codes, or names of GROUPS: "coarse" (pose, the
    head's shape), "middle" (features), "fine" (colours, light).

    Raises UserError for anything that a person can put right."""
    inverting = inverting.before(ANY.code)  # what is mixed the generator draws
    both = both_inverted(photo, other, mask, selection, other_selection, network, inverting, progress)
    chosen = layers_of(layers, both.inversion.models.generator)
    w_plus = both.inversion.w_plus.clone()
    w_plus[:, list(chosen)] = both.other_inversion.w_plus[:, list(chosen)]
    return _together(both, w_plus, chosen, None, progress)


def layers_of(layers: Sequence[int] | Sequence[str], generator: Generator) -> tuple[int, ...]:
    """The numbers of codes that are meant, by number or group. Raises UserError for codes that the generator hasn't."""
    chosen: set[int] = set()
    for layer in layers:
        if isinstance(layer, int):
            chosen.add(layer)
            continue
        if layer not in GROUPS:
            raise UserError(f"There is no group of layers {layer!r}: choose of {', '.join(GROUPS)}, or give numbers.")
        first, last = GROUPS[layer]
        begin = 0 if first == 4 else generator.codes_read(first // 2)
        group = range(begin, min(generator.codes_read(last), generator.num_ws))
        if not group:
            raise UserError(f"The generator draws {generator.resolution} pixels, so it has no {layer} layers.")
        chosen |= set(group)
    if not chosen:
        raise UserError("No layers were named: give coarse, middle, fine, or numbers like 0-6.")
    check_layers(chosen, generator.num_ws)
    return tuple(sorted(chosen))


def both_inverted(
    photo: Photo | str | PathLike,
    other: Photo | str | PathLike,
    mask: np.ndarray | str | PathLike | None,
    selection: Selection,
    other_selection: Selection,
    network: Network,
    inverting: Inverting,
    progress: Progress,
) -> TwoPhotos:
    """Both photos planned and inverted, the wrong ones told before anything is computed. Raises UserError."""
    network, subject = found_network(network)
    align = selection.align or usual_align(subject)
    wanted = replace(selection, align=align), replace(other_selection, align=other_selection.align or align)
    plan = plan_edit(photo, [], [], mask, wanted[0], controls=ANY)
    other_plan = plan_edit(other, [], [], None, wanted[1], controls=ANY)
    clock = Clock(faces=plan.seconds + other_plan.seconds)
    models = network.models or Models.load(network.generator, network.device, progress, network.class_)
    network = replace(network, models=models)
    first, second = (inverted(one, network, inverting, clock, progress) for one in (plan, other_plan))
    return TwoPhotos(plan, first, other_plan, replace(second, deltas=first.deltas), clock)


def _together(
    both: TwoPhotos, w_plus: torch.Tensor | None, layers: tuple[int, ...], guest: Guest | None, progress: Progress
) -> Together:
    progress("blending", 0, 0)
    change = None
    if w_plus is not None and not unchanged(w_plus, both.inversion.w_plus):
        change = restyled(both.plan, both.inversion, w_plus, guest)
    both.clock("code")
    made = finish_edit(both.plan, both.inversion, change, find_method(DEFAULT).settings, clock=both.clock)
    identities = None
    if made.identity is not None and both.other.face:
        now = both.plan if change is None else change.plan
        assert now.face is not None
        known = identity.descriptor(both.other.photo.srgb, both.other.face.landmarks)
        shown = identity.descriptor(now.photo.srgb, now.face.landmarks)
        identities = made.identity, identity.identity_distance(known, shown)
    return Together(made, both.other.photo, layers, identities)
