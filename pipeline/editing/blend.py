"""Blending: the edit goes back into the photo, and the photo's own detail goes along with it.

A face is moved itself (face_layers.py). For all else there is a reconstruction, which is never quite the photo. What
it misses, the residual photo − reconstruction, is carried to where the edit moved it: dense optical flow from the
edit back to the reconstruction says where each pixel came from, and there the photo is read instead of the
reconstruction. Where the edit made something new (teeth in a mouth that was closed), the flow finds no match, and the
edit stands alone. Everything is done on the photo's own pixels, so that nothing is as coarse as the crop; where
nothing moved the result is the photo itself."""

from dataclasses import dataclass

import cv2
import numpy as np

from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.resample import remapped
from photodrag.pipeline.photos.samples import Deep, Region
from photodrag.pipeline.photos.window import window_of

FLOW_SIDE = 512
BLUR = 4
"""Over which a mismatch is averaged, in pixels of a crop of 1024."""
MISMATCH_SCALE = 18.0
"""Grey levels of mismatch at which the residual's weight has fallen to 1/e."""


@dataclass(frozen=True, eq=False)
class Blend:
    """A photo with an edited crop in it."""

    picture: np.ndarray
    """uint8 RGB [H, W, 3]"""
    changed: np.ndarray
    """bool [H, W], where it may differ from the photo."""
    flow: np.ndarray
    """float32 [R, R, 2], where in the crop each pixel of it came from: offsets (x, y) in its pixels."""
    deep: Deep | None = None
    """What a 16-bit photo became, before it was rounded to the picture."""


@dataclass(frozen=True, eq=False)
class Layers:
    """An edited crop as what is drawn and what is read from the photo: rest + weight · photo(x + flow)."""

    rest: np.ndarray
    """float32 [R, R, 3]"""
    weight: np.ndarray
    """float32 [R, R], 0 … 1"""
    flow: np.ndarray
    """float32 [R, R, 2], offsets (x, y) in pixels of the crop."""

    def of(self, crop: np.ndarray) -> np.ndarray:
        """The edited crop itself, float32 [R, R, 3], from the photo's."""
        return self.rest + self.weight[..., None] * warped(crop, self.flow)


@dataclass(frozen=True, eq=False)
class Redrawn:
    """What is added to a photo before it is read, in one region of it."""

    region: Region
    added: np.ndarray
    """float32 [h, w, 3]"""

    def of(self, photo: np.ndarray) -> np.ndarray:
        """The photo, [H, W, 3] of 0 … 255, with that, in its own type."""
        x0, y0, x1, y1 = self.region
        drawn = photo.copy()
        part = (photo[y0:y1, x0:x1] + self.added).clip(0, 255)
        drawn[y0:y1, x0:x1] = part.round() if photo.dtype == np.uint8 else part
        return drawn


def blend(
    pixels: np.ndarray,
    alignment: Alignment,
    layers: Layers,
    alpha: np.ndarray,
    deep: np.ndarray | None = None,
    redrawn: "Redrawn | None" = None,
) -> Blend:
    """Put an edited crop back into its photo.

    pixels: the photo, uint8 RGB [H, W, 3]. alpha: float32 [H, W], 0 … 1, how much of the edit shows; beyond the crop it
    counts as 0. Where it is 0 the photo stays as it is, to the bit. deep: a 16-bit photo's pixels before they were
    rounded, float32 [H, W, 3]; these are then what is moved and blended. redrawn: what is read of it elsewhere than
    it shows."""
    region = bounds_of(alpha, alignment.paste_region(pixels.shape))
    x0, y0, x1, y1 = region
    alpha = alpha[y0:y1, x0:x1] * alignment.covered(region)
    picture, changed, finer = pixels.copy(), np.zeros(pixels.shape[:2], bool), None
    photo = pixels if deep is None else deep
    if alpha.size:
        before = photo[y0:y1, x0:x1].astype(np.float32)
        drawn = alignment.to_region(np.dstack((layers.rest, layers.weight, layers.flow)), region)
        rest, weight, flow = drawn[..., :3], drawn[..., 3:4], drawn[..., 4:]
        moved = alignment.to_photo(flow) - alignment.to_photo(np.zeros(2))  # a vector: turned and scaled only
        edited = rest + weight * _read(redrawn.of(photo) if redrawn else photo, region, moved)
        mixed = before + alpha[..., None] * (edited - before)
        picture[y0:y1, x0:x1] = np.where(alpha[..., None] > 0, mixed.round().clip(0, 255), picture[y0:y1, x0:x1])
        changed[y0:y1, x0:x1] = alpha > 0
        finer = None if deep is None else Deep(region, mixed.clip(0, 255))
    return Blend(picture, changed, layers.flow, finer)


def residual_layers(reconstruction: np.ndarray, edit: np.ndarray, residual_weight: np.ndarray | None = None) -> Layers:
    """The generator's pictures before and after a drag, uint8 RGB [R, R, 3], as layers: the edit with the photo's
    residual. residual_weight: float32 [R, R], 0 … 1, how much of it is carried along from each pixel of the crop; None
    for all of it."""
    flow = backward_flow(reconstruction, edit)
    came_from, new = warped(reconstruction, flow), edit.astype(np.float32)
    mismatch = cv2.GaussianBlur(np.sqrt(((came_from - new) ** 2).mean(2)), (0, 0), BLUR * len(new) / 1024)
    weight = np.exp(-((mismatch / MISMATCH_SCALE) ** 2))
    if residual_weight is not None:
        weight *= warped(residual_weight, flow)
    # edit + weight · (photo − reconstruction), both read where the flow points
    return Layers(new - weight[..., None] * came_from, weight, flow)


def backward_flow(reconstruction: np.ndarray, edit: np.ndarray) -> np.ndarray:
    """For each pixel of the edit, where it came from: float32 [R, R, 2], as an offset (x, y) in pixels.

    Dense inverse search (Kroeger et al., arXiv 1603.03590), as OpenCV has it."""
    side = len(edit)
    a, b = (
        cv2.cvtColor(cv2.resize(x, (FLOW_SIDE, FLOW_SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for x in (edit, reconstruction)
    )
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(a, b, np.empty((0, 0), np.float32))  # no flow to begin with
    flow = cv2.resize(flow, (side, side), interpolation=cv2.INTER_LINEAR)
    return flow * (side / FLOW_SIDE)


def warped(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """A crop, [R, R] or [R, R, C], read at offsets: float32."""
    side = len(picture)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    x, y = x + flow[..., 0], y + flow[..., 1]
    return remapped(picture.astype(np.float32), x, y, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)


def _read(pixels: np.ndarray, region: Region, moved: np.ndarray) -> np.ndarray:
    """The photo read at offsets [h, w, 2] from the region's pixels: float32 [h, w, 3], itself where they are 0."""
    x0, y0, x1, y1 = region
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    height, width = pixels.shape[:2]
    x = np.clip(x + moved[..., 0].astype(np.float32), 0, width - 1)
    y = np.clip(y + moved[..., 1].astype(np.float32), 0, height - 1)
    # Only a window of the photo is read, since remap takes pictures of up to 32,767 pixels a side.
    low = np.maximum([int(x.min()) - 2, int(y.min()) - 2], 0)
    window = pixels[low[1] : int(y.max()) + 4, low[0] : int(x.max()) + 4].astype(np.float32)
    x -= np.float32(low[0])
    y -= np.float32(low[1])
    return remapped(window, x, y, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)


def bounds_of(alpha: np.ndarray, region: Region) -> Region:
    """The part of a region in which alpha isn't 0; empty if there is none."""
    x0, y0, x1, y1 = region
    window = window_of(alpha[y0:y1, x0:x1] > 0)
    if window is None:
        return x0, y0, x0, y0
    rows, columns = window
    return x0 + columns.start, y0 + rows.start, x0 + columns.stop, y0 + rows.stop
