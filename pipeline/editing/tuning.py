"""An inversion made exact: the generator tuned to the one photo, and kept for the next time."""

import hashlib
from dataclasses import asdict, replace

from photodrag.invert import cache, perceptual, unfinished
from photodrag.invert.tuning import TuneSettings, TuneState, tune
from photodrag.pipeline.editing.inversion import (
    DISTANCE,
    Inversion,
    Progress,
    find_kept,
    keep_finished,
    recorded,
    silent,
)
from photodrag.pipeline.photos.photo import Photo


def tune_inversion(
    photo: Photo,
    inversion: Inversion,
    settings: TuneSettings = TuneSettings(),
    refresh: bool = False,
    progress: Progress = silent,
) -> Inversion:
    """The inversion of a photo with a generator tuned to it: from the cache, unless `refresh` or none is there,
    and then kept there. One that was cut off goes on from its last kept state.

    Its steps and seconds are those of both; a cache that can't be written doesn't stop it."""
    models, crop, w_plus = inversion.models, inversion.crop, inversion.w_plus
    key = key_of(inversion, settings)
    kept = None if refresh else find_kept(key, models.generator)
    if kept is not None:
        return replace(inversion, record=kept, cached=True, key=key, cache_error=None, deltas=kept.deltas, drawn=None)
    distance = perceptual.load(DISTANCE, models.device, lambda doing: progress(doing, 0, 0))
    checkpointer = unfinished.Checkpointer(key)

    def report(state: TuneState) -> None:
        checkpointer(state)
        progress("tuning", state.step, state.steps)

    before = None if refresh else unfinished.find(key, TuneState, models.device)
    found = tune(models.generator, w_plus, crop, distance, settings, report, before)
    made = replace(inversion, cached=False, key=key, cache_error=None, deltas=found.deltas, drawn=None)
    before_tuning = inversion.finished
    steps, seconds = before_tuning.steps + found.steps, before_tuning.seconds + found.seconds
    return keep_finished(recorded(made, photo, distance, cache.TUNED, steps, seconds), checkpointer)


def key_of(inversion: Inversion, settings: TuneSettings) -> str:
    """What the cache keeps a tuned inversion under: its pivot may be a code from elsewhere, so that counts, too."""
    pivot = hashlib.sha256(inversion.w_plus.cpu().numpy().tobytes()).hexdigest()
    return cache.key_of(cache.TUNED, inversion.key, pivot, asdict(settings))
