"""Colours that a file names by numbers (ITU-T H.273), as HEIC and AVIF do, told as other files tell them."""

from dataclasses import replace

from photodrag.pipeline.photos.coded_colours import numbers_of
from photodrag.pipeline.photos.colours import HLG, PQ, SRGB, profile_of
from photodrag.pipeline.photos.item_file import ItemFile
from photodrag.pipeline.photos.metadata import Metadata
from photodrag.pipeline.photos.png_file import Chunk, said_by

LIGHT_LEVELS, MASTERING_DISPLAY = b"clli", b"mdcv"
LIGHTS = {LIGHT_LEVELS, MASTERING_DISPLAY, b"amve", b"cclv", b"reve", b"ndwt"}
"""Properties that tell how bright HDR is meant, and what it was looked at on (ISO 14496-12, 12.1.5 ff.)."""
UNTOLD = "what else was told of HDR's brightness"
FINER = 10_000
"""Of PNG's units in a cd/m²."""


def with_named_colours(metadata: Metadata, mode: str, items: ItemFile) -> tuple[Metadata, tuple[Chunk, ...] | None]:
    """Metadata with the profile of the colours that were named, if there is none yet, and what a PNG says of a picture
    of HDR, whose brightness no profile tells; None of others. Colours whose numbers aren't known count as sRGB's."""
    lights = dict(one for one in items.items[items.primary].properties if one[0] in LIGHTS)
    if metadata.icc_profile:
        return metadata.lacking([UNTOLD] if lights else []), None
    primaries, transfer = numbers_of(items)
    hdr = transfer in (PQ, HLG)
    plain = (primaries, transfer) in SRGB or mode.startswith("L")  # no grey picture takes a profile of RGB
    metadata = replace(metadata, icc_profile=None if plain else profile_of(primaries, transfer))
    if not hdr:
        return metadata.lacking([UNTOLD] if lights else []), None
    told = _lights_of_png(lights)
    metadata = metadata.lacking([UNTOLD] if lights.keys() - told.keys() else [])
    return metadata, (*said_by(metadata, bytes((primaries, transfer, 0, 1))), *told.values())


def _lights_of_png(lights: dict[bytes, bytes]) -> dict[bytes, Chunk]:
    """What PNG has chunks for, which has the primaries in another order, and finer steps of light (PNG Specification,
    third edition, 11.3.2.7 f.)."""
    told: dict[bytes, Chunk] = {}
    if len(levels := lights.get(LIGHT_LEVELS, b"")) >= 4:
        both = (int.from_bytes(levels[at : at + 2], "big") for at in (0, 2))
        told[LIGHT_LEVELS] = Chunk(b"cLLI", b"".join((FINER * one).to_bytes(4, "big") for one in both))
    if len(display := lights.get(MASTERING_DISPLAY, b"")) >= 24:
        green, blue, red, rest = display[:4], display[4:8], display[8:12], display[12:24]
        told[MASTERING_DISPLAY] = Chunk(b"mDCV", red + green + blue + rest)
    return told
