"""The films of `photodrag edit`: whether they can be written, and writing them."""

import os
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from photodrag.pipeline.commands.progress_bar import Costs, ProgressBar
from photodrag.weights.common.errors import UserError

if TYPE_CHECKING:
    from photodrag.pipeline.editing.plan import Plan
    from photodrag.pipeline.editing.result import Edit

Film = tuple[Path | None, Path | None, Path | None]
"""Where an edit's film goes: video, GIF, folder of pictures; None where it isn't asked for."""
PICTURE = 1.5
"""Seconds of a film's picture on two CPU cores."""


def check_films(films: list[Film], arrows: bool, others: list[Path]) -> None:
    """Raises UserError for films that can't be written, or would replace another file of this edit."""
    from photodrag.pipeline.films.files import check_film

    if arrows and not any(map(any, films)):
        raise UserError("--arrows draws on a film, and none was asked for: add --video, --gif or --frames.")
    taken = {os.path.realpath(path) for path in others}
    for film in films:
        for path in filter(None, film):
            if os.path.realpath(path) in taken:
                raise UserError(f"{path} is a file of this edit already: name another one for the film.")
        check_film(*film, others)


def film_costs() -> Costs:
    """What a film's pictures cost, for the bar."""
    from photodrag.pipeline.films.frames import FRAMES

    return {"filming": [PICTURE] * FRAMES}


def write_films(plan: "Plan", result: "Edit", film: Film, arrows: bool, bar: ProgressBar) -> None:
    """Draw the pictures of an edit and write them wherever `film` (video, gif, folder) names a place."""
    from photodrag.pipeline.films.files import write_film
    from photodrag.pipeline.films.frames import FRAMES, pictures, reshaped_pictures, restyled_pictures

    heard, change, inversion, parts = partial(bar, "filming"), result.restyled, result.inversion, []
    if change:
        parts.append(restyled_pictures(change, FRAMES // 2 if result.states else FRAMES, heard))
        plan, inversion = change.plan, change.inversion
    if inversion is None:
        parts.append(reshaped_pictures(plan, FRAMES, result.share, heard))
    elif result.states:
        parts.append(pictures(plan, inversion, result.states, FRAMES, arrows, result.share, heard))
    write_film(chain(*parts) if parts else [result.photo.srgb], *film)
