"""The formats that are written, and which of a photo's samples each can hold."""

from dataclasses import dataclass
from pathlib import Path

from PIL import features

from photodrag.pipeline.photos.jxl import can_jxl
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights import UserError


@dataclass(frozen=True)
class Format:
    """name: Pillow's; modes: those it can hold exactly as `samples` has them; side: its limit, in pixels."""

    name: str
    modes: tuple[str, ...]
    side: int = 2**31 - 1


PNG = Format("PNG", ("L", "LA", "RGB", "RGBA", "L;16", "RGB;16", "RGBA;16"))
TIFF = Format("TIFF", (*PNG.modes, "CMYK"))
JPEG = Format("JPEG", ("L", "RGB", "CMYK"), 65500)
WEBP = Format("WEBP", ("RGB", "RGBA"), 16383)
BMP = Format("BMP", ("L", "RGB"))
AVIF = Format("AVIF", ("L", "RGB", "RGBA"), 65536)
JXL = Format("JXL", ("L", "RGB", "RGBA"), 2**30)
FORMATS = {".png": PNG, ".jpg": JPEG, ".jpeg": JPEG, ".tif": TIFF, ".tiff": TIFF, ".webp": WEBP, ".avif": AVIF}
FORMATS |= {".bmp": BMP, ".jxl": JXL}
NOT_WRITTEN = {
    ".heic": "HEIC is not written, for its encoders are patented: end its name in .avif, which is as small, or in .jpg",
    ".dng": "a camera's raw file is not written: end its name in .tif, for 16 bits, or in .jpg",
}
NOT_WRITTEN[".heif"] = NOT_WRITTEN[".heic"]


def format_of(path: Path, photo: Photo) -> Format:
    """The format that the extension names. Raises UserError for others, and for a photo too large for it."""
    kind = FORMATS.get(path.suffix.lower())
    if why := NOT_WRITTEN.get(path.suffix.lower()):
        raise UserError(f"{path}: {why}.")
    if kind is None:
        raise UserError(f"{path} does not say what format to write: end its name in {', '.join(FORMATS)}.")
    if kind is JXL and not can_jxl():
        raise UserError(f"{path}: pip install 'photodrag[jxl]' to have JPEG XL written, or end its name in .png.")
    if kind is AVIF and not features.check("avif"):
        raise UserError(f"{path}: AVIF can't be written here, for this Pillow lacks it: end its name in .png or .jpg.")
    if max(photo.width, photo.height) > kind.side:
        raise UserError(f"{path}: {kind.name} holds at most {kind.side:,} pixels a side: end its name in .png or .tif.")
    return kind


def stored_mode(photo: Photo, kind: Format) -> str:
    """The mode in which a format keeps a photo: its own if it can. Raises UserError if transparency would be lost."""
    eight = photo.mode.removesuffix(";16")
    choices = [photo.mode, eight]
    if photo.alpha is not None:
        choices.append("RGBA")
    if photo.alpha is None or photo.alpha.min() == 255:
        choices += [eight.removesuffix("A"), "RGB"]
    for mode in choices:
        if mode in kind.modes:
            return mode
    raise UserError(f"{photo.path} is transparent in places, which no {kind.name} can be: name a .png, .webp or .tif.")


def colours_of(mode: str) -> str:
    """Of which kind the samples of a mode are, for whoever has a profile of them."""
    return mode if mode == "CMYK" else mode[:1]
