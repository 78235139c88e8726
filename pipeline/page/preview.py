"""Pictures while something is going on: as the final ones are made, but only as large as they are shown."""

import time

import cv2
import numpy as np
import torch
from torch import Tensor

from photodrag.drag import DragState
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing import masks
from photodrag.pipeline.editing.blend import FLOW_SIDE
from photodrag.pipeline.editing.compositing import Start, blend_in
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.motion import Dragged
from photodrag.pipeline.editing.plan import Plan
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.page.pictures import PASSING, Patch, patch, smaller
from photodrag.pipeline.photos.photo import Photo


class Preview:
    """The part of a photo around a face, small."""

    def __init__(self, photo: Photo, inversion: Inversion, scale: float, side: int = FLOW_SIDE):
        """scale: pixels of the screen to one of the photo; side: of the crop, at most."""
        self._photo, self._generator = photo, inversion.generator
        whole = inversion.alignment
        self._region = x0, y0, x1, y1 = whole.paste_region(photo.pixels.shape)
        self._side = min(side, whole.size)
        scale = min(1.0, scale, self._side / np.hypot(*(whole.quad[3] - whole.quad[0])))
        self._pixels = smaller(photo.pixels[y0:y1, x0:x1], scale)
        scale = self._pixels.shape[1] / (x1 - x0)  # as it was rounded
        self._scale = scale
        self._alignment = Alignment((whole.quad + 0.5 - (x0, y0)) * scale - 0.5, self._side)
        known = inversion.crop.landmarks
        self._landmarks = None if known is None else (known + 0.5) * (self._side / whole.size) - 0.5

    def likeness(self, reconstruction: np.ndarray) -> Patch:
        """The generator's own picture, uint8 RGB [R, R, 3], laid over the photo."""
        picture, alignment = self._reduced(reconstruction), self._alignment
        seam = masks.crop_seam(alignment.inside(self._pixels.shape))
        height, width = self._pixels.shape[:2]
        over = alignment.to_region(np.dstack((picture, seam)), (0, 0, width, height))
        alpha = over[..., 3:].clip(0, 1) * alignment.covered((0, 0, width, height))[..., None]
        mixed = self._pixels + alpha * (over[..., :3] - self._pixels)
        return patch(self._photo, mixed.round().clip(0, 255).astype(np.uint8), self._region, PASSING)

    def start(self, reconstruction: np.ndarray) -> Start:
        """The start of a drag, whose picture by the generator is uint8 RGB [R, R, 3]."""
        return Start(self._alignment, self._reduced(reconstruction), self._landmarks)

    def edit(self, start: Start, state: DragState, plan: Plan, points: np.ndarray) -> Patch:
        """What `put_back` would make of a drag's state, but for the last of the way, which the photo goes alone.
        points [N, 2]: where the handles have come to, in photo pixels."""
        where = plan.mask
        if isinstance(where, np.ndarray):
            x0, y0, x1, y1 = self._region
            where = cv2.resize(where[y0:y1, x0:x1], self._pixels.shape[1::-1], interpolation=cv2.INTER_AREA)
        handles, targets, points = (
            self._alignment.to_crop((places + 0.5 - self._region[:2]) * self._scale - 0.5)
            for places in (plan.handles, plan.targets, points)
        )
        dragged = Dragged(handles, targets, points, finish=0)
        edited = self._picture(state.w_plus) if state.image is None else self._reduced(to_uint8(state.image))
        blended, _ = blend_in(self._pixels, where, start, edited, dragged)
        return patch(self._photo, blended.picture, self._region, PASSING)

    def _reduced(self, picture: np.ndarray) -> np.ndarray:
        """A generator's picture, uint8 RGB [R, R, 3], at the preview's side, in the photo's colours."""
        return self._photo.from_srgb(cv2.resize(picture, (self._side, self._side), interpolation=cv2.INTER_AREA))

    @torch.no_grad()
    def _picture(self, w_plus: Tensor) -> np.ndarray:
        return self._reduced(to_uint8(self._generator.synthesis(w_plus)))


class Pace:
    """Says when a picture is due, so that pictures take a given share of the time and come no faster than `least`."""

    def __init__(self, share: float, least: float = 0.1):
        self._share, self._least = share, least
        self._cost = self._ended = 0.0

    def due(self) -> bool:
        """Whether a picture is."""
        waited = time.monotonic() - self._ended
        return waited >= max(self._least, self._cost * (1 - self._share) / self._share)

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._ended = time.monotonic()
        self._cost = self._ended - self._began
