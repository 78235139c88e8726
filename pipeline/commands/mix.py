"""`photodrag mix`: the styles of one photo in another."""

from typing import Any

import click

from photodrag.pipeline.commands.two_photos import TwoPhotosOptions, run, shared
from photodrag.pipeline.editing.direction_names import read_layers
from photodrag.weights.common.errors import UserError


@click.command()
@shared
@click.option("--coarse", is_flag=True, help="OTHER's pose and head (blocks of 4 and 8 pixels).")
@click.option("--middle", is_flag=True, help="OTHER's features, eyes, hair (16 and 32 pixels).")
@click.option("--fine", is_flag=True, help="OTHER's colours and light (64 pixels and more).")
@click.option("--layers", metavar="0-6", help="OTHER's codes of these numbers.")
def mix(coarse: bool, middle: bool, fine: bool, layers: str | None, **keywords: Any) -> None:
    """Write PHOTO in the styles of OTHER: of some layers of the generator's, and of others its own.

    \b
    Examples:
        photodrag mix me.jpg photo.jpg --fine --out colours.jpg
        photodrag mix cat.jpg frog.png --generator afhqcat --layers 4-7 --out cat-frog.jpg
    """
    groups = [name for name, there in (("coarse", coarse), ("middle", middle), ("fine", fine)) if there]
    if bool(groups) == bool(layers):
        raise UserError("Say which styles to take: --coarse, --middle or --fine, or --layers 0-6.")
    chosen = read_layers(layers) if layers else tuple(groups)
    from photodrag.pipeline.uses.two_photos import mix as make

    run(TwoPhotosOptions(**keywords), make, layers=chosen)
