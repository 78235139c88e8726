"""What a comparison looks like: a table, one large picture, and a page of a single file that needs no network."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from photodrag.pipeline.compare.row import DISTANCES, Row
from photodrag.pipeline.photos.encoded import data_url, encoded
from photodrag.weights.common.files import write_bytes

COLUMNS = {
    "MSE": "crop.mse",
    "PSNR": "crop.psnr",
    "MS-SSIM": "crop.ms_ssim",
    "vgg*": f"crop.{DISTANCES[0]}",
    "alex": f"crop.{DISTANCES[1]}",
    "face vgg*": f"face.{DISTANCES[0]}",
    "face alex": f"face.{DISTANCES[1]}",
    "face MSE": "face.mse",
    "identity": "identity.distance",
    "cosine": "identity.cosine",
    "RMS": "rms",
    "way": "edit.way",
    "return": "return",
    "s": "seconds",
    "steps": "steps",
    "MB": "memory",
}
"""Of the table and the page: what is written over a column, and the figure in it. * was the loss."""
UNITS = {"MB": 1e6}
GRID = 256
TITLES = ("photo", "reconstruction", "|difference| × 4", "edit", "composite")
SAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
"""A photo's name must not end the script that it stands in."""


def write(out: Path, facts: dict, pictures: list[Row | None]) -> None:
    """Write metrics.json, grid.png and report.html into `out`. Raises UserError where that can't be."""
    text = json.dumps(facts, indent=1, allow_nan=False)
    grid = encoded(grid_of(facts["rows"], pictures), "PNG")
    page = page_of(facts, pictures)
    for name, data in (("metrics.json", text.encode()), ("grid.png", grid), ("report.html", page.encode())):
        write_bytes(out / name, data)


def table(facts: dict) -> str:
    """Mean ± standard deviation over the photos: a line a figure, a column a generator and method."""
    rows, columns = facts["rows"], []
    for generator, methods in facts["summary"].items():
        for method, figures in methods.items():
            own = [row for row in rows if (row["generator"], row["method"]) == (generator, method)]
            done = sum("error" not in row for row in own)
            cells = [cell(figures.get(figure), name, done) for name, figure in COLUMNS.items()]
            columns.append([Path(generator).stem[:16], method, f"{done} of {len(own)}", *cells])
    lines = [
        f"{name:10}" + "".join(f"{text:>18}" for text in texts)
        for name, *texts in zip(["generator", "method", "photos", *COLUMNS], *columns, strict=True)
    ]
    lines += [f"{row['photo']} by {row['method']}: {row['error']}" for row in rows if "error" in row]
    lines.append(
        "Mean ± standard deviation over photos, (n) where only so many have the figure; * was the loss; "
        "PSNR of [-1, 1]; identity under 0.6: the same person (a poor copy of the photo has about 0.2)."
    )
    return "\n".join(lines)


def cell(figure: dict | None, name: str, done: int) -> str:
    """A mean with its deviation, and of how many where that isn't all."""
    if figure is None:
        return "–"
    unit = UNITS.get(name, 1)
    mean, sd = figure["mean"] / unit, figure["sd"]
    digits = 0 if mean >= 100 else 1 if mean >= 10 else 3
    spread = "" if sd is None else f"±{sd / unit:.{digits}f}"
    return f"{mean:.{digits}f}{spread}" + ("" if figure["of"] == done else f" ({figure['of']})")


def grid_of(rows: list[dict], pictures: list[Row | None]) -> np.ndarray:
    """uint8 RGB: a line a row, with what TITLES says."""
    lines = [_label(["", *TITLES], 24)]
    for row, picture in zip(rows, pictures, strict=True):
        name = _label([f"{row['photo']}  {Path(row['generator']).name}  {row['method']}  {row.get('error', '')}"], 24)
        lines.append(name)
        if picture is not None:
            views = (picture.photo, picture.reconstruction, difference(picture), picture.edit, picture.composite)
            small = [np.array(Image.fromarray(view).resize((GRID, GRID), Image.Resampling.BOX)) for view in views]
            lines.append(np.concatenate(small, 1))
    return np.concatenate(lines)


def difference(row: Row) -> np.ndarray:
    """How far photo and reconstruction are apart, four times as much, uint8 RGB."""
    return (4 * np.abs(row.photo.astype(int) - row.reconstruction)).clip(0, 255).astype(np.uint8)


def page_of(facts: dict, pictures: list[Row | None]) -> str:
    """The report, one HTML file with its pictures in it."""
    shown = [
        picture
        and {
            "photo": _embedded(picture.photo),
            "reconstruction": _embedded(picture.reconstruction),
            "difference": _embedded(difference(picture)),
            "edit": _embedded(picture.edit),
            "composite": _embedded(picture.composite),
        }
        for picture in pictures
    ]
    data = json.dumps({"facts": facts, "pictures": shown, "columns": COLUMNS, "units": UNITS})
    for sign, code in SAFE.items():
        data = data.replace(sign, code)
    return (
        files("photodrag.pipeline.compare").joinpath("compare.html").read_text("utf-8").replace("/* DATA */ null", data)
    )


def _label(texts: list[str], height: int) -> np.ndarray:
    """A strip as wide as the grid with texts, the first at the left, others over the columns."""
    image = Image.new("RGB", (GRID * len(TITLES), height), "white")
    draw = ImageDraw.Draw(image)
    for place, text in zip((0, *range(len(TITLES))), texts, strict=False):
        draw.text((place * GRID + 6, 6), text, "black")
    return np.array(image)


def _embedded(picture: np.ndarray) -> str:
    return data_url(picture, "JPEG", quality=90, subsampling=0)
