"""What became of a photo: its edit, and how that came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from photodrag.drag import DragState
from photodrag.drag.methods import DEFAULT
from photodrag.drag.state import LIMIT, STOPPED
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.outcome import doubts, way_of
from photodrag.pipeline.editing.restyling import Restyled
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.faces.resample import remapped
from photodrag.pipeline.photos.notebook import pictures_html
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.samples import Deep
from photodrag.pipeline.photos.write import output_of, write_output

REMAP_ROWS = 30_000
"""Of a picture that OpenCV reads in one go, at most."""


@dataclass(frozen=True)
class Handle:
    """What became of one handle, (x, y) in photo pixels."""

    start: tuple[float, float]
    target: tuple[float, float]
    reached: tuple[float, float]
    """Where it lies in the picture: by its landmarks, for one on a contour of the face, or else by tracking."""
    left: float
    """Distance from there to the target."""
    on_lid: bool = False
    """Whether it lies on a lid, of which landmarks hardly see how far it has opened."""


@dataclass(frozen=True, eq=False)
class Edit:
    """An edited photo and how it came about."""

    photo: Photo
    picture: np.ndarray
    """uint8 RGB [H, W, 3], of the photo's size."""
    changed: np.ndarray
    """bool [H, W]: elsewhere the picture is the photo."""
    inversion: Inversion | None
    """None where no generator drew anything (`Plan.by_photo_alone`), so there is no code either."""
    face: Face | None
    """None where a square was edited."""
    alignment: Alignment
    """Of the crop."""
    w_plus: Tensor | None
    """[1, num_ws, w_dim], after the drag; before it: inversion.w_plus."""
    edited_crop: np.ndarray | None
    """uint8 RGB [R, R, 3], the generator's picture of w_plus."""
    flow: np.ndarray
    """float32 [S, S, 2], where each pixel of the crop, at that side, came from: offsets (x, y) in these pixels."""
    handles: list[Handle]
    stop_reason: str
    """Where all handles are landmarks, by where the picture has them."""
    steps: int
    identity: float | None
    """Distance of dlib's descriptors between the photo and the picture, under 0.6 for the same person; None where
    a square was edited."""
    faces: int | None
    """How many the photo shows; None where nobody looked."""
    seconds: dict[str, float]
    """A stage."""
    stray: float | None = None
    """How far parts of the face that were to stay moved, in parts of its width; None for a head or a square."""
    share: float = 1.0
    """How much of it was made: less than 1 where all of it would spoil the face, or be somebody else's."""
    person: str | None = None
    """Whose face it is, if somebody's who was learned."""
    exemplars: Mapping[str, str] = field(default_factory=dict)
    """Which of the person's other photos, by name, shows what of the face (see exemplars.REGIONS)."""
    states: tuple[DragState, ...] = ()
    """Of the drag, from the first to the one whose w_plus is this edit's."""
    method: str = DEFAULT
    """Of dragging, one of `drag.methods.METHODS`."""
    deep: Deep | None = None
    """What a 16-bit photo became, before it was rounded to the picture."""
    restyled: Restyled | None = None
    """What became of the photo by another code, before it was dragged; None where the code stayed its own."""

    def save(self, path: str | PathLike, keep_video: bool = False) -> list[str]:
        """Write the picture, whole or not at all, with the photo's own samples where nothing changed. Gives what of the
        photo's file it is without, in words. keep_video: leave a motion photo's video, which shows the old face."""
        return write_output(self.photo, self.picture, self.changed, Path(path), self.deep, self.came_from, keep_video)

    def file(self, name: str) -> tuple[bytes, list[str]]:
        """What `save` would write in a file of that name, and what that is without."""
        return output_of(self.photo, self.picture, self.changed, name, self.deep, self.came_from)

    @property
    def doubts(self) -> Sequence[str]:
        """Why the picture may be spoilt, whatever the identity distance; none where no figure speaks for it. That the
        points came less far says nothing where somebody stopped them, or only some of the way was made."""
        cut = self.share < 1 or self.stop_reason in (LIMIT, STOPPED)
        seen = [handle for handle in self.handles if not handle.on_lid]
        ends = [np.array([getattr(handle, end) for handle in seen]) for end in ("start", "target", "reached")]
        return doubts(1.0 if cut else way_of(*ends), self.stray)

    def came_from(self, points: np.ndarray) -> np.ndarray:
        """How far off points [N, 2] of the picture, (x, y) in its pixels, were in the photo: offsets [N, 2]."""
        alignment = replace(self.alignment, size=len(self.flow))
        places = alignment.to_crop(points).astype(np.float32)
        rows = np.array_split(places, max(1, -(-len(places) // REMAP_ROWS)))
        at = [row.T[:, :, None] for row in rows]
        read = [remapped(self.flow, x, y, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)[:, 0] for x, y in at]
        return alignment.to_photo(np.concatenate(read)) - alignment.to_photo(np.zeros(2))

    def _repr_html_(self) -> str:
        """For notebooks."""
        return pictures_html({"before": self.photo.srgb, "after": self.photo.to_srgb(self.picture)})
