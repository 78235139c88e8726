"""One crop by one method of inversion.py: its figures at times of its own, and the drags on what it ends with."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from inversion_figures import TIMES
from inversion_peers import PIVOT, ProjectorSettings, PTISettings, Seen, projector, pti
from landmarks import landmarks
from PIL import Image
from portraits import EDITS, STEP

from photodrag.drag import DragSettings, drag
from photodrag.invert.crop import Crop
from photodrag.invert.identity import descriptor, identity_distance
from photodrag.invert.perceptual import PerceptualDistance
from photodrag.invert.projection import ProjectSettings, project
from photodrag.invert.quality import measure, to_uint8
from photodrag.invert.tuning import TuneSettings, tune, tuned
from photodrag.pipeline.editing.face_drag import followed
from photodrag.pipeline.editing.inversion import Models
from photodrag.pipeline.photos.encoded import data_url

THUMB = 256  # px, side of a row's picture
LATE = 1.1
"""A picture made this much after one of TIMES still stands for it."""

Look = Callable[[], Seen]
See = Callable[[Look], None]
"""To be called after every step with a way to what has been reached, which is only looked at now and then."""


def by_peer(steps: Callable) -> Callable[..., Seen]:
    """A method of inversion_peers.py, called as ours are."""

    def method(models: Models, crop: Crop, distance: PerceptualDistance, see: See, *settings) -> Seen:
        for seen in steps(models.generator, crop, distance, *settings):
            see(lambda seen=seen: seen)
        return seen

    return method


def projected(models: Models, crop: Crop, distance: PerceptualDistance, see: See, settings: ProjectSettings) -> Seen:
    generator = models.generator
    done = project(
        generator,
        crop,
        distance,
        settings,
        models.space,
        progress=lambda state: see(lambda: Seen(state.w_plus, generator)),
    )
    return Seen(done.w_plus, generator)


def projected_and_tuned(models: Models, crop: Crop, distance, see: See, settings, tuning: TuneSettings) -> Seen:
    generator, w_plus = models.generator, projected(models, crop, distance, see, settings).w_plus

    def progress(state) -> None:
        see(lambda: Seen(w_plus, tuned(generator, state.deltas)))

    return Seen(w_plus, tuned(generator, tune(generator, w_plus, crop, distance, tuning, progress).deltas))


METHODS = {
    "nvidia": (by_peer(projector), ProjectorSettings()),
    "w+": (by_peer(projector), ProjectorSettings(shared=False)),
    "pti": (by_peer(pti), PIVOT, PTISettings()),
    "photodrag": (projected, ProjectSettings()),
    "photodrag-tuned": (projected_and_tuned, ProjectSettings(), TuneSettings()),
}
"""Each with the settings of its stages."""


def limited(settings, steps: int | None):
    """Settings of a stage with that limit of steps."""
    if steps is None:
        return settings
    if isinstance(settings, ProjectSettings):
        return replace(settings, stages=tuple(replace(stage, steps=steps) for stage in settings.stages))
    return replace(settings, steps=steps)


class Cut(Exception):
    """A method has had its time."""


class Watch:
    """A method's clock, which stands still while it is measured what it has come to. `measured` gives the figures of a
    Seen."""

    def __init__(self, measured: Callable[[Seen], dict], limit: float | None):
        self.measured, self.limit, self.due = measured, limit, list(TIMES)
        self.spent, self.steps, self.curve = 0.0, 0, []
        self.look: Look | None = None
        self.since = time.perf_counter()

    def __call__(self, look: Look) -> None:
        """After a step: the first one is measured, and then the last one before each of TIMES. Raises Cut if the next
        one would end after the limit."""
        took = self.stop()
        # The first step's time has the method's preparations in it, and says nothing about the next one's.
        following = self.spent + (took if self.steps else 0)
        self.steps, self.look = self.steps + 1, look
        passed = [at for at in self.due if at < following]
        self.due = self.due[len(passed) :]
        due = [at for at in passed if self.spent <= LATE * at]
        if self.steps == 1 and not due:
            due = [self.spent]
        if due:
            figures = self.measured(look())
            self.curve += [{"at": at, "seconds": self.spent, "steps": self.steps, **figures} for at in due]
        if self.limit and following > self.limit:
            raise Cut
        self.since = time.perf_counter()

    def stop(self) -> float:
        """Seconds since it last went on."""
        took = time.perf_counter() - self.since
        self.spent += took
        return took


def inverted(name: str, settings: list, models: Models, crop: Crop, distance, limit: float | None) -> dict:
    """One crop by one method: its figures, curve, drags and picture."""
    watch = Watch(lambda seen: measured(seen, models, crop, distance), limit)
    try:
        seen, cut = METHODS[name][0](models, crop, distance, watch, *settings), False
        watch.stop()
    except Cut:
        seen, cut = watch.look(), True
    picture, drags = drawn_and_dragged(seen, models)
    return {
        **measured(seen, models, crop, distance),
        "seconds": watch.spent,
        "steps": watch.steps,
        "cut": cut,
        "curve": watch.curve,
        "drags": drags,
        "picture": data_url(thumb(picture), "JPEG", quality=90),
    }


@torch.no_grad()
def measured(seen: Seen, models: Models, crop: Crop, distance: PerceptualDistance) -> dict:
    """The figures of what a method has come to; identity is None where no face is found in it."""
    image = seen.network.synthesis(seen.w_plus)
    marks = landmarks(to_uint8(image))
    q = measure(crop, image, seen.w_plus, distance, models.space, marks)
    return {
        "face": q.distance_face,
        "whole": q.distance_whole,
        "mse": q.mse,
        "identity": None if marks is None else q.identity,
        "rms": models.space.rms(seen.w_plus[:, : DragSettings().codes]).item(),
    }


@torch.no_grad()
def drawn_and_dragged(seen: Seen, models: Models) -> tuple[np.ndarray, dict[str, dict]]:
    """The picture, and what became of each of EDITS in it: see the top of this file."""
    picture, drags = to_uint8(seen.network.synthesis(seen.w_plus)), {}
    marks = landmarks(picture)
    if marks is None:
        return picture, {name: {"way": 0.0, "identity": None, "lost": True} for name in EDITS}
    who = descriptor(picture, marks)
    for name, (mark, direction) in EDITS.items():
        way = STEP * (marks[16, 0] - marks[0, 0]) * np.array(direction)
        border = seen.network.resolution - 1  # a chin may reach over it
        ends = (torch.tensor(points[None].clip(0, border)) for points in (marks[mark], marks[mark] + way))
        done = drag(seen.network, seen.w_plus, *ends, space=models.space, landmarks=followed(marks))
        after = to_uint8(seen.network.synthesis(done.w_plus))
        moved = landmarks(after)
        drags[name] = {"way": 0.0, "identity": None, "lost": moved is None}
        if moved is not None:
            drags[name]["way"] = float((moved[mark] - marks[mark]) @ way / (way @ way))
            drags[name]["identity"] = identity_distance(who, descriptor(after, moved))
    return picture, drags


def thumb(picture: np.ndarray) -> np.ndarray:
    return np.array(Image.fromarray(picture).resize((THUMB, THUMB), Image.Resampling.BOX))
