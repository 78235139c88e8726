"""The bytes of a picture file in each of the formats that are written, with what a photo's file says of it."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from photodrag.pipeline.photos import exif, jpeg_file, jpeg_metadata, png_file, samples, sixteen_bit
from photodrag.pipeline.photos.jxl import encode_jxl
from photodrag.pipeline.photos.metadata import Metadata
from photodrag.pipeline.photos.output_formats import AVIF, JPEG, JXL, PNG, TIFF, WEBP, Format, colours_of
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.resolution import with_resolution_in_exif
from photodrag.pipeline.photos.tiff import encode_tiff

XMP_SEGMENT = jpeg_file.LARGEST - len(jpeg_metadata.XMP)


def encode(kind: Format, mode: str, native: np.ndarray, photo: Photo) -> bytes:
    """The bytes of a file of that format, with the photo's metadata, for samples in one of the format's modes."""
    metadata = metadata_for(photo, mode)
    if kind is TIFF:
        return encode_tiff(mode, native, metadata, photo.tiff if colours_of(mode) == colours_of(photo.mode) else None)
    if kind in (WEBP, AVIF, JXL):
        metadata = with_resolution_in_exif(metadata)
    if kind is JXL:
        return encode_jxl(native, metadata)
    if photo.chunks is not None and keeps_chunks(photo, kind, mode):
        return png_file.with_chunks(_png(mode, native, {}), photo.chunks)
    options: dict[str, Any] = {name: getattr(metadata, name) for name in ("icc_profile", "exif", "xmp", "dpi")}
    if kind is JPEG:
        if len(metadata.exif or b"") > jpeg_file.LARGEST:
            del options["exif"]
        if len(metadata.xmp or b"") > XMP_SEGMENT:
            del options["xmp"]
        options |= _jpeg_options(photo)
        if metadata.iptc:
            options["extra"] = jpeg_metadata.iptc_segment(metadata.iptc)
    elif kind is WEBP:
        options |= {"lossless": True, "exact": True, "quality": 50}  # here quality is effort
    elif kind is AVIF:
        # Pillow writes EXIF anew if it tells an orientation; 95 is finer than a JPEG's.
        block = exif.without((metadata.exif or b"").removeprefix(exif.PREFIX), exif.ORIENTATION)
        sampling = "4:0:0" if mode == "L" else "4:4:4"
        options |= {"quality": 95, "subsampling": sampling, "speed": 8, "exif": block or None}
        options |= {"advanced": {"alpha:lossless": "1"}} if mode == "RGBA" else {}  # libavif's word to aom
    elif kind is PNG:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        if metadata.xmp:
            options["pnginfo"].add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
        if metadata.iptc:
            options["pnginfo"].add_text(png_file.IPTC_KEY, png_file.iptc_text(metadata.iptc), zip=True)
    options = {name: value for name, value in options.items() if value is not None}
    return _png(mode, native, options) if kind is PNG else _save(samples.to_image(mode, native), kind, options)


def _png(mode: str, native: np.ndarray, options: dict[str, Any]) -> bytes:
    if mode in ("RGB;16", "RGBA;16"):
        return sixteen_bit.png_of_deep(native, _save(Image.new("RGB", (1, 1)), PNG, options))
    return _save(samples.to_image(mode, native), PNG, options)


def keeps_chunks(photo: Photo, kind: Format, mode: str) -> bool:
    """Whether a file of that format, of samples in that mode, is a PNG that says what the photo's file does."""
    return kind is PNG and photo.chunks is not None and colours_of(mode) == colours_of(photo.mode)


def metadata_for(photo: Photo, mode: str) -> Metadata:
    """What the photo's file says, for another file of samples in that mode."""
    metadata = photo.metadata
    if colours_of(mode) != colours_of(photo.mode):  # the profile speaks of other inks
        return replace(metadata, icc_profile=None)
    if photo.colours is not None:  # of a profile, or of what a PNG says besides
        return replace(metadata, icc_profile=photo.colours.profile)
    if any(chunk.kind == b"cICP" for chunk in photo.chunks or ()):  # it went before the profile, and said sRGB
        return replace(metadata, icc_profile=None)
    return metadata


def _save(image: Image.Image, kind: Format, options: dict) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind.name, **options)
    return buffer.getvalue()


def _jpeg_options(photo: Photo) -> dict:
    if photo.jpeg is None or not photo.jpeg.qtables:  # a lossless one has none
        return {"quality": 95, "subsampling": 0}
    coding = photo.jpeg
    return {"qtables": coding.qtables, "subsampling": coding.subsampling, "progressive": coding.progressive}
