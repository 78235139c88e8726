"""Inversions of the same photos by this project's methods and by published ones, on the same generator.

python tests/bench/inversion.py PHOTO|FOLDER … [--methods NAME,…] [--seconds S] [--steps N] [--json FILE]
                                [--plot FILE.png] [--sheet FILE.png]

The methods are NVIDIA's projector in W (`nvidia`), the same in W+ (`w+`) and Pivotal Tuning (`pti`), for which see
inversion_peers.py; this project's projection (`photodrag`), and that tuned (`photodrag-tuned`), as edits use them.
At TIMES, and at its end, the picture that a method has by then is made in full and measured, while its clock stands
still: st-lpips-vgg on the face (224²) and on the whole crop (256²), the mean squared error at full size, in [-1, 1],
the identity distance of crop and picture, and the whitened code's root mean square over the codes that a drag moves.
Then the three drags of portraits.py are done on it. The landmark that was dragged is detected again on the
generator's own picture: `way` is the share that it covered, `moved` of how many drags that was SUCCEEDED or more,
`changed` the identity distance that a drag adds, and `lost` the number of drags after which no face is found.
a is what one full picture with its gradient costs, measured before each photo.

With --seconds a method is stopped after so many of its own, which the table counts as `cut`; its schedule stays as
published, so that its curve up to there is a whole run's. --steps N is the limit of each stage of every method instead
of its own, for trials. Results are written after each photo and method; what FILE of --json has already, with equal
settings, is taken from there. Exit code 1 if ours are worse than ASKED (inversion_figures.py)."""

import base64
import json
import platform
import sys
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import click
import numpy as np
import torch
from cost import medians
from curves import plot
from inversion_figures import ASKED, curve_table, curves, summary, table, verdict
from inversion_run import METHODS, inverted, limited, thumb
from PIL import Image
from stylegan2 import gradient

from photodrag import weights
from photodrag.drag import DragSettings
from photodrag.invert import cache, perceptual
from photodrag.invert.start import start_digest
from photodrag.pipeline.compare.run import versions
from photodrag.pipeline.editing.inversion import DISTANCE, Models, crop_of
from photodrag.pipeline.editing.plan import find_face
from photodrag.pipeline.photos.read import read_photo
from photodrag.pipeline.photos.write import FORMATS
from photodrag.weights.common.files import write_whole


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--methods", default=",".join(METHODS), show_default=True)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="After which every method is stopped.")
@click.option("--steps", type=click.IntRange(1), help="The limit of each stage of every method, instead of its own.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Every single figure.")
@click.option("--plot", "drawn", type=click.Path(dir_okay=False), help="Distance on the face against seconds.")
@click.option("--sheet", type=click.Path(dir_okay=False), help="A row a photo: itself, then each method's picture.")
def main(photos, methods, seconds, steps, out, drawn, sheet) -> None:
    names = methods.split(",")
    unknown = sorted(set(names) - set(METHODS))
    if unknown:
        raise click.BadParameter(f"{unknown}: there are the methods {[*METHODS]}")
    weights.keep_freed_memory()
    models = Models.load()
    distance = perceptual.load(DISTANCE, models.device)
    settings = {name: [limited(s, steps) for s in METHODS[name][1:]] for name in names}
    kept, rows, pictures = earlier(out), [], []
    for path in pictures_of(photos):
        try:
            photo = read_photo(path)
            face, _ = find_face(photo)
            alignment, crop = crop_of(photo, face, models)
        except weights.UserError as error:
            click.echo(f"  {path.name}: {error}")
            continue
        pictures.append([thumb(alignment.crop(photo.pixels))])
        a = None
        for name in names:
            key = key_of(photo, face, models, name, settings[name], seconds)
            if key not in kept:
                a = a or picture_seconds(models.generator)
                figures = inverted(name, settings[name], models, crop, distance, seconds)
                kept[key] = {"key": key, "photo": path.name, "method": name, "a": a, **figures}
            rows.append(kept[key])
            pictures[-1].append(seen_again(kept[key]["picture"]))
            click.echo(line(kept[key]))
            write(out, rows, kept, seconds, steps, settings)
    if not rows:
        raise click.UsageError("None of the photos shows a face.")
    found, lines = summary(rows), curves(rows, seconds)
    count = len(pictures)
    click.echo(f"{table(found)}\n\nmedian distance on the face at seconds, of {count} photos\n{curve_table(lines)}\n")
    if sheet:
        Image.fromarray(np.concatenate([np.concatenate(row, 1) for row in pictures])).save(sheet)
    if drawn:
        ends = {name: row["seconds"] for name, row in found.items() if not row["cut"]}
        points = {name: with_end(line, found[name], name in ends) for name, line in lines.items()}
        title = f"Distance from the photo, median of {count}" if count > 1 else "Distance from the photo"
        x_name = f"seconds ({torch.get_num_threads()} threads)"
        Image.fromarray(plot(points, ends, title, x_name, f"{DISTANCE} on the face")).save(drawn, optimize=True)
    said = verdict(found, lines)
    click.echo("\n".join(("" if good else "WORSE  ") + text for text, good in said))
    sys.exit(not all(good for _, good in said))


def picture_seconds(generator) -> float:
    """a: what one full picture with its gradient takes, just now."""
    w_plus = generator.w_avg.expand(1, generator.num_ws, -1)
    return medians({"a": lambda: gradient(generator.synthesis, w_plus)}, 3)["a"]


def key_of(photo, face, models: Models, name: str, settings: list, limit: float | None) -> str:
    """What a row depends on; of ours also what their starts and axes were fitted to."""
    fitted = [start_digest(), weights.axes_digest()] if name.startswith("photodrag") else []
    networks = [models.generator.digest, weights.digest(DISTANCE), *fitted]
    stages = [asdict(s) for s in (*settings, DragSettings())]
    return cache.key_of(photo.key, face.landmarks.round(2), networks, name, stages, limit)


def pictures_of(paths: list[Path]) -> list[Path]:
    """The files, and of folders the pictures in them, by name."""
    found = []
    for path in paths:
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in FORMATS) if path.is_dir() else [path]
        found += inside
    return found


def earlier(out: Path | None) -> dict[str, dict]:
    """The rows that were written before, by their keys."""
    if out is None or not out.exists():
        return {}
    facts = json.loads(out.read_text("utf-8"))
    return {row["key"]: row for row in [*facts["other"], *facts["each"]]}


def write(out: Path | None, rows: list[dict], kept: dict[str, dict], seconds, steps, settings) -> None:
    """Everything so far. Rows of other photos, methods or settings are kept apart, for another run."""
    if out is None:
        return
    now = {row["key"] for row in rows}
    facts = {
        "seconds": seconds,
        "steps": steps,
        "settings": {name: [asdict(s) for s in stages] for name, stages in settings.items()},
        "asked": ASKED,
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "versions": versions(),
        "rows": summary(rows),
        "curves": curves(rows, seconds),
        "each": rows,
        "other": [row for key, row in kept.items() if key not in now],
    }
    write_whole(out, lambda file: file.write(json.dumps(facts, indent=1, allow_nan=False).encode()))


def line(row: dict) -> str:
    identity = "none" if row["identity"] is None else f"{row['identity']:.3f}"
    ways = " ".join(
        f"{name} {'lost' if drag['lost'] else format(drag['way'], '.2f')}" for name, drag in row["drags"].items()
    )
    return (
        f"  {row['photo']} {row['method']}: face {row['face']:.4f}, whole {row['whole']:.4f}, mse {row['mse']:.4f}, "
        f"identity {identity}, rms {row['rms']:.2f}, {row['steps']} steps in {row['seconds']:.0f} s "
        f"({row['seconds'] / row['a']:.0f} a){' (cut)' if row['cut'] else ''}; {ways}"
    )


def with_end(line: dict[float, float], row: dict, ended: bool) -> list[tuple[float, float]]:
    """A curve's points, with the end of a method that was not cut."""
    points = dict(line) | ({row["seconds"]: row["face"]} if ended else {})
    return sorted(points.items())


def seen_again(url: str) -> np.ndarray:
    """The picture of a row."""
    return np.array(Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))))


if __name__ == "__main__":
    main()
