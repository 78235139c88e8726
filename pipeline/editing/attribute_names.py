"""What a network reads in a face, and a code can be moved along: names and amounts. It loads no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from photodrag.pipeline.faces.amounts import checked_amounts


@dataclass(frozen=True)
class Attribute:
    """A control of the code."""

    what: str
    """In words, for positive and negative amounts."""
    direction: str
    """Of `weights.latent.attributes`."""
    sign: int = 1
    """Which way along it."""


ATTRIBUTES = {
    "older": Attribute("An older face; negative: a younger one.", "age"),
    "younger": Attribute("A younger face; negative: an older one.", "age", -1),
    "masculine": Attribute("A face that is more often read as a man's; negative: as a woman's.", "masculine"),
    "feminine": Attribute("A face that is more often read as a woman's; negative: as a man's.", "masculine", -1),
    "happy": Attribute("A happier face; negative: a less happy one.", "happy"),
}
"""As they are shown, most used first."""


def checked(amounts: Mapping[str, float]) -> dict[str, float]:
    """Those that aren't 0. Raises UserError for an attribute or an amount that there isn't."""
    return checked_amounts(amounts, dict.fromkeys(ATTRIBUTES, -1.0), "attribute")


def along(amounts: Mapping[str, float]) -> dict[str, float]:
    """How far amounts of attributes lead along each direction, together; none that they leave. Raises UserError as
    `checked`."""
    ways: dict[str, float] = {}
    for name, amount in checked(amounts).items():
        attribute = ATTRIBUTES[name]
        ways[attribute.direction] = ways.get(attribute.direction, 0.0) + attribute.sign * amount
    return {name: way for name, way in ways.items() if way}


def in_words(names: Iterable[str]) -> str:
    """Names of attributes as options."""
    return ", ".join(f"--{name}" for name in names)
