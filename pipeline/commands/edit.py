"""`photodrag edit`: photo in, edited photo out."""

import time
from pathlib import Path
from typing import Any

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.edit_steps import carried_out, checked_outputs, planned, tell
from photodrag.pipeline.commands.edit_tasks import EditOptions, checked_tasks
from photodrag.weights.common.bounds import MOST_SEED


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "--drag",
    "drags",
    type=options.DRAG,
    multiple=True,
    help="What to move, and where to: X,Y or a landmark's NAME, then X,Y, NAME or +DX,-DY from there, in pixels or "
    "in % of the face's width; repeatable.",
)
@click.option("--pin", "pins", type=options.PLACE, multiple=True, help="A point that must stay; repeatable.")
@click.option("--snap", is_flag=True, help="Handles and pins given as X,Y go to the nearest of the face's landmarks.")
@options.presets
@options.attributes
@options.direction
@options.truncation
@options.move
@options.roll
@click.option(
    "--latent",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Give the face another code, of a file that fuse, mix, generate or a projector wrote.",
)
@options.save_latent
@click.option(
    "--region",
    "regions",
    type=options.REGION,
    multiple=True,
    help=f"A part that is moved as one: {', '.join(options.REGION.names)}, or what is white in a picture of the "
    "photo's size; repeatable.",
)
@click.option(
    "--parts",
    type=click.Path(path_type=Path),
    metavar="PARTS.png",
    help="Where the face's parts shall be: what `photodrag parts` wrote, painted over.",
)
@options.expression_from
@options.amount
@click.option(
    "--mask",
    metavar="MASK.png|face|auto",
    help="Where the photo may change: white in a picture of its size, the face, or where the edit differs (auto).",
)
@options.ignore
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="The edited photo, replaced if it exists; PHOTO-photodrag.… beside the photo by default.",
)
@options.face
@options.box
@options.person
@options.align
@options.generator
@options.class_
@options.tune
@options.likeness
@options.method
@options.steps
@click.option(
    "--seed", type=click.IntRange(0, MOST_SEED), metavar="N", help="Recorded only: nothing here is random as yet."
)
@options.device
@options.refresh
@click.option(
    "--edit",
    "edit_files",
    type=click.Path(path_type=Path),
    metavar="FILE",
    multiple=True,
    help="Read the edit from FILE; repeatable: one inversion, and the outputs' names are numbered (-1, -2, …).",
)
@click.option("--save-edit", type=click.Path(path_type=Path), metavar="FILE", help="Write the edit to FILE (JSON).")
@click.option(
    "--video", type=click.Path(path_type=Path), metavar="OUT.mp4", help="The photo from first to last; or .webm."
)
@click.option("--gif", type=click.Path(path_type=Path), metavar="OUT.gif", help="The same as a GIF, 640 px at most.")
@click.option("--frames", type=click.Path(path_type=Path), metavar="DIR", help="The same as PNGs, in a new folder.")
@click.option(
    "--keep-video", is_flag=True, help="Leave a motion photo's video in a JPEG, though it shows the old face."
)
@click.option("--arrows", is_flag=True, help="Draw the drags on what --video, --gif and --frames show.")
@options.quiet
@options.as_json
def edit(**keywords: Any) -> None:
    """Drag points of PHOTO, of a face in it by default, and write the edited photo.

    Points are x,y in pixels of the photo as you see it, from 0,0 at the top left, or landmarks of the face: one of
    the names below, or a number from 0 to 67 (see `photodrag faces`). Left and right are the picture's:
    mouth.left is the person's own right corner. The first edit of a face takes a quarter of a minute or more,
    the next ones seconds, for its inversion is kept. Options win over what an --edit FILE says; --drag, --pin and
    presets add to its drags.

    With --person, what an expression changes (teeth, folds, eyes) is taken from that person's other photos, if they
    show it: see `photodrag person`.

    A preset (--smile and the like) is some drags of landmarks. AMOUNT is -1 to 1: 0.5 is a natural change, 1 all
    that a face does, negative the opposite. Presets add up; a point that you drag or pin yourself is left to you.
    Gaze, leaning and the forehead are no drags: the photo itself is reshaped there.

    --older, --feminine, --happy and the like, --direction, --truncation and --latent change the face itself before
    anything is dragged; the generator shows what is new, and the photo all else. What makes a face older is what a
    network took for older, with its prejudices. --move and --roll move its whole picture, if the generator is a
    StyleGAN3.

    \b
    Landmarks:
        brow.left  brow.left.outer  brow.left.inner
        brow.right  brow.right.outer  brow.right.inner
        eye.left  eye.left.outer  eye.left.inner  eye.left.top  eye.left.bottom
        eye.right  eye.right.outer  eye.right.inner  eye.right.top  eye.right.bottom
        nose  nose.top  nose.left  nose.right
        mouth  mouth.left  mouth.right  mouth.top  mouth.bottom
        cheek.left  cheek.right  jaw.left  jaw.right  chin

    \b
    Examples:
        photodrag edit photo.jpg --drag 412,530:412,518 --out smile.jpg
        photodrag edit photo.jpg --drag mouth.left:-4,-12 --drag mouth.right:+4,-12 --pin nose
        photodrag edit photo.jpg --drag brow.left:+0,-4% --mask face --save-edit brow.json
        photodrag edit photo.jpg --smile 0.6 --open-eyes 0.3 --turn-left -0.2
        photodrag edit photo.jpg --open-left-eye -0.8 --gaze-x 0.4 --lean-left 0.3
        photodrag edit photo.jpg --region mouth:+0,-3%,rotate=5,scale=1.1
        photodrag edit photo.jpg --parts PARTS.png
        photodrag edit photo.jpg --expression-from laughing.jpg --amount 0.7
        photodrag edit photo.jpg --smile 0.5 --ignore microphone.png
        photodrag edit photo.jpg --smile 0.6 --person anna
        photodrag edit photo.jpg --older 0.5
        photodrag edit photo.jpg --direction ganspace:4@0-6 1.5 --truncation 0.8
        photodrag edit photo.jpg --edit smile.json --tune
        photodrag edit photo.jpg --edit smile.json --edit brow.json --out both.jpg
        photodrag edit photo.jpg --smile 0.6 --video smile.mp4 --arrows
        photodrag edit photo.jpg --smile 0.6 --method draggan --out as-draggan.jpg
        photodrag edit cat.jpg --generator afhqcat --box 300,120,800,800 --drag 640,700:640,660
    """
    from photodrag.pipeline.photos.read import read_photo

    began = time.monotonic()
    given = EditOptions.of(keywords)
    tasks = checked_tasks(given)
    picture = read_photo(given.photo)
    outputs = checked_outputs(given, tasks, picture)
    with options.progress_bar(given.quiet) as bar:
        jobs = planned(picture, tasks, outputs, given, bar)
        bar("loading")
        facts = carried_out(jobs, given, bar, began)
    tell(jobs, facts, given)
