"""Inversions that are no inversions, kept where real ones are, so that a test need not wait for any."""

from pathlib import Path

from photodrag.invert import cache
from photodrag.invert.projection import ProjectSettings
from photodrag.invert.quality import Quality
from photodrag.pipeline.editing.inversion import Models, key_of
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.photos.read import read_photo


def keep_stand_ins(models: Models, path: Path) -> Path:
    photo = read_photo(path)
    for face in detect(photo.pixels):
        keep_stand_in(models, photo, face)
    return path


def keep_stand_in(models: Models, photo, face) -> None:
    generator = models.generator
    key = key_of(photo, face, models, ProjectSettings())
    w_plus = generator.w_avg.expand(1, generator.num_ws, -1)
    quality = Quality(distance_face=0.1, distance_whole=0.2, mse=0.03, psnr=21.2, identity=0.5, rms=0.0)
    cache.keep(key, w_plus, cache.Record(quality, 60, 81.5, photo.path.name, models.name))
