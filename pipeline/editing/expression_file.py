"""An expression in a file: landmarks in their own head's frame, to be given to any face.

    {"photodrag expression": 1, "landmarks": [[-0.9, 0.1], …]}

68 of them, (right, down) from the middle between the eyes, in distances between these."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from photodrag.pipeline.editing.plan import find_face
from photodrag.pipeline.faces.expressions import Expression, is_landmarks, own_frame
from photodrag.pipeline.photos.photo import Photo
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights.common.errors import UserError
from photodrag.weights.common.files import write_whole

VERSION, VERSION_FIELD = 1, "photodrag expression"
MOST_BYTES = 100_000
"""Of such a file."""


def expression_from(path: Path, amount: float = 1.0) -> Expression:
    """The expression that was saved in a file, or that of the largest face of a photo; `amount`: how much of it is
    meant. Raises UserError where there is neither."""
    if saved := _saved(_beginning(path), path):
        return replace(saved, amount=amount)
    return Expression(own_frame(find_face(read_photo(path))[0].landmarks), amount)


def expression_in(data: bytes, name: str, read: Callable[[], Photo]) -> Expression:
    """The same of what a file of that name holds; `read` reads it as a photo. Raises UserError as `expression_from`."""
    if saved := _saved(data[:MOST_BYTES], name):
        return saved
    return Expression(own_frame(find_face(read())[0].landmarks))


def save_expression(expression: Expression, path: Path) -> None:
    """Write it to a file; whole, or not at all. Raises UserError."""
    text = json.dumps({VERSION_FIELD: VERSION, "landmarks": expression.rows}) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def _beginning(path: Path) -> bytes:
    """Of a file; nothing where it can't be read, for reading it as a photo says what is wrong."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError:
        return b""


def _saved(data: bytes, path: Path | str) -> Expression | None:
    """What was saved in a file at that path; None for what is no such file, a photo most likely."""
    if data.lstrip()[:1] != b"{":
        return None
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    right = isinstance(content, dict) and content.keys() == {VERSION_FIELD, "landmarks"}
    if not right or content[VERSION_FIELD] != VERSION or not is_landmarks(content["landmarks"]):
        raise UserError(f"{path} holds no expression: give a photo, or a file that `photodrag expression save` wrote.")
    return Expression.of_rows(content["landmarks"])
