"""Inversions of the same photos by several methods, side by side: figures, an edit in each, and its way back."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from photodrag.drag import DragSettings, drag
from photodrag.invert import cache, identity, metrics, perceptual
from photodrag.invert.projection import ProjectSettings
from photodrag.invert.quality import to_uint8
from photodrag.invert.shared_code import SharedCode
from photodrag.invert.tuning import TuneSettings
from photodrag.pipeline.compare.memory import peak_memory
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.face_drag import drag_face, followed
from photodrag.pipeline.editing.inversion import DISTANCE, Inversion, Models, Progress, invert, silent
from photodrag.pipeline.editing.plan import Place, Plan
from photodrag.pipeline.editing.put_back import put_back
from photodrag.pipeline.editing.tuning import tune_inversion
from photodrag.pipeline.faces.detection import Face, detect
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights.common.face_landmarks import JAW, LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER

DISTANCES = (DISTANCE, "st-lpips-alex")
"""The first one was the loss."""
SIDE = 256
"""Of the pictures that a perceptual distance compares."""
SHOWN = 512
"""Of those in the report."""
MOVE = 0.04
"""How far the standard edit drags, as a share of the face's width: the mouth's corners outward and up."""


@dataclass(frozen=True)
class CompareSettings:
    """How each photo of a comparison is inverted, tuned and dragged."""

    projection: ProjectSettings = field(default_factory=ProjectSettings)
    tuning: TuneSettings = field(default_factory=TuneSettings)
    dragging: DragSettings = field(default_factory=DragSettings)


@dataclass(frozen=True, eq=False)
class Row:
    """One photo by one method: its figures as plain values, and its pictures, uint8 RGB [SHOWN, SHOWN, 3]."""

    figures: dict
    photo: np.ndarray
    reconstruction: np.ndarray
    edit: np.ndarray
    composite: np.ndarray


def compare_one(
    photo: Photo, place: Place, models: Models, method: str, settings: CompareSettings, progress: Progress = silent
) -> Row:
    """Invert, measure, edit and return. Raises UserError as `invert` does."""
    with peak_memory(models.device) as memory:
        inversion = inverted(photo, place, models, method, settings, progress)
    inversion = replace(inversion, drawn=inversion.image())
    plan = standard_edit(photo, place, inversion)
    result = drag_face(plan, inversion, settings.dragging)
    edit = put_back(plan, inversion, result)
    back = drag(
        inversion.generator,
        result.w_plus,
        result.points,
        torch.from_numpy(inversion.alignment.to_crop(plan.handles)),
        settings=settings.dragging,
        space=models.space,
        landmarks=followed(inversion.crop.landmarks),
    )
    nets = [perceptual.load(name, models.device) for name in DISTANCES]
    crop = inversion.crop.image
    with torch.no_grad():
        image, returned = (x.clamp(-1, 1) for x in (inversion.image(), inversion.generator.synthesis(back.w_plus)))
        figures = {
            "crop": differences(crop, image, nets),
            "face": differences(crop, image, nets, face_weight(inversion)),
            "identity": likeness_of(photo, place, to_uint8(image)),
            "rms": models.space.rms(inversion.w_plus).item(),
            "edit": {
                "way": float(np.mean([1 - h.left / np.hypot(*np.subtract(h.target, h.start)) for h in edit.handles])),
                "ended": edit.stop_reason,
                "identity": edit.identity,
            },
            "return": metrics.distance(nets[0], small(image), small(returned)),
            "steps": inversion.finished.steps,
            "seconds": inversion.finished.seconds,
            "memory": None if inversion.cached else memory.bytes,
        }
    cut = [inversion.alignment.crop(picture) for picture in (photo.srgb, photo.to_srgb(edit.picture))]
    assert edit.edited_crop is not None  # it was dragged
    pictures = (cut[0], inversion.reconstruction, edit.edited_crop, cut[1])
    return Row(figures, *(shown(picture) for picture in pictures))


def inverted(
    photo: Photo, place: Place, models: Models, method: str, settings: CompareSettings, progress: Progress = silent
) -> Inversion:
    """The inversion by a method, from the cache where it is there: "w", one code for all layers; "w+", one for each,
    without a prior; "w+p", with it, as edits use it; "tuned", that one tuned."""
    if method == "w":
        shared = SharedCode(models.generator)
        found = invert(photo, place, replace(models, generator=shared), settings.projection, progress=progress)
        return replace(found, w_plus=shared.opened(found.w_plus), models=models)
    if method == "w+":
        return invert(photo, place, models, replace(settings.projection, prior=0.0), progress=progress)
    found = invert(photo, place, models, settings.projection, progress=progress)
    if method == "tuned":
        found = tune_inversion(photo, found, settings.tuning, progress=progress)
    return found


def standard_edit(photo: Photo, place: Place, inversion: Inversion) -> Plan:
    """Both corners of the mouth outward and up; of a square its middle to the right."""
    marks, side = inversion.crop.landmarks, inversion.alignment.size
    if marks is None:
        handles, move = np.array([[side / 2, side / 2]]), MOVE * side
        targets = handles + np.array([[move, 0]])
    else:
        handles, move = marks[[LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER]], MOVE * np.ptp(marks[JAW, 0])
        targets = handles + move * np.array([[-1, -1], [1, -1]]) / 2**0.5
    handles, targets = (inversion.alignment.to_photo(points) for points in (handles, targets))
    return Plan(photo, handles, targets, "auto", place, None, 0.0)


def differences(a: Tensor, b: Tensor, nets: list, weight: Tensor | None = None) -> dict:
    """The figures of two crops [1, 3, R, R], everywhere or by a weight [1, 1, R, R]."""
    error = metrics.mse(a, b, weight)
    near = None if weight is None else small(weight)
    return {
        "mse": error,
        "psnr": metrics.psnr(error),
        "ms_ssim": metrics.ms_ssim(a, b, weight),
        **{net.name: metrics.distance(net, small(a), small(b), near) for net in nets},
    }


def face_weight(inversion: Inversion) -> Tensor:
    """[1, 1, R, R]: the mask `face`, or the middle that a square is looked at in."""
    crop, side = inversion.crop, inversion.alignment.size
    weight = np.zeros((side, side), np.float32)
    if crop.landmarks is not None:
        weight = masks.face_mask([crop.landmarks], side)
    else:
        x, y, extent = crop.face
        weight[y : y + extent, x : x + extent] = 1
    return torch.from_numpy(weight)[None, None].to(crop.image)


def likeness_of(photo: Photo, place: Place, picture: np.ndarray) -> dict | None:
    """Cosine and distance of dlib's descriptors; None where no face is found in the reconstruction, or none was
    looked for in the photo."""
    if not isinstance(place, Face):
        return None
    found = detect(picture)
    if not found:
        return None
    a, b = identity.descriptor(photo.srgb, place.landmarks), identity.descriptor(picture, found[0].landmarks)
    cosine = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    return {"cosine": cosine, "distance": identity.identity_distance(a, b)}


def small(image: Tensor) -> Tensor:
    """A picture at SIDE × SIDE, or as it is where it is smaller."""
    side = min(SIDE, image.shape[-1])
    return torch.nn.functional.interpolate(image, size=(side, side), mode="area")


def shown(picture: np.ndarray) -> np.ndarray:
    """A picture, uint8 RGB [R, R, 3], at SHOWN × SHOWN for the report."""
    how = cv2.INTER_AREA if len(picture) > SHOWN else cv2.INTER_CUBIC
    return cv2.resize(picture, (SHOWN, SHOWN), interpolation=how)


def row_key(photo: Photo, place: Place, models: Models, method: str, settings: CompareSettings) -> str:
    """What a row depends on, and no names: a second comparison takes rows of the same key from the first."""
    where = np.round(place.landmarks if isinstance(place, Face) else place.quad, 2)
    return cache.key_of(photo.key, where, models.generator.digest, models.class_, method, asdict(settings))


def summary(rows: list[dict]) -> dict:
    """For each figure of rows of one method its mean, standard deviation (of a sample) and of how many."""
    values: dict[str, list[float]] = {}
    for row in rows:
        _gather(row, "", lambda name, value: values.setdefault(name, []).append(value))
    return {
        name: {"mean": float(np.mean(v)), "sd": float(np.std(v, ddof=1)) if len(v) > 1 else None, "of": len(v)}
        for name, v in values.items()
    }


def _gather(value: object, name: str, take: Callable[[str, float], object]) -> None:
    if isinstance(value, dict):
        for part, item in value.items():
            _gather(item, f"{name}.{part}" if name else part, take)
    elif isinstance(value, int | float):
        take(name, value)
