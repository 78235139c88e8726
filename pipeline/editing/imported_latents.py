"""A code that another program found for a photo, as the inversion of that photo."""

from torch import Tensor

from photodrag.invert import cache, perceptual
from photodrag.invert.imported_codes import fitted
from photodrag.invert.projection import ProjectSettings
from photodrag.pipeline.editing.inversion import (
    DISTANCE,
    Inversion,
    Models,
    Progress,
    crop_of,
    find_kept,
    keep,
    key_of,
    recorded,
    silent,
)
from photodrag.pipeline.editing.plan import Place
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights import UserError


def import_latent(
    photo: Photo,
    place: Place,
    models: Models,
    latent: Tensor,
    settings: ProjectSettings = ProjectSettings(),
    replacing: bool = False,
    progress: Progress = silent,
) -> Inversion:
    """Keep codes [n, w_dim] (see imported_codes.fitted) as the inversion of a face or a square, with their
    figures, in place of a projection by `settings`; edits of it then start there.

    Raises UserError where one is kept already, unless `replacing`, and where the cache can't be written."""
    generator = models.generator
    key, w_plus = key_of(photo, place, models, settings), fitted(latent, generator.num_ws).to(models.device)
    if not replacing and find_kept(key, generator):
        raise UserError(
            f"An inversion of {photo.path.name} is kept already ({key[:10]}): give --replace to lose it, "
            "or keep it with `photodrag cache export` first."
        )
    alignment, crop = crop_of(photo, place, models)
    face = place if isinstance(place, Face) else None
    made = Inversion(face=face, alignment=alignment, crop=crop, w_plus=w_plus, key=key, models=models)
    distance = perceptual.load(DISTANCE, models.device, lambda doing: progress(doing, 0, 0))
    made = recorded(made, photo, distance, cache.IMPORTED)
    keep(made)
    return made
