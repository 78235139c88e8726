"""How like the person an inversion is to be: as like as what is asked for needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photodrag.invert import projection
from photodrag.pipeline.editing.inversion import Models, is_kept
from photodrag.pipeline.editing.plan import Place
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.photos.read import Photo

if TYPE_CHECKING:
    from photodrag.pipeline.editing.options import Likeness


def projection_for(
    likeness: Likeness, photo: Photo, place: Place, models: Models, ignore: np.ndarray | None = None
) -> projection.ProjectSettings:
    """The settings of a projection of that likeness; ignore: bool [H, W], what of the photo isn't looked at.

    "auto" is quick for a face, whose own pixels are moved, but where the cache has a fine inversion that is taken; what
    has no landmarks is drawn by the generator, and so it is fine."""
    fine = projection.ProjectSettings()
    if likeness != "auto":
        return projection.QUICK if likeness == "quick" else fine
    if isinstance(place, Face) and not is_kept(photo, place, models, fine, ignore):
        return projection.QUICK
    return fine
