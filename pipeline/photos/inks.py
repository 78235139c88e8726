"""CMYK: the colours that a profile says its inks make, and inks that make others, by Little CMS."""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

STEPS = 12
"""In which inks are sought."""
SHARE = 0.7
"""Of the way to a colour, were inks plain, that a step goes: they overlap, and spread."""
DEEPEST = 80
"""The light, of 255, beside black ink below which a step grows no longer."""


@dataclass(frozen=True)
class Inks:
    """profile: the bytes of an ICC profile of CMYK."""

    profile: bytes

    def shown(self, inks: np.ndarray) -> np.ndarray:
        """uint8 CMYK [..., 4] (255 is all ink) as uint8 sRGB [..., 3]."""
        flat = np.ascontiguousarray(inks.reshape(1, -1, 4))
        image = Image.frombuffer("CMYK", (flat.shape[1], 1), flat, "raw", "CMYK", 0, 1)
        return np.asarray(ImageCms.applyTransform(image, _to_srgb(self.profile))).reshape(*inks.shape[:-1], 3)

    def of(self, colours: np.ndarray, inks: np.ndarray) -> np.ndarray:
        """uint8 CMYK [N, 4] that show colours, uint8 sRGB [N, 3], as nearly as they can, from the inks [N, 4] that were
        there. Black stays as far as the colour allows, so that an edit meets its surroundings in the same inks.

        Each step adds to the inks what is missing of the colour, were they plain, and the nearest ever is kept. (A
        profile's own way from colours to inks has a black of its own, which no old one would meet.)"""
        now, best = inks.astype(np.float32), inks.copy()
        least = np.full(len(inks), np.inf, np.float32)
        for _ in range(STEPS):
            tried = now.round().astype(np.uint8)
            missing = colours.astype(np.float32) - self.shown(tried)
            far = np.abs(missing).sum(1)
            nearer = far < least
            best[nearer], least[nearer] = tried[nearer], far[nearer]
            if not least.any():
                break
            light = np.maximum(255 - now[:, 3:], DEEPEST)
            now[:, :3] -= SHARE * missing * 255 / light
            # Where none of an ink is too much, black is in the way; where all of it isn't enough, black is missing.
            beyond = np.maximum(now[:, :3].max(1) - 255, 0) - np.maximum(-now[:, :3].min(1), 0)
            now[:, 3] += beyond * light[:, 0] / 255
            now.clip(0, 255, out=now)
        return best


def inks_of(mode: str, profile: bytes | None) -> Inks | None:
    """Those of a photo's samples, in a mode of `samples`; None where it has others, or no profile that can be used."""
    if mode != "CMYK" or profile is None:
        return None
    try:
        _to_srgb(profile)
    except (ImageCms.PyCMSError, OSError, ValueError):  # damaged, or of other samples
        return None
    return Inks(profile)


@lru_cache(maxsize=4)
def _to_srgb(profile: bytes) -> ImageCms.ImageCmsTransform:
    own = ImageCms.ImageCmsProfile(BytesIO(profile))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    how = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.buildTransform(own, srgb, "CMYK", "RGB", *how)
