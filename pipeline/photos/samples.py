"""A picture's own samples, and the 8-bit RGB view of them that everything else works on.

A mode names how samples are kept: "L", "LA", "RGB", "RGBA" and "CMYK" are uint8, "L;16", "RGB;16" and "RGBA;16" are
uint16. Grey is [H, W], the others are [H, W, C]. Modes that can't take a new colour (1 bit, palette) are widened when
a photo is read; the values of their pixels stay what they were.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photodrag.pipeline.photos.fill import filled_from_nearest
from photodrag.pipeline.photos.inks import Inks
from photodrag.pipeline.photos.window import window_of
from photodrag.weights import UserError

WIDER = {"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}
Scalar = TypeVar("Scalar", bound=np.generic)
LUMA = np.array([19595, 38470, 7471], np.float32) / 65536
TO_8_BIT = ((np.arange(65536) + 128) // 257).astype(np.uint8)


def from_image(image: Image.Image, name: object) -> tuple[str, np.ndarray]:
    """The mode and the samples of a decoded Pillow image; a transparent colour becomes an alpha channel.

    Raises UserError, naming `name`, for floating-point samples, integers beyond 16 bits and LAB colours."""
    transparent = image.info.get("transparency")
    if image.mode.startswith("I"):
        return _from_integers(np.asarray(image), transparent, name)
    if image.mode == "1":
        image = image.convert("L")  # keeps info["transparency"], whose 1 has become 255
        transparent = None if transparent is None else 255 * bool(transparent)
        image.info["transparency"] = transparent
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("L", "RGB") and transparent is not None:
        image = image.convert(image.mode + "A" if image.mode == "L" else "RGBA")
    elif image.mode in WIDER:
        image = image.convert(WIDER[image.mode])
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        kind = {"F": "floating-point samples", "LAB": "LAB colours"}.get(image.mode, f"{image.mode} samples")
        raise UserError(f"{name} holds {kind}, which cannot be edited here: save it as a PNG or TIFF of 8 or 16 bits.")
    return image.mode, np.array(image)


def _from_integers(values: np.ndarray, transparent: int | None, name: object) -> tuple[str, np.ndarray]:
    if values.dtype.itemsize > 2 and not 0 <= values.min() <= values.max() <= 65535:
        raise UserError(f"{name} holds integers beyond 16 bits: save it as a PNG or TIFF of 8 or 16 bits.")
    values = values.astype(np.uint16)
    if transparent is None:
        return "L;16", values
    alpha = np.where(values == transparent, 0, 65535).astype(np.uint16)
    return "RGBA;16", np.dstack([values, values, values, alpha])


def to_image(mode: str, native: np.ndarray) -> Image.Image:
    """The Pillow image of samples in a mode that Pillow has, so not "RGB;16" nor "RGBA;16"."""
    mode = "I;16" if mode == "L;16" else mode
    height, width = native.shape[:2]
    return Image.frombuffer(mode, (width, height), np.ascontiguousarray(native), "raw", mode, 0, 1)


def rgb(mode: str, native: np.ndarray, inks: Inks | None = None) -> np.ndarray:
    """uint8 [H, W, 3]: the colours, alpha left out; 16-bit samples rounded, CMYK as its inks show it, without them as
    Pillow does. Where nothing shows, for alpha is 0, they are the nearest that show, whatever the file has hidden."""
    return _with_hidden_filled(mode, native, _rgb(mode, native, inks))


def _with_hidden_filled(mode: str, native: np.ndarray, colours: np.ndarray) -> np.ndarray:
    opacity = alpha(mode, native)
    return colours if opacity is None else filled_from_nearest(colours, opacity == 0)


def _rgb(mode: str, native: np.ndarray, inks: Inks | None = None) -> np.ndarray:
    if inks is not None:
        return inks.shown(native)
    if mode == "CMYK":
        return np.array(to_image(mode, native).convert("RGB"))
    if native.ndim == 2:
        colour = np.repeat(native[..., None], 3, axis=2)
    else:
        colour = np.repeat(native[..., :1], 3, axis=2) if mode == "LA" else native[..., :3]
    return TO_8_BIT[colour] if colour.dtype == np.uint16 else np.ascontiguousarray(colour)


def alpha(mode: str, native: np.ndarray) -> np.ndarray | None:
    """uint8 [H, W], 255 where opaque; None when the mode has no alpha."""
    if mode not in ("LA", "RGBA", "RGBA;16"):
        return None
    values = native[..., -1]
    return TO_8_BIT[values] if values.dtype == np.uint16 else np.ascontiguousarray(values)


Region = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole photo pixels; x1 and y1 are one past the last."""


@dataclass(frozen=True, eq=False)
class Deep:
    """New colours of a part of a picture, finer than 8 bits: float32 [h, w, 3], 0 … 255, of the pixels x0 … x1 - 1 and
    y0 … y1 - 1."""

    region: Region
    colours: np.ndarray


def deep_rgb(mode: str, native: np.ndarray) -> np.ndarray | None:
    """The colours of 16-bit samples as `rgb` has them, but not rounded: float32 [H, W, 3], 0 … 255; None for 8 bits."""
    if native.dtype != np.uint16:
        return None
    colours = np.repeat(native[..., None], 3, axis=2) if native.ndim == 2 else native[..., :3]
    return _with_hidden_filled(mode, native, colours.astype(np.float32) / 257)


def with_edit(
    mode: str,
    native: np.ndarray,
    pixels: np.ndarray,
    edited: np.ndarray,
    changed: np.ndarray,
    deep: Deep | None = None,
    inks: Inks | None = None,
) -> np.ndarray:
    """A copy of the samples in which the edit is done.

    native: samples in `mode`; pixels: uint8 [H, W, 3], their RGB view; edited: the same with new colours;
    changed: bool [H, W]. A sample differs from `native` only where `changed` is True, the colour is a new one, and it
    shows. deep: of 16-bit samples, the new colours of all that changed; without it the difference of the 8-bit ones is
    added. inks: those of CMYK, if they are known.
    """
    opacity = alpha(mode, native)
    changed = changed if opacity is None else changed & (opacity > 0)
    if deep is not None and native.dtype == np.uint16:
        return _with_deep(native, changed, deep)
    native = native.copy()
    if (window := window_of(changed)) is None:
        return native
    pixels, edited, part = pixels[window], edited[window], native.reshape(*native.shape[:2], -1)[window]
    where = changed[window] & differ(edited, pixels)
    if mode in ("RGB", "RGBA"):
        np.copyto(part[..., :3], edited, where=where[..., None])
        return native
    new, old = edited[where], pixels[where]
    if mode == "CMYK":
        part[where] = inks.of(new, part[where]) if inks else _plain_inks(new, part[where][:, 3:])
    elif mode in ("L", "LA"):
        part[where, 0] = luma(new)
    else:  # 16 bits: the difference is scaled and added, so what lies below an 8-bit step stays
        if mode == "L;16":
            new, old = luma(new)[:, None], old[:, :1]
        step = (new.astype(np.int32) - old) * 257
        part[where, : new.shape[1]] = (part[where][:, : new.shape[1]] + step).clip(0, 65535)
    return native


def _with_deep(native: np.ndarray, changed: np.ndarray, deep: Deep) -> np.ndarray:
    native = native.copy()
    x0, y0, x1, y1 = deep.region
    where, colours = changed[y0:y1, x0:x1], deep.colours
    if native.ndim == 2:
        colours = colours @ LUMA[:, None]
    part = native.reshape(*native.shape[:2], -1)[y0:y1, x0:x1]
    part[where, : colours.shape[2]] = (colours[where] * 257).round().clip(0, 65535)
    return native


def differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where samples [H, W] or [H, W, C] differ: bool [H, W]. Channel by channel: eight times as fast as NumPy's any."""
    if a.ndim == 2:
        return a != b
    where = a[..., 0] != b[..., 0]
    for channel in range(1, a.shape[2]):
        where |= a[..., channel] != b[..., channel]
    return where


def luma(colours: np.ndarray) -> np.ndarray:
    """uint8 [...], the ITU-R 601 luma of uint8 [..., 3], rounded as Pillow does (Convert.c, `L24`)."""
    r, g, b = np.moveaxis(colours.astype(np.uint32), -1, 0)
    return ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16).astype(np.uint8)


def _plain_inks(colours: np.ndarray, black: np.ndarray) -> np.ndarray:
    """CMYK uint8 [N, 4] of colours [N, 3]: the old black [N, 1] stays as far as the colour allows, so that an edit
    meets its surroundings in the same inks, however a colour profile shows them."""
    colours = colours.astype(np.float32)
    light = np.maximum(255 - black.astype(np.float32), colours.max(axis=1, keepdims=True))
    inks = 255 - 255 * colours / np.maximum(light, 1)
    return np.concatenate([inks, 255 - light], axis=1).round().astype(np.uint8)


def convert(mode: str, native: np.ndarray, target: str, inks: Inks | None = None) -> np.ndarray:
    """The samples in another mode: uint8, of the kinds "L", "RGB" and "RGBA". inks: as for `rgb`."""
    if target == mode:
        return native
    colours, opacity = _rgb(mode, native, inks), alpha(mode, native)
    if target == "RGBA":
        if opacity is None:
            raise ValueError(f"samples of mode {mode} have no alpha channel")
        return np.dstack([colours, opacity])
    return np.ascontiguousarray(colours[..., 0]) if target == "L" else colours


def turned(native: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """The array [H, W, ...] turned and mirrored as EXIF's orientation (1 … 8) asks; others leave it."""
    across = native.swapaxes(0, 1)
    views = {
        2: native[:, ::-1],
        3: native[::-1, ::-1],
        4: native[::-1],
        5: across,
        6: across[:, ::-1],
        7: across[::-1, ::-1],
        8: across[::-1],
    }
    return np.ascontiguousarray(views.get(orientation, native))


def turned_back(native: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """What `turned` with the same orientation makes this array of: a quarter goes the other way, all else undoes
    itself."""
    return turned(native, {6: 8, 8: 6}.get(orientation, orientation))
