"""A plot of curves over logarithmic axes, drawn with Pillow, which is there already."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]

SIZE = (1000, 620)
FINE = 3
"""How much larger it is drawn, and then averaged down: Pillow's lines have no soft edges."""
LEFT, RIGHT, TOP, BOTTOM = 92, 210, 52, 70
"""Margins, in px; the lines' names stand in the right one."""
INK, PALE, GRID = (45, 45, 50), (110, 110, 118), (226, 226, 230)
COLOURS = ((120, 120, 120), (0, 158, 115), (204, 121, 167), (0, 114, 178), (213, 94, 0), (230, 159, 0), (86, 180, 233))
"""Told apart by the colour-blind, too (Okabe & Ito)."""


def plot(lines: dict[str, list[Point]], ends: dict[str, float], title: str, x_name: str, y_name: str) -> np.ndarray:
    """Lines through points (x, y), both above 0, with logarithmic axes: uint8 RGB. A line is thin from its x in
    `ends` on, where there is a dot: what it has come to stays."""
    xs, ys = (np.array([point[i] for points in lines.values() for point in points]) for i in (0, 1))
    axes = Axes((xs.min(), xs.max()), (ys.min() / 1.15, ys.max() * 1.15))
    picture = Image.new("RGB", (SIZE[0] * FINE, SIZE[1] * FINE), "white")
    pen = Pen(ImageDraw.Draw(picture))
    draw_frame(pen, axes, title, x_name, y_name)
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        end = ends.get(name, math.inf)
        until, after = [p for p in points if p[0] <= end], [p for p in points if p[0] >= end]
        pen.line([axes(p) for p in (until[-1:] + after)], mixed(colour), 1.5)
        pen.line([axes(p) for p in until], colour, 3)
        for point in [p for p in points if p[0] == end]:
            pen.dot(axes(point), colour, 5)
    last = {name: axes(points[-1]) for name, points in lines.items()}
    names = apart({name: y for name, (_, y) in last.items()}, 22)
    for (name, y), colour in zip(names.items(), COLOURS, strict=False):
        x = SIZE[0] - RIGHT
        pen.line([(x + 4, last[name][1]), (x + 14, y)], mixed(colour), 1)
        pen.text((x + 18, y), name, colour, 17, "lm")
    return np.array(picture.resize(SIZE, Image.Resampling.BOX))


class Axes:
    """From (x, y) to px, both logarithmic, y upward."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]):
        self.x, self.y = x, y

    def __call__(self, point: Point) -> Point:
        across, up = (self.share(value, span) for value, span in zip(point, (self.x, self.y), strict=True))
        return LEFT + across * (SIZE[0] - LEFT - RIGHT), SIZE[1] - BOTTOM - up * (SIZE[1] - TOP - BOTTOM)

    @staticmethod
    def share(value: float, span: tuple[float, float]) -> float:
        low, high = span
        return math.log(value / low) / math.log(high / low) if high > low else 0.5


class Pen:
    """Draws in px of the finished picture."""

    def __init__(self, draw: ImageDraw.ImageDraw):
        self.draw = draw

    def line(self, points: list[Point], colour: tuple[int, int, int], width: float) -> None:
        if len(points) > 1:
            fine = [(x * FINE, y * FINE) for x, y in points]
            self.draw.line(fine, colour, round(width * FINE), joint="curve")

    def dot(self, at: Point, colour: tuple[int, int, int], radius: float) -> None:
        self.draw.circle((at[0] * FINE, at[1] * FINE), radius * FINE, colour)

    def text(self, at: Point, text: str, colour: tuple[int, int, int], size: float, anchor: str) -> None:
        self.draw.text((at[0] * FINE, at[1] * FINE), text, colour, ImageFont.load_default(size * FINE), anchor)


def draw_frame(pen: Pen, axes: Axes, title: str, x_name: str, y_name: str) -> None:
    right, bottom = SIZE[0] - RIGHT, SIZE[1] - BOTTOM
    for value in ticks(*axes.x):
        x, _ = axes((value, axes.y[0]))
        pen.line([(x, TOP), (x, bottom)], GRID, 1)
        pen.text((x, bottom + 9), f"{value:g}", PALE, 15, "mt")
    for value in ticks(*axes.y):
        _, y = axes((axes.x[0], value))
        pen.line([(LEFT, y), (right, y)], GRID, 1)
        pen.text((LEFT - 9, y), f"{value:g}", PALE, 15, "rm")
    pen.line([(LEFT, TOP), (LEFT, bottom), (right, bottom)], INK, 1.5)
    pen.text((LEFT, TOP - 22), f"{title}: {y_name}", INK, 18, "lm")
    pen.text(((LEFT + right) / 2, bottom + 48), x_name, INK, 16, "mm")


def ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten between low and high."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    return [value for value in values if low <= value <= high]


def apart(places: dict[str, float], least: float) -> dict[str, float]:
    """The same places, moved as little as it takes for each to be `least` from the next one, in the same order."""
    order = sorted(places, key=places.get)
    moved = [places[name] for name in order]
    for _ in range(100):
        for i in range(len(moved) - 1):
            lack = (least - (moved[i + 1] - moved[i])) / 2
            if lack > 0:
                moved[i], moved[i + 1] = moved[i] - lack, moved[i + 1] + lack
    return {name: dict(zip(order, moved, strict=True))[name] for name in places}


def mixed(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Half-way to white."""
    return tuple((part + 255) // 2 for part in colour)
