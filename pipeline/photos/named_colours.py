"""Colours that a file names by numbers (ITU-T H.273), as HEIC and AVIF do, told as other files tell them."""

from dataclasses import replace

from photodrag.pipeline.photos.colours import HLG, PQ, SRGB, profile_of
from photodrag.pipeline.photos.metadata import Metadata
from photodrag.pipeline.photos.png_file import Chunk, said_by


def with_named_colours(
    metadata: Metadata, mode: str, primaries: int, transfer: int
) -> tuple[Metadata, tuple[Chunk, ...] | None]:
    """Metadata with the profile of the colours that were named, if there is none yet, and what a PNG says of a picture
    of HDR, whose brightness no profile tells; None of others.

    primaries, transfer: the numbers of these characteristics; those that aren't known count as sRGB's."""
    hdr = transfer in (PQ, HLG)
    plain = (primaries, transfer) in SRGB or mode.startswith("L")  # no grey picture takes a profile of RGB
    profile = None if metadata.icc_profile or plain else profile_of(primaries, transfer)
    if profile is None and not (hdr and metadata.icc_profile is None):
        return metadata, None
    metadata = replace(metadata, icc_profile=profile)
    return metadata, said_by(metadata, bytes((primaries, transfer, 0, 1))) if hdr else None
