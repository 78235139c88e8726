"""`photodrag fuse`: one face from two photos."""

from typing import Any

import click

from photodrag.pipeline.commands.parameter_types import Amount
from photodrag.pipeline.commands.two_photos import TwoPhotosOptions, run, shared


@click.command()
@shared
@click.option(
    "--amount",
    type=Amount(0, 1),
    default=0.5,
    show_default=True,
    metavar="SHARE",
    help="How much of the other face: 0 none, 0.5 half way between both, 1 all of it.",
)
def fuse(amount: float, **keywords: Any) -> None:
    """Write PHOTO with a face that is like its own and like OTHER's.

    All of PHOTO but the face stays. The new photo's code is kept, so that it can be dragged on at once.

    \b
    Examples:
        photodrag fuse me.jpg photo.jpg --out both.jpg
        photodrag fuse me.jpg group.jpg --other-face 2 --amount 0.3 --out a-little.jpg
    """
    from photodrag.pipeline.uses.two_photos import fuse as make

    run(TwoPhotosOptions(**keywords), make, amount=amount)
