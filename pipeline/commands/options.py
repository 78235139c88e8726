"""What several commands share: options, how their values are written, what is said where."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from photodrag.drag.methods import METHODS
from photodrag.pipeline.commands.parameter_types import Amount, Drag, Numbers, Place, RegionType, TuneSteps
from photodrag.pipeline.commands.progress_bar import ProgressBar
from photodrag.pipeline.editing.attribute_names import ATTRIBUTES
from photodrag.pipeline.editing.options import LIKENESS
from photodrag.pipeline.faces.preset_table import PRESETS
from photodrag.weights.common.bounds import MOST_CLASSES, MOST_FACES, MOST_ROLL, MOST_STEPS
from photodrag.weights.common.errors import Failure, UserError
from photodrag.weights.common.printable import printable

if TYPE_CHECKING:
    from photodrag.invert.tuning import TuneSettings


Command = TypeVar("Command", bound=Callable[..., object])
DRAG, PLACE, REGION = Drag(), Place(), RegionType()


def presets(command: Command) -> Command:
    """An option for each preset."""
    for name, preset in reversed(PRESETS.items()):
        command = _amount(name, preset.what, preset.least)(command)
    return command


def attributes(command: Command) -> Command:
    """An option for each of what networks read in a face."""
    for name, attribute in reversed(ATTRIBUTES.items()):
        command = _amount(name, attribute.what)(command)
    return command


def _amount(name: str, what: str, least: float = -1) -> Callable[[Command], Command]:
    return click.option(f"--{name}", type=Amount(least, 1), metavar="AMOUNT", help=what)


def amounts_of(names: Iterable[str], given: dict) -> dict[str, float]:
    """Take presets, or attributes, out of a command's keywords; those that were given."""
    amounts = {name: given.pop(name.replace("-", "_")) for name in names}
    return {name: amount for name, amount in amounts.items() if amount is not None}


AMOUNT = 0.8
expression_from = click.option(
    "--expression-from",
    type=click.Path(path_type=Path),
    metavar="PHOTO|FILE",
    help="Take over the expression of another photo's face, or one that `photodrag expression save` wrote.",
)
amount = click.option("--amount", type=Amount(0, 1), metavar="AMOUNT", help=f"How much of it, {AMOUNT:g} by default.")
BOX = Numbers("X,Y,WIDTH,HEIGHT", (4,), "a box in photo pixels", "300,220,260,260")

face = click.option(
    "--face",
    type=click.IntRange(1, MOST_FACES),
    metavar="N",
    help="Number of the face, the largest (1) by default.",
)
box = click.option("--box", type=BOX, help="Where the face is, when it isn't found by itself, or what is to be edited.")
person = click.option(
    "--person",
    metavar="NAME",
    help="Who is meant, of those that `photodrag person learn` knows: their face, if there are several.",
)
ignore = click.option(
    "--ignore",
    metavar="FILE",
    help="What lies in front of the face (a hand, a microphone), white in a picture of the photo's size: the inversion "
    "doesn't look at it, and no edit changes it.",
)
align = click.option(
    "--align",
    type=click.Choice(["face", "square"]),
    help="What the generator is shown: a face, or the largest square in the middle of the photo, or that around "
    "--box; by default what it was made for.",
)
generator = click.option(
    "--generator",
    metavar="NAME_OR_FILE",
    help="One of `photodrag weights list`, face by default, or a checkpoint's path.",
)
class_ = click.option(
    "--class",
    "class_",
    type=click.IntRange(0, MOST_CLASSES),
    metavar="N",
    help="Of a generator's classes, which, from 0 on.",
)
method = click.option(
    "--method",
    type=click.Choice(list(METHODS)),
    help="How points are dragged: by default as Photodrag does, or as DragGAN's paper, its authors' program or "
    "FreeDrag's paper says, or by the optical flow of a small network or of torchvision's RAFT.",
)
direction = click.option(
    "--direction",
    "directions",
    type=(str, float),
    multiple=True,
    metavar="NAME AMOUNT",
    help="Change the face along sefa:N, ganspace:N or a direction in a file (.npy, .pt, .safetensors), by so many "
    "standard deviations of faces: 1 to 3, either way. NAME@0-6: these codes alone; repeatable.",
)
truncation = click.option(
    "--truncation",
    type=Amount(0, 2),
    metavar="PSI",
    help="How far from the mean face: 1 as it is, 0.7 nearer, 0 the mean face itself.",
)
move = click.option(
    "--move",
    type=Numbers("X,Y", (2,), "how far to the right and down, in pixels", "12,-4"),
    help="Move the whole picture, by a generator that can (StyleGAN3): so many pixels to the right and down.",
)
roll = click.option(
    "--roll",
    type=Amount(-MOST_ROLL, MOST_ROLL),
    metavar="DEGREES",
    help="Turn it clockwise around its middle, before it is moved.",
)
save_latent = click.option(
    "--save-latent",
    type=click.Path(path_type=Path),
    metavar="FILE.npz",
    help="Write the picture's code, as NVIDIA's projector writes it.",
)
likeness = click.option(
    "--likeness",
    type=click.Choice(LIKENESS),
    help="How like the person the reconstruction is to be from which a drag begins: quick, fine (which goes on from "
    "there, five times as long), tuned (as --tune), or as much as the edit needs (auto).",
)
steps = click.option("--steps", type=click.IntRange(1, MOST_STEPS), metavar="N", help="Steps of the drag, at most.")
device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="What computes.",
)
tune = click.option(
    "--tune",
    type=TuneSteps(),
    is_flag=False,
    flag_value=TuneSteps.DEFAULT,
    metavar="[STEPS]",
    help="Tune the generator to the photo as well, so that the person is that very person: a minute or two more, once.",
)
refresh = click.option("--refresh", is_flag=True, help="Invert anew, even if an inversion is kept.")
quiet = click.option("--quiet", is_flag=True, help="No progress and no notes on stderr, only errors.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")

UNKNOWN_SUBJECT = (
    "What {} shows isn't known, so it is shown a square of the photo, upright; if it knows faces, give --align face."
)


def check_one_face(face: object, box: object) -> None:
    """Raises UserError where a face is chosen in both ways."""
    if face is not None and box is not None:
        raise UserError("Both --face and --box were given: a face is chosen by one of them.")


def check_png(out: Path, inputs: Sequence[Path] = ()) -> None:
    """Raises UserError for a name that a PNG can't have, and where none can be written, or one of `inputs` is."""
    from photodrag.pipeline.photos.write import check_writable

    if out.suffix.lower() != ".png":
        raise UserError(f"{out} is no name for the picture: end it in .png.")
    check_writable(out, inputs)


def check_latent(path: Path, inputs: list[Path]) -> None:
    """Raises UserError for a place where a code can't be written."""
    from photodrag.pipeline.photos.write import check_writable

    if path.suffix.lower() != ".npz":
        raise UserError(f"{path} is no name for a code: end it in .npz.")
    check_writable(path, inputs)


def say(text: str) -> None:
    """Print a result on stdout. Raises Failure when it can't be written (BrokenPipeError stays one)."""
    try:
        click.echo(printable(text))
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_what_is_left()
        raise Failure(f"Could not print the result: {error.strerror}.") from error


def _drop_what_is_left() -> None:
    """Let stdout lead nowhere, or what is left for it is tried once more at the end, and complained of."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def say_json(value: dict) -> None:
    """Print a JSON object in one line of ASCII."""
    say(json.dumps(value, allow_nan=False))


def complain(sentence: str) -> None:
    """Print what went wrong on stderr, in one line; a path in it keeps its spaces."""
    click.echo(printable(" ".join(line.strip() for line in sentence.splitlines() if line.strip())), err=True)


@contextmanager
def stopping_leaves(what: str) -> Iterator[None]:
    """In here, a command that is stopped leaves `what`; the command line says so."""
    try:
        yield
    except BaseException as error:
        vars(error).setdefault("leaves", what)
        raise


def tune_settings(steps: int | None) -> "TuneSettings | None":
    """What --tune asks for; None where it wasn't given."""
    from photodrag.invert.tuning import TuneSettings

    if steps is None:
        return None
    return TuneSettings() if steps == TuneSteps.DEFAULT else TuneSettings(steps=steps)


def will_compute() -> None:
    """Let PyTorch come in meanwhile: for a command that has imported all that it needs until it computes."""
    import cv2

    from photodrag.weights.common.ahead import load_torch_ahead

    cv2.getNumThreads()  # OpenCV asks the system's loader where it lies before its first threads, and would wait for it
    load_torch_ahead()


def prepare_to_compute(device: str) -> None:
    """The process's own settings, which no stage makes."""
    from photodrag.weights import keep_freed_memory

    if device in ("auto", "cpu"):
        keep_freed_memory()


def progress_bar(quiet: bool) -> ProgressBar:
    """The bar of a command: on a terminal, unless it is to be quiet."""
    return ProgressBar(not quiet and sys.stderr.isatty(), quiet)
