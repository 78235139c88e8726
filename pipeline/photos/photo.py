"""A photo: its pixels as a person sees them, and all that is needed to write it back unharmed."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from photodrag.pipeline.photos import png_file, samples
from photodrag.pipeline.photos.colours import ColourSpace, space_of
from photodrag.pipeline.photos.inks import Inks, inks_of
from photodrag.pipeline.photos.jpeg_coding import JpegCoding
from photodrag.pipeline.photos.metadata import Metadata
from photodrag.pipeline.photos.tiff import Base


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, turned as EXIF's orientation says.

    path: where it was read.
    pixels: uint8 [H, W, 3], RGB, without alpha, in the photo's own colour profile; where that is one of inks, sRGB.
    mode, native: the samples as the file keeps them (see `samples`), which an output repeats where nothing changes.
        In the mode "RGB" they are `pixels`: write into neither.
    metadata: colour profile, EXIF, XMP, resolution, without orientation and thumbnail.
    jpeg: how it was compressed, if it is a JPEG.
    instead: the ending of what is written by default, of a file whose own kind is not written.
    chunks: what a PNG says of its picture, for a PNG that is upright, or would say of one of HDR; None of other files.
    tiff: what a TIFF says of its picture; None for other files.
    """

    path: Path
    pixels: np.ndarray
    mode: str
    native: np.ndarray
    metadata: Metadata
    jpeg: JpegCoding | None = None
    instead: str | None = None
    chunks: tuple[png_file.Chunk, ...] | None = None
    tiff: Base | None = None

    @property
    def height(self) -> int:
        """In pixels, as a person sees the photo."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """In pixels, as a person sees the photo."""
        return self.pixels.shape[1]

    @cached_property
    def alpha(self) -> np.ndarray | None:
        """uint8 [H, W], 255 where opaque; None without an alpha channel."""
        return samples.alpha(self.mode, self.native)

    @cached_property
    def colours(self) -> ColourSpace | None:
        """The space of its pixels; None where that is sRGB, or of ink, or not told."""
        return space_of(self.mode, self.metadata.icc_profile, self.chunks or ())

    @cached_property
    def inks(self) -> Inks | None:
        """Those of CMYK samples; None of others, and where no profile tells."""
        return inks_of(self.mode, self.metadata.icc_profile)

    @cached_property
    def srgb(self) -> np.ndarray:
        """The pixels as sRGB, uint8 [H, W, 3], for whatever looks at them."""
        return self.to_srgb(self.pixels)

    def to_srgb(self, picture: np.ndarray) -> np.ndarray:
        """A picture in the photo's space, uint8 [H, W, 3], as sRGB."""
        return picture if self.colours is None else self.colours.to_srgb(picture)

    def from_srgb(self, picture: np.ndarray) -> np.ndarray:
        """A picture in sRGB, uint8 [H, W, 3], in the photo's space."""
        return picture if self.colours is None else self.colours.from_srgb(picture)

    @cached_property
    def deep_pixels(self) -> np.ndarray | None:
        """The pixels of a 16-bit photo before they were rounded: float32 [H, W, 3], 0 … 255; None of other photos."""
        return samples.deep_rgb(self.mode, self.native)

    @cached_property
    def key(self) -> str:
        """SHA-256, in hexadecimal, over the shape, the pixels, and what their colours mean where that isn't sRGB: equal
        for equal pictures, whatever their files."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        digest.update(b"" if self.colours is None else self.colours.profile)
        digest.update(self.pixels.data)
        return digest.hexdigest()
