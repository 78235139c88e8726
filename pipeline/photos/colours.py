"""What a photo's colours mean: to sRGB, which the networks, the finding of faces and the identity figure are shown, and
back, by Little CMS.

A PNG says it in cICP, which goes before a profile, or in gAMA and cHRM, which go after one (PNG Specification, third
edition, 4.3). HDR's curves are taken to sRGB's range for what is shown, above SDR's white ever more gently (Reinhard et
al. 2002, their equation 4)."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from photodrag.pipeline.photos.colour_profile import SRGB_CURVE, V, matrix_profile
from photodrag.pipeline.photos.png_file import Chunk

ALIKE = 3
"""Levels by which a space may differ from sRGB that counts as it."""
D65 = (0.3127, 0.3290)
PRIMARIES = {
    1: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *D65),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *D65),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *D65),
}
"""x and y of red, green, blue and white, by cICP's numbers (ITU-T H.273): BT.709, BT.2020, Display P3."""
NAMES = {1: "BT.709", 9: "BT.2020", 12: "Display P3"}
SRGB = {(1, 1), (1, 2), (1, 6), (1, 13)}
"""Both numbers, where the colours are shown as sRGB's; BT.709's curve is a camera's, not a screen's."""
PQ, HLG = 16, 18
WHITE, PEAK = 203.0, 1000.0
"""cd/m², of a screen: of SDR's white in HDR (ITU-R BT.2408), and the brightest that is told apart."""
GAMMA_UNIT = 100_000
DATE, MADE = slice(24, 36), struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
"""Where a profile says when it was made, and what is said there instead of now."""
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC


@dataclass(frozen=True)
class ColourSpace:
    """Of RGB samples, or of grey ones ("L"). profile: the bytes of an ICC profile."""

    profile: bytes
    mode: str

    def to_srgb(self, picture: np.ndarray) -> np.ndarray:
        """uint8 RGB [H, W, 3] in this space, as sRGB."""
        return self._applied(picture, _transforms(self.profile, self.mode)[0])

    def from_srgb(self, picture: np.ndarray) -> np.ndarray:
        """uint8 sRGB [H, W, 3] in this space."""
        return self._applied(picture, _transforms(self.profile, self.mode)[1])

    def _applied(self, picture: np.ndarray, transform: ImageCms.ImageCmsTransform) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(picture[..., 0] if transform.input_mode == "L" else picture))
        done = np.asarray(ImageCms.applyTransform(image, transform))
        return np.repeat(done[..., None], 3, 2) if done.ndim == 2 else done


def space_of(mode: str, profile: bytes | None, chunks: Iterable[Chunk] = ()) -> ColourSpace | None:
    """The space of a photo's samples, in a mode of `samples`; None where that is sRGB, is not told, or is one of ink.

    chunks: what a PNG says."""
    said = {chunk.kind: chunk.data for chunk in chunks}
    profile = _of_code_points(said.get(b"cICP")) or profile
    if profile is None and b"sRGB" not in said:
        profile = _of_gamma(said.get(b"gAMA"), said.get(b"cHRM"))
    if profile is None or mode == "CMYK":
        return None
    for kind in ("L", "RGB") if mode.startswith("L") else ("RGB",):
        try:
            _transforms(profile, kind)
        except (ImageCms.PyCMSError, OSError, ValueError):  # damaged, or of other samples
            continue
        space = ColourSpace(profile, kind)
        steps = np.arange(0, 256, 51).astype(np.uint8)
        grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
        grid = grid if kind == "RGB" else np.repeat(grid[..., :1], 3, 2)
        return None if np.abs(space.to_srgb(grid).astype(int) - grid).max() <= ALIKE else space
    return None


@lru_cache(maxsize=8)
def _transforms(profile: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform, ImageCms.ImageCmsTransform]:
    own = ImageCms.ImageCmsProfile(BytesIO(profile))
    there = ImageCms.buildTransform(own, _srgb(), mode, "RGB", _INTENT)
    return there, ImageCms.buildTransform(_srgb(), own, "RGB", mode, _INTENT)


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """An ICC profile of sRGB: some 600 bytes, always the same ones."""
    made = _srgb().tobytes()
    return made[: DATE.start] + MADE + made[DATE.stop :]


def profile_of(primaries: int, transfer: int) -> bytes | None:
    """A profile of RGB whose primaries and transfer characteristics have these numbers (ITU-T H.273); None where the
    first isn't known. Of HDR, one by which it can be shown."""
    if primaries not in PRIMARIES:
        return None
    curve, named = CURVES.get(transfer, (SRGB_CURVE, ""))
    return matrix_profile(NAMES[primaries] + named, PRIMARIES[primaries], curve)


def _of_code_points(code_points: bytes | None) -> bytes | None:
    if code_points is None or len(code_points) != 4:
        return None
    return profile_of(code_points[0], code_points[1])


def _of_gamma(gamma: bytes | None, chromaticities: bytes | None) -> bytes | None:
    if gamma is None or len(gamma) != 4 or not (value := int.from_bytes(gamma, "big")):
        return None
    primaries: Sequence[float] = PRIMARIES[1]
    if chromaticities is not None and len(chromaticities) == 32:
        white, *colours = np.frombuffer(chromaticities, ">u4").reshape(4, 2) / GAMMA_UNIT
        primaries = [float(value) for pair in (*colours, white) for value in pair]
    if min(primaries[1::2]) <= 0:
        return None
    try:
        return matrix_profile("gAMA", primaries, V ** (GAMMA_UNIT / value))
    except np.linalg.LinAlgError:
        return None


def _pq(v: np.ndarray) -> np.ndarray:
    """The light [cd/m²] of values 0 … 1 (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = v ** (1 / m2)
    return 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _hlg(v: np.ndarray) -> np.ndarray:
    """The light [cd/m²] of grey values 0 … 1 on a screen of 1000 (ITU-R BT.2100)."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.where(v <= 0.5, v**2 / 3, (np.exp((v - c) / a) + b) / 12)
    return 1000 * scene**1.2


def _shown(light: np.ndarray) -> np.ndarray:
    """Light [cd/m²] as sRGB's of 0 … 1."""
    light, most = light / WHITE, PEAK / WHITE
    return np.clip(light * (1 + light / most**2) / (1 + light), 0, 1)


CURVES = {
    4: (V**2.2, ", gamma 2.2"),
    5: (V**2.8, ", gamma 2.8"),
    8: (V, ", linear"),
    PQ: (_shown(_pq(V)), ", PQ as it is shown"),
    HLG: (_shown(_hlg(V)), ", HLG as it is shown"),
}
"""The light of each of V and what is said of it, by the number of the transfer characteristics; others are sRGB's."""
