"""A picture that was made from a code keeps it as its inversion, so that a drag of it begins there at once."""

from pathlib import Path

import numpy as np
from torch import Tensor

from photodrag.pipeline.editing.imported_latents import import_latent
from photodrag.pipeline.editing.inversion import Models, Progress, silent
from photodrag.pipeline.editing.plan import Place, find_place, usual_align
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import detect
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError


def keep_code(
    path: Path, models: Models, w_plus: Tensor, place: Place | None = None, progress: Progress = silent
) -> str | None:
    """Keep w_plus [1, num_ws, w_dim] as the inversion of the face that `photodrag edit` finds in the picture at that
    path, nearest to a place in it; gives its key. None where there is no face, or the cache can't be written: then an
    edit makes an inversion of its own."""
    try:
        photo = read_photo(path)
        if place is None and usual_align(models.generator.subject) == "square":
            place, _ = find_place(photo, "square")
        elif not isinstance(place, Alignment):
            found = detect(photo.srgb)
            near = found[0] if place is None else place
            place = min(found, key=lambda face: float(np.linalg.norm(face.landmarks - near.landmarks)))
        return import_latent(photo, place, models, w_plus[0], replacing=True, progress=progress).key
    except (UserError, IndexError, ValueError):  # the last two: no face is found
        return None
