"""How like the person an inversion is to be: as like as what is asked for needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photodrag.invert import projection
from photodrag.pipeline.editing.inversion import Models, is_kept
from photodrag.pipeline.editing.plan import Place
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.photos.photo import Photo

if TYPE_CHECKING:
    from photodrag.pipeline.editing.options import Likeness


def usual_projection(likeness: Likeness, place: Place) -> projection.ProjectSettings:
    """The settings of a projection of that likeness, whatever the cache has: "auto" is quick for a face, whose own
    pixels are moved, and fine for what has no landmarks, which the generator draws; so is what is tuned."""
    quick = likeness == "quick" or (likeness == "auto" and isinstance(place, Face))
    return projection.QUICK if quick else projection.ProjectSettings()


def projection_for(
    likeness: Likeness, photo: Photo, place: Place, models: Models, ignore: np.ndarray | None = None
) -> projection.ProjectSettings:
    """`usual_projection`, but for "auto" a fine inversion is taken where the cache has one. ignore: bool [H, W], what
    of the photo isn't looked at."""
    fine = projection.ProjectSettings()
    if likeness == "auto" and isinstance(place, Face) and is_kept(photo, place, models, fine, ignore):
        return fine
    return usual_projection(likeness, place)
