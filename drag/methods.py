"""The ways to drag that can be compared: this project's, and its peers' written from their descriptions."""

from collections.abc import Callable, Generator

from torch import Tensor

from photodrag.drag import draggan, freedrag, loop
from photodrag.drag.state import DragResult, DragState


def _draggan_code(
    generator,
    w_plus: Tensor,
    handles: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    settings: draggan.DragGANSettings = draggan.CODE,
    space: object = None,
    landmarks: Callable | None = None,
) -> Generator[DragState, bool | None, DragResult]:
    return draggan.steps(generator, w_plus, handles, targets, mask, settings, space, landmarks)


METHODS: dict[str, Callable[..., Generator[DragState, bool | None, DragResult]]] = {
    "photodrag": loop.steps,
    "draggan": draggan.steps,
    "draggan-code": _draggan_code,
    "freedrag": freedrag.steps,
}
"""Each is called as `loop.steps` is, with settings of its own, which all have a field `steps`. This project's returns
the best state it has seen, its peers their last, as their authors' programs do."""
