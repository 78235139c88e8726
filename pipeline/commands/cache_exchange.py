"""`photodrag cache export` and `import`: one inversion, from or for another machine or another program."""

from pathlib import Path
from typing import Any

import click

from photodrag.pipeline.commands import options
from photodrag.pipeline.commands.cache import DIGITS, cache, one_of
from photodrag.pipeline.faces.box import Box
from photodrag.weights.common.errors import UserError


@cache.command("export")
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--codes", type=click.IntRange(1, 64), metavar="N", help="How many, for .npz: the last one is repeated.")
def export_one(key: str, file: Path, codes: int | None) -> None:
    """Write an inversion to FILE: whole, as .safetensors, for `photodrag cache import` elsewhere; or its code alone,
    as .npz, as NVIDIA's projector and DragGAN write it (--codes 18 for StyleGAN2 of 1024 pixels).

    \b
    Examples:
        photodrag cache export 3f9a02c1 grandma.safetensors
        photodrag cache export photo.jpg projected_w.npz --codes 18
    """
    from photodrag.invert import cache as kept
    from photodrag.invert import upkeep
    from photodrag.invert.imported_codes import write_projected_w
    from photodrag.pipeline.photos.write import check_writable

    entry, _ = one_of(kept.entries(), key)
    check_writable(file)
    if file.suffix.lower() == ".safetensors":
        upkeep.export(entry, file)
    elif file.suffix.lower() == ".npz":
        write_projected_w(file, entry.w_plus, codes)
    else:
        raise UserError(f"{file} does not say what to write: end its name in .safetensors or .npz.")
    options.say(str(file))
    if entry.deltas and file.suffix.lower() == ".npz":
        options.complain(
            "The code alone was written: what tuning changed in the generator has no place in such a file."
        )


@cache.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--photo", type=click.Path(path_type=Path), help="Whose inversion it is, for another program's codes.")
@click.option(
    "--index",
    type=click.IntRange(0, 1_000_000),
    metavar="N",
    help="Which of several pictures' codes, from 0; by default those under the photo's name.",
)
@click.option("--replace", "replacing", is_flag=True, help="Even if an inversion of that face is kept.")
@options.face
@options.box
@options.align
@options.generator
@options.class_
@options.device
def import_one(file: Path, photo: Path | None, index: int | None, replacing: bool, **wanted: Any) -> None:
    """Keep an inversion from FILE: one that `export` wrote, or codes by NVIDIA's projector or DragGAN (.npz), PTI,
    e4e, ReStyle and others (.pt, .npy), which need --photo, aligned as FFHQ's faces are.

    Nothing in FILE is run. Edits of that face then start from it; figures say how good it is.

    \b
    Examples:
        photodrag cache import grandma.safetensors
        photodrag cache import projected_w.npz --photo photo.jpg
    """
    from photodrag.invert import upkeep

    entry = upkeep.add(file)
    if entry is not None:
        options.say(f"{entry.photo}: the inversion is kept, as {entry.key[:DIGITS]}.")
    elif photo is None:
        raise UserError(f"{file} is another program's: say with --photo PHOTO whose inversion it is.")
    else:
        _import_latent(file, photo, index, replacing, **wanted)


def _import_latent(
    file: Path,
    photo: Path,
    index: int | None,
    replacing: bool,
    face: int | None,
    box: Box | None,
    align: str | None,
    generator: str | None,
    class_: int | None,
    device: str,
) -> None:
    from photodrag.invert.imported_codes import chosen, read_latents
    from photodrag.pipeline.editing.plan import find_generator, find_place, usual_align
    from photodrag.pipeline.photos.read import read_photo

    generator, subject = find_generator(generator or "face")
    picture = read_photo(photo)
    place, count = find_place(picture, align or usual_align(subject), face, box)
    options.prepare_to_compute(device)
    from photodrag.pipeline.editing.imported_latents import import_latent
    from photodrag.pipeline.editing.inversion import Models
    from photodrag.pipeline.editing.report import inversion_in_words, of_inversion

    models = Models.load(generator, device, class_=class_)
    latents = read_latents(file, models.generator.w_dim)
    codes = chosen(latents, file, photo, index)
    made = import_latent(picture, place, models, codes, replacing=replacing)
    options.say(inversion_in_words(of_inversion(picture, made, count)))
