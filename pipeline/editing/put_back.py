"""What a drag came to, put back into the photo, and looked at there."""

from __future__ import annotations

import numpy as np

from photodrag.drag import DragResult, DragSettings
from photodrag.drag.contours import on_contours
from photodrag.drag.state import ARRIVED, LIMIT, STALLED
from photodrag.invert import identity
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing.compositing import drawn, photo_alone, put_in, start_of
from photodrag.pipeline.editing.exemplars import shown_of
from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.editing.openings import from_the_side
from photodrag.pipeline.editing.outcome import stray_of
from photodrag.pipeline.editing.plan import Plan
from photodrag.pipeline.editing.result import Edit, Handle
from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.landmarks import Frame, predict
from photodrag.weights.common.face_landmarks import EYES

LEAST_SHARE = 0.25
"""Of an edit that would spoil the face, how much is made at least."""


def put_back(plan: Plan, inversion: Inversion | None, result: DragResult | None) -> Edit:
    """The edit that a drag, by whichever method, has made of a plan's photo, or both None where it is made by the photo
    alone (`Plan.by_photo_alone`); half of it, or a quarter, where all of it
    would be somebody else, and of a face from the side a quarter. What only its caller knows, the method, the seconds
    and the states on the way, is left at its default."""
    photo = plan.photo
    if inversion is None or result is None:
        start, edited = photo_alone(plan)
        reached, reason, alignment = np.zeros((0, 2)), ARRIVED, start.alignment
    else:
        start, alignment = start_of(plan, inversion), inversion.alignment
        edited = drawn(inversion, result.w_plus) if result.image is None else to_uint8(result.image)
        reached, reason = alignment.to_photo(result.points.cpu().numpy()), result.stop_reason
    stray = None
    share, likeness = LEAST_SHARE if plan.face and from_the_side(plan.face.landmarks) else 1.0, None
    blended, choices = put_in(plan, start, edited, reached, share=share)
    on_face, on_lid = False, np.zeros(len(plan.handles), bool)
    if plan.face:
        known = plan.face.landmarks
        who = identity.descriptor(photo.srgb, known)
        now, likeness = looked_at(photo.to_srgb(blended.picture), known, who)
        while likeness > identity.SAME_PERSON and share > LEAST_SHARE:
            share /= 2
            blended, choices = put_in(plan, start, edited, reached, share=share)
            now, likeness = looked_at(photo.to_srgb(blended.picture), known, who)
        stray = None if plan.reshaping else stray_of(known, now, plan.handles, plan.targets)
        weights = on_contours(plan.handles, known)
        reached = plan.handles + share * (reached - plan.handles)
        on_face, on_lid = bool(weights.any(1).all()), weights[:, EYES].sum(1) > 0.5
        reached = np.where(weights.any(1, keepdims=True), plan.handles + weights @ (now - known), reached)
    outcome = [
        Handle((h[0], h[1]), (t[0], t[1]), (r[0], r[1]), float(np.hypot(t[0] - r[0], t[1] - r[1])), bool(lid))
        for h, t, r, lid in zip(plan.handles.tolist(), plan.targets.tolist(), reached.tolist(), on_lid, strict=True)
    ]
    return Edit(
        photo=photo,
        picture=blended.picture,
        changed=blended.changed,
        inversion=inversion,
        face=plan.face,
        alignment=alignment,
        w_plus=result.w_plus if result else None,
        edited_crop=edited if result else None,
        flow=blended.flow,
        handles=outcome,
        stop_reason=_reason(reason, outcome, alignment) if on_face and share == 1 else reason,
        steps=result.steps if result else 0,
        identity=likeness,
        stray=stray,
        share=share,
        person=plan.person.name if plan.person else None,
        exemplars=shown_of(choices),
        deep=blended.deep,
        faces=plan.faces,
        seconds={},
    )


def _reason(reason: str, outcome: list[Handle], alignment: Alignment) -> str:
    """Why a drag of landmarks ended, by where its picture has them: the photo goes the last part of the way itself,
    so all may have arrived, however far the generator's picture came."""
    near = DragSettings().landmark_arrival_distance / 512 * alignment.size / alignment.scale
    there = all(handle.left <= near for handle in outcome)
    return ARRIVED if there and reason in (LIMIT, STALLED) else reason


def looked_at(picture: np.ndarray, landmarks: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, float]:
    """The landmarks [68, 2] of the face in a picture, near those of the photo, and its identity distance to `who`."""
    after = predict(picture, Frame.around(landmarks))
    return after, identity.identity_distance(who, identity.descriptor(picture, after))
