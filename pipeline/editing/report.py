"""What the commands tell: plain values, as --json prints them, and the same in words."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from photodrag.invert.identity import NOISE, in_figures, likeness
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.faces.landmark_names import places
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights.common.face_landmarks import GROUPS

if TYPE_CHECKING:  # these import torch, and `photodrag faces` needs none
    from photodrag.invert.quality import Quality
    from photodrag.pipeline.editing.inversion import Inversion
    from photodrag.pipeline.editing.result import Edit

HOPELESS = 0.2
"""Perceptual distance from which a reconstruction shows something else than the photo."""
A_LINE, NAMES_A_LINE = 6, 3
"""Landmarks in a line, by number and by name."""


def of_edit(edit: Edit, output: Path, seed: int, seconds: float, dropped: list[str]) -> dict:
    """An edit, its picture written to `output`; `seconds` since the command began; dropped: what the file lacks.
    What is of an inversion is None where there was none."""
    inversion = edit.inversion
    return {
        "photo": str(edit.photo.path),
        "output": str(output),
        "dropped": dropped,
        "face": of_face(edit, edit.faces),
        **of_view(edit),
        "class": inversion and inversion.models.class_,
        "handles": [
            {
                "start": _rounded(handle.start),
                "target": _rounded(handle.target),
                "reached": _rounded(handle.reached),
                "left": _rounded(handle.left),
            }
            for handle in edit.handles
        ],
        "stop_reason": edit.stop_reason,
        "reconstruction": inversion and of_quality(inversion.finished.quality, inversion.finished.steps),
        "identity": _rounded(edit.identity, 4),
        "likeness": None if edit.identity is None else likeness(edit.identity),
        "stray": _rounded(edit.stray, 4),
        "doubts": list(edit.doubts),
        "share": edit.share,
        "person": edit.person,
        "exemplars": edit.exemplars,
        "seconds": edit.seconds | {"total": round(seconds, 3)},
        "cached": inversion and inversion.cached,
        "generator": inversion and inversion.models.name,
        "tuned": bool(inversion and inversion.deltas),
        "device": inversion and str(inversion.models.device),
        "version": version("photodrag"),
        "method": edit.method,
        "steps": edit.steps,
        "seed": seed,
    }


def of_inversion(photo: Photo, inversion: Inversion, faces: int | None) -> dict:
    """An inversion of one of so many faces of a photo; None of them where nobody looked."""
    return {
        "photo": str(photo.path),
        "face": of_face(inversion, faces),
        **of_view(inversion),
        "class": inversion.models.class_,
        "reconstruction": of_quality(inversion.finished.quality, inversion.finished.steps),
        "likeness": inversion.finished.quality.likeness if inversion.face else None,
        "key": inversion.key,
        "seconds": round(inversion.finished.seconds, 3),
        "cached": inversion.cached,
        "unkept": inversion.cache_error,
        "generator": inversion.models.name,
        "tuned": bool(inversion.deltas),
        "device": str(inversion.models.device),
        "version": version("photodrag"),
    }


def of_view(made: Edit | Inversion) -> dict:
    """What the generator is shown: the square (its corners from the crop's top left, counter-clockwise), and how it was
    laid."""
    return {"align": "face" if made.face else "square", "quad": _rounded(made.alignment.quad)}


def of_face(made: Edit | Inversion, faces: int | None) -> dict | None:
    """A face and the square around it; None where no face was looked for."""
    if made.face is None:
        return None
    return {
        "number": made.face.number,
        "of": faces,
        "box": _rounded(made.face.box),
        "quad": _rounded(made.alignment.quad),
    }


def of_quality(quality: Quality, steps: int) -> dict:
    """The figures; the distance called "face" is that of the middle where there is no face."""
    return {
        "distance": {"face": _rounded(quality.distance_face, 4), "whole": _rounded(quality.distance_whole, 4)},
        "mse": _rounded(quality.mse, 5),
        "psnr": _rounded(quality.psnr),
        "identity": _rounded(quality.identity, 4),
        "rms": _rounded(quality.rms, 4),
        "steps": steps,
    }


def edit_in_words(facts: dict) -> str:
    """`of_edit` for people."""
    lines = [f"The edited photo is {facts['output']}"]
    for number, handle in enumerate(facts["handles"], 1):
        start, target, reached = (_point(handle[name]) for name in ("start", "target", "reached"))
        way = float(np.hypot(*np.subtract(handle["target"], handle["start"])))
        if not way:
            lines.append(f"  handle {number}: {start} should stay, came to {reached}, {handle['left']:.1f} px off")
            continue
        lines.append(
            f"  handle {number}: {start} → {target} came to {reached}, {handle['left']:.1f} px short of {way:.1f}"
        )
    kept = " (kept from before)" if facts["cached"] else ""
    who = facts["identity"]
    seconds = dict(facts["seconds"])
    total = seconds.pop("total")
    if facts["handles"]:
        lines.append(f"  {facts['method']} ended after {facts['steps']} steps: {_stop(facts['stop_reason'])}")
    if who is not None:
        if facts["doubts"]:
            lines.append(f"  look closely, it may be spoilt: {'; '.join(facts['doubts'])}")
        lines.append(f"  {in_figures(who)}" if facts["doubts"] else f"  {facts['likeness']}: {in_figures(who)}")
    if facts["share"] < 1:
        lines.append(f"  only {facts['share']:.0%} of the way was gone, for more of it would spoil the face")
    if facts["person"]:
        shown = [f"{region} of {photo}" for region, photo in facts["exemplars"].items()]
        lines.append(f"  {facts['person']}: {', '.join(shown) or 'no other photo shows more of what was asked for'}")
    if facts["reconstruction"]:
        tuned = ", tuned" if facts["tuned"] else ""
        lines.append(f"  inversion{tuned}{kept}: {_figures(facts)}{_hopeless(facts)}")
    else:
        lines.append("  the photo alone was reshaped: no generator drew anything, and nothing was inverted")
    lines += [
        f"  {total:.1f} s: " + ", ".join(f"{stage} {took:.1f}" for stage, took in seconds.items()),
    ]
    return "\n".join(lines)


def inversion_in_words(facts: dict) -> str:
    """`of_inversion` for people."""
    face, kept = facts["face"], "kept from before" if facts["cached"] else f"{facts['seconds']:.1f} s"
    how = "inverted and tuned" if facts["tuned"] else "inverted"
    if face is None:
        done = f"the square was {how}"
    else:
        where = f"face {face['number']} of {face['of']}" if face["of"] > 1 else "the face"
        done = f"{where} was {how}, {facts['likeness']}"
    return f"{facts['photo']}: {done}: {_figures(facts)}; {kept}{_hopeless(facts)}"


def of_faces(photo: Photo, faces: list[Face]) -> dict:
    """The faces of a photo: of each its number, box and landmarks."""
    return {
        "photo": str(photo.path),
        "width": photo.width,
        "height": photo.height,
        "faces": [
            {
                "number": face.number,
                "box": _rounded(face.box),
                "score": _rounded(face.score),
                "landmarks": _rounded(face.landmarks),
                "names": {name: list(place) for name, place in places(face.landmarks).items()},
            }
            for face in faces
        ],
    }


def face_in_words(facts: dict) -> str:
    """One of `of_faces`' faces for people: its landmarks in groups, with their numbers."""
    lines = [f"face {facts['number']}: box {','.join(f'{value:.0f}' for value in facts['box'])}"]
    for name, group in GROUPS.items():
        points = [f"{number:2} {_point(facts['landmarks'][number])}" for number in range(group.start, group.stop)]
        for first in range(0, len(points), A_LINE):
            row = "  ".join(f"{point:14}" for point in points[first : first + A_LINE])
            lines.append(f"  {'' if first else name:5}  {row}".rstrip())
    named = [f"{name} {_point(place)}" for name, place in facts["names"].items()]
    for first in range(0, len(named), NAMES_A_LINE):
        row = "  ".join(f"{point:28}" for point in named[first : first + NAMES_A_LINE])
        lines.append(f"  {'' if first else 'names':5}  {row}".rstrip())
    return "\n".join(lines)


def _stop(reason: str) -> str:
    """Why a drag ended. Raises KeyError for a reason that it never gives."""
    from photodrag.drag.state import ARRIVED, LIMIT, STALLED, STOPPED

    return {
        ARRIVED: "every handle arrived",
        STALLED: "the picture would not go further",
        LIMIT: "the step limit was reached (allow more with --steps)",
        STOPPED: "it was stopped",
    }[reason]


def _figures(facts: dict) -> str:
    distance, who = (facts["reconstruction"][name] for name in ("distance", "identity"))
    identity = "" if who is None else f", identity {who:.2f} (a poor copy: about {NOISE:g})"
    near = "middle" if facts["face"] is None else "face"
    return f"distance {distance['face']:.3f} ({near}), {distance['whole']:.3f} (whole){identity}"


def _hopeless(facts: dict) -> str:
    """A warning where a square was rebuilt so badly that a drag can do nothing good; of faces `likeness` tells."""
    if facts["face"] is not None or facts["reconstruction"]["distance"]["face"] < HOPELESS:
        return ""
    return "\n  the generator knows little like this picture: what a drag does will look wrong"


def _point(point: Iterable[float]) -> str:
    return ",".join(f"{value:.1f}".removesuffix(".0") for value in point)


def _rounded(values: ArrayLike | None, digits: int = 2) -> Any:
    """Numbers or arrays of them as plain rounded floats; None stays."""
    return None if values is None else np.round(np.asarray(values, float), digits).tolist()
