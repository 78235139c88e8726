"""What the rows of inversion.py come to: medians, curves, whether they are as good as asked, and all of it as text.

A row is one photo by one method: its final figures, `curve` (the same at some of TIMES) and `drags`."""

import numpy as np

TIMES = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1200, 1800, 2400, 3600)
"""Seconds of a method's own, at which its picture is measured."""
SUCCEEDED = 0.5
"""The share of the way from which a drag has succeeded."""
AS_OFTEN = 0.95
"""So often, compared with the peer in W, drags have to succeed."""
W, OURS = "nvidia", ("photodrag", "photodrag-tuned")
ASKED = {
    "photodrag": {"face": 0.04, "identity": 0.40, "rms": 1.3, "a": 60.0},
    "photodrag-tuned": {"face": 0.012, "mse": 0.006, "identity": 0.20, "a more": 120.0},
}
"""Of the medians, at most."""
HEADS = {
    "face": "{:.4f}",
    "whole": "{:.4f}",
    "mse": "{:.4f}",
    "identity": "{:.3f}",
    "rms": "{:.3f}",
    "seconds": "{:.1f}",
    "a": "{:.1f}",
    "steps": "{:.0f}",
    "cut": "{:.0f}",
    "way": "{:.2f}",
    "moved": "{:.0%}",
    "changed": "{:.3f}",
    "lost": "{:.0f}",
}
WIDTH = 10


def summary(rows: list[dict]) -> dict[str, dict]:
    """Each method's medians over its photos, and over all of their drags; of `cut` and `lost` the number, of `moved`
    the share. A face that wasn't found counts as infinitely far, and as a drag that moved nothing."""
    found = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        drags = [drag for row in own for drag in row["drags"].values()]
        found[method] = {
            **{name: median([row[name] for row in own]) for name in ("face", "whole", "mse", "identity", "rms")},
            **{name: median([row[name] for row in own]) for name in ("seconds", "steps")},
            "a": median([row["seconds"] / row["a"] for row in own]),
            "cut": sum(row["cut"] for row in own),
            "way": median([drag["way"] for drag in drags]),
            "moved": sum(drag["way"] >= SUCCEEDED for drag in drags) / len(drags),
            "changed": median([drag["identity"] for drag in drags]),
            "lost": sum(drag["lost"] for drag in drags),
        }
    return found


def median(values: list[float | None]) -> float | None:
    """With None as infinity, there and back."""
    middle = float(np.median([np.inf if value is None else value for value in values]))
    return middle if np.isfinite(middle) else None


def curves(rows: list[dict], limit: float | None = None) -> dict[str, dict[float, float]]:
    """Each method's median distance on the face at TIMES, where all of its photos have one."""
    last = limit or max(row["seconds"] for row in rows)
    found = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        seen = {time: [face_at(row, time, limit) for row in own] for time in TIMES if time <= last}
        found[method] = {time: median(faces) for time, faces in seen.items() if None not in faces}
    return found


def face_at(row: dict, time: float, limit: float | None = None) -> float | None:
    """The distance on the face at that time. What a method ends with stays; of one that was cut at the limit nobody
    knows how it would have gone on; before a method's first step there is none."""
    if row["cut"] and time > (limit or row["seconds"]):
        return None
    if (row["cut"] and time == limit) or time >= row["seconds"]:
        return row["face"]
    known = [point["face"] for point in row["curve"] if point["at"] <= time]
    return known[-1] if known else None


def verdict(found: dict[str, dict], lines: dict[str, dict[float, float]]) -> list[tuple[str, bool]]:
    """What was asked of our methods, in words, and whether it was met; of the others nothing is."""
    said = []
    for method in [name for name in OURS if name in found]:
        got = dict(found[method])
        if got["a"] is not None and "photodrag" in found:
            got["a more"] = got["a"] - found["photodrag"]["a"]
        for name, most in ASKED[method].items():
            if name in got:
                good = got[name] is not None and got[name] <= most
                said.append((f"{method}: {name} {shown(got[name])} (≤ {most:g})", good))
        said.append((f"{method}: {got['lost']} faces lost (0)", got["lost"] == 0))
        if W in found:
            least = AS_OFTEN * found[W]["moved"]
            said.append((f"{method}: {got['moved']:.3f} of the drags succeed (≥ {least:.3f})", got["moved"] >= least))
    ours = lines.get(OURS[1])
    for peer in [name for name in lines if name not in OURS] if ours else []:
        above = [time for time, far in lines[peer].items() if time not in ours or ours[time] > far]
        said.append((f"{OURS[1]}: nearer than {peer} at every time" + (f" but {above} s" if above else ""), not above))
    return said


def table(found: dict[str, dict]) -> str:
    lines = ["method".ljust(16) + "".join(head.rjust(WIDTH) for head in HEADS)]
    for method, row in found.items():
        cells = ["–" if row[head] is None else form.format(row[head]) for head, form in HEADS.items()]
        lines.append(method.ljust(16) + "".join(cell.rjust(WIDTH) for cell in cells))
    return "\n".join(lines)


def curve_table(lines: dict[str, dict[float, float]]) -> str:
    wide = max(WIDTH, *(len(method) + 2 for method in lines))
    text = ["seconds".ljust(WIDTH) + "".join(method.rjust(wide) for method in lines)]
    for time in sorted({time for line in lines.values() for time in line}):
        text.append(f"{time:g}".ljust(WIDTH) + "".join(shown(line.get(time)).rjust(wide) for line in lines.values()))
    return "\n".join(text)


def shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
