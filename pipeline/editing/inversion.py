"""A face of a photo, or a square of it, as a code: cropped, projected, measured, and kept for the next time."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photodrag import weights
from photodrag.invert import cache, perceptual, unfinished
from photodrag.invert.cache import Record
from photodrag.invert.crop import FFHQ_FACE, MIDDLE, Crop
from photodrag.invert.projection import ProjectSettings, ProjectState, project
from photodrag.invert.quality import Quality, measure, to_uint8
from photodrag.invert.start import start_digest
from photodrag.invert.tuning import mismatched_deltas, tuned
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.plan import Place, alignment_of
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.pipeline.photos.mask import given_ignored
from photodrag.pipeline.photos.notebook import pictures_html
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights import Failure, Generator, LatentSpace, UserError

Progress = Callable[[str, int, int], None]
"""Told the stage, and how many of how many steps of it are done."""

DISTANCE = "st-lpips-vgg"
LEAST = 0.02
"""Share of the face's square, or the middle, that must not be ignored."""


def silent(stage: str, done: int, total: int) -> None:
    """A Progress that tells nobody."""


@dataclass(frozen=True, eq=False)
class Models:
    """A generator, its name (or its file's path), its whitened space, and of which of its classes that is."""

    name: str
    generator: Generator
    space: LatentSpace
    class_: int | None = None

    @classmethod
    def load(
        cls,
        name: str | PathLike = "face",
        device: str = "auto",
        progress: Progress = silent,
        class_: int | None = None,
    ) -> "Models":
        """Raises UserError for an unknown generator, class or device and for weights that can't be fetched."""
        name = str(name)
        generator = weights.load(name, pick_device(device), lambda doing: progress(doing, 0, 0))
        check_class(generator, name, class_)
        return cls(name, generator, weights.kept_space(generator, class_), class_)

    @property
    def device(self) -> torch.device:
        """Where the generator computes."""
        return self.generator.w_avg.device


def check_class(generator: Generator, name: str, class_: int | None) -> None:
    """Raises UserError unless a generator that has classes is given one of them, and any other none."""
    count = generator.c_dim
    if not count and class_ is not None:
        raise UserError(f"The generator {name} has no classes: leave --class out.")
    if count and class_ is None:
        raise UserError(f"The generator {name} has {count} classes: choose one with --class N, from 0 to {count - 1}.")
    if class_ is not None and not 0 <= class_ < count:
        raise UserError(f"The generator {name} has no class {class_}: its {count} go from 0 to {count - 1}.")


def pick_device(name: str) -> str:
    """`auto` is the first of cuda, mps and cpu that is there; other names stay."""
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


@dataclass(frozen=True, eq=False)
class Inversion:
    """A face or a square of a photo, and the code of its picture."""

    face: Face | None
    """None for a square in which no face was looked for."""
    alignment: Alignment
    crop: Crop
    w_plus: Tensor
    """[1, num_ws, w_dim]"""
    key: str
    """Under which the cache has it."""
    models: Models
    record: Record | None = None
    """What is known of it; None for one that is still being made."""
    cached: bool = False
    """Whether it came from the cache."""
    cache_error: str | None = None
    """Why the cache could not keep it, in a sentence; None where it did."""
    deltas: dict[str, Tensor] = field(default_factory=dict)
    """What tuning adds to the generator's weights; nothing where it wasn't tuned."""
    drawn: Tensor | None = None
    """The generator's picture of the code, [1, 3, R, R], where it was drawn already, to be measured."""

    @property
    def quality(self) -> Quality | None:
        """How good it is; None for one that is still being made."""
        return self.record.quality if self.record else None

    @property
    def finished(self) -> Record:
        """What is known of it. Raises ValueError for one that is still being made."""
        if self.record is None:
            raise ValueError("this inversion is still being made")
        return self.record

    @cached_property
    def generator(self) -> Generator:
        """The network whose picture of the code is meant: the models' own, or a tuned copy."""
        return tuned(self.models.generator, self.deltas)

    @torch.no_grad()
    def image(self) -> Tensor:
        """The generator's picture of the code, [1, 3, R, R], in [-1, 1] or somewhat beyond."""
        return self.generator.synthesis(self.w_plus) if self.drawn is None else self.drawn

    @cached_property
    def reconstruction(self) -> np.ndarray:
        """The same, uint8 RGB [R, R, 3]."""
        return to_uint8(self.image())

    def _repr_html_(self) -> str:
        """For notebooks."""
        return pictures_html({"crop": to_uint8(self.crop.image), "reconstruction": self.reconstruction})


def invert(
    photo: Photo,
    place: Place,
    models: Models,
    settings: ProjectSettings = ProjectSettings(),
    refresh: bool = False,
    progress: Progress = silent,
    watch: Callable[[Inversion], None] | None = None,
    ignore: np.ndarray | str | PathLike | None = None,
) -> Inversion:
    """The inversion of a face or a square: from the cache, unless `refresh` or none is there, and then kept there.
    One that was cut off goes on from its last kept state, and one of several stages from a kept one of the first.

    ignore: what of the photo is not to be looked at, an array [H, W] of bool or 0 … 1, or a picture file, white there.
    `watch` is shown, after every step, the inversion as far as it has come, without `quality`.
    A cache that can't be written doesn't stop it: see `Inversion.cache_error`. Raises UserError where all of the
    face is ignored, and for what can't say what is."""
    generator, ignored = models.generator, given_ignored(ignore, photo)
    alignment, crop = crop_of(photo, place, models, ignored)
    ignored = None if crop.weight is None else ignored  # none of it lies in the crop
    key = key_of(photo, place, models, settings, ignored)

    def inversion(w_plus: Tensor) -> Inversion:
        face = place if isinstance(place, Face) else None
        return Inversion(face=face, alignment=alignment, crop=crop, w_plus=w_plus, key=key, models=models)

    kept = None if refresh else find_kept(key, generator)
    if kept is not None:
        return replace(inversion(kept.w_plus.to(models.device)), record=kept, cached=True, deltas=kept.deltas)

    distance = perceptual.load(DISTANCE, models.device, lambda doing: progress(doing, 0, 0))

    checkpointer = unfinished.Checkpointer(key)

    def report(s: ProjectState) -> None:
        checkpointer(s)
        progress("inverting", s.step, s.steps)
        if watch:
            watch(inversion(s.w_plus))

    before = None if refresh else unfinished.find(key, ProjectState, models.device)
    first, count = (None, 0) if refresh or before else kept_beginning(photo, place, models, settings, ignored)
    begin = None if first is None else (first.w_plus.to(models.device), count)
    found = project(generator, crop, distance, settings, models.space, report, before, begin)
    made = inversion(found.w_plus)
    method = method_of(generator, settings)
    steps, seconds = (0, 0.0) if first is None else (first.steps, first.seconds)
    made = recorded(made, photo, distance, method, steps + found.steps, seconds + found.seconds)
    return keep_finished(made, checkpointer)


def is_kept(
    photo: Photo, place: Place, models: Models, settings: ProjectSettings, ignore: np.ndarray | None = None
) -> bool:
    """Whether the cache has the inversion that `invert` would make of these."""
    ignored = given_ignored(ignore, photo)
    if ignored is not None and crop_of(photo, place, models, ignored)[1].weight is None:
        ignored = None  # none of it lies in the crop
    return find_kept(key_of(photo, place, models, settings, ignored), models.generator) is not None


def kept_beginning(
    photo: Photo, place: Place, models: Models, settings: ProjectSettings, ignored: np.ndarray | None
) -> tuple[cache.Entry | None, int]:
    """The longest kept inversion by the first of the settings' stages, and by how many; None and 0 where there is
    none."""
    for count in range(len(settings.stages) - 1, 0, -1):
        first = replace(settings, stages=settings.stages[:count])
        if kept := find_kept(key_of(photo, place, models, first, ignored), models.generator):
            return kept, count
    return None, 0


def find_kept(key: str, generator: Generator) -> cache.Entry | None:
    """What the cache has under that key, if it is of such a generator; None for one that somebody made up."""
    kept = cache.find(key, (1, generator.num_ws, generator.w_dim))
    return None if kept is None or mismatched_deltas(generator, kept.deltas) else kept


def recorded(
    inversion: Inversion,
    photo: Photo,
    distance: perceptual.PerceptualDistance,
    method: str,
    steps: int = 0,
    seconds: float = 0.0,
) -> Inversion:
    """The finished inversion of a photo, measured, with what is known of it; `distance` is the one named DISTANCE.

    Raises Failure where its picture can't be measured."""
    inversion = replace(inversion, drawn=inversion.image())
    quality, generator = quality_of(inversion, distance), Path(inversion.models.name).name
    if not all(figure is None or math.isfinite(figure) for figure in vars(quality).values()):
        raise Failure(
            f"The generator {generator} makes of the code for {photo.path.name} no picture, but something that is no "
            "finite number, so nothing was kept: give another code, another generator, or --device cpu."
        )
    return replace(inversion, record=Record(quality, steps, seconds, photo.path.name, generator, method))


def keep(inversion: Inversion) -> None:
    """Keep a finished inversion in the cache. Raises UserError where that can't be written."""
    cache.keep(inversion.key, inversion.w_plus, inversion.finished, inversion.deltas)


def keep_finished(inversion: Inversion, checkpointer: unfinished.Checkpointer) -> Inversion:
    """Keep it and forget its last state; where the cache can't be written, the inversion says so."""
    try:
        keep(inversion)
        checkpointer.done()
    except UserError as error:
        return replace(inversion, cache_error=str(error))
    return inversion


def method_of(generator: Generator, settings: ProjectSettings) -> str:
    """What a projection is called: by its codes, one or several, and whether a prior keeps them natural."""
    if generator.num_ws == 1:
        return "w"
    return cache.PROJECTED if settings.prior else "w+"


def crop_of(photo: Photo, place: Place, models: Models, ignored: np.ndarray | None = None) -> tuple[Alignment, Crop]:
    """What the generator is shown of a photo, of which bool [H, W] `ignored` doesn't count. Raises UserError where that
    lies outside of it, and where nothing of the face counts."""
    face = place if isinstance(place, Face) else None
    alignment = alignment_of(place, models.generator.resolution)
    if not alignment.inside(photo.pixels.shape).any():
        raise UserError(f"The face lies outside {photo.path.name}: mark another with --box X,Y,WIDTH,HEIGHT.")
    image = to_tensor(alignment.crop(photo.srgb)).to(models.device)
    crop = Crop(image, alignment.to_crop(face.landmarks) if face else None, focus_of(models.generator))
    counts = None if ignored is None else masks.counted(ignored, alignment)
    if counts is None or counts.all():
        return alignment, crop
    x, y, side = crop.face
    if counts[y : y + side, x : x + side].mean() < LEAST:
        what = "face" if face else "middle of the square"
        raise UserError(
            f"All of the {what} is to be ignored in {photo.path.name}, or nearly all: leave more of it black."
        )
    return alignment, replace(crop, weight=torch.from_numpy(counts)[None, None].to(image))


@torch.no_grad()
def quality_of(inversion: Inversion, distance: perceptual.PerceptualDistance) -> Quality:
    """The figures of an inversion; `distance` is the one named DISTANCE."""
    crop, image = inversion.crop, inversion.image()
    landmarks = None if crop.landmarks is None else predict(to_uint8(image), Frame.around(crop.landmarks))
    return measure(crop, image, inversion.w_plus, distance, inversion.models.space, landmarks)


def focus_of(generator: Generator) -> tuple[float, float, float]:
    """Where to look closely at the pictures of a generator, if no landmarks say it."""
    return FFHQ_FACE if generator.subject == "face" else MIDDLE


def key_of(
    photo: Photo, place: Place, models: Models, settings: ProjectSettings, ignored: np.ndarray | None = None
) -> str:
    """What the cache keeps an inversion under: everything that it depends on, and no names."""
    generator = models.generator
    return cache.key_of(
        photo.key,
        # the crop and the view of its face or middle follow from these
        place.landmarks.round(2) if isinstance(place, Face) else [place.quad.round(2), focus_of(generator)],
        generator.digest,  # not of the name: its file may be another by now
        [generator.resolution, generator.num_ws, generator.w_dim, models.class_],
        weights.digest(DISTANCE),
        start_digest(),
        weights.axes_digest(),
        settings,
        *([] if ignored is None else [hashlib.sha256(np.packbits(ignored).data).hexdigest()]),
    )


def to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 RGB [H, W, 3] → [1, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
