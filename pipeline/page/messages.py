"""What goes over the wire: JSON objects, some with bytes behind them; and what a page may say.

A message is text, or binary: the length of the JSON in 4 bytes, big-endian, the JSON, and the bytes."""

import json
from typing import overload

from photodrag.pipeline.editing.edit_fields import FIELDS
from photodrag.pipeline.editing.options import LIKENESS
from photodrag.pipeline.faces.regions import REGIONS, read_region
from photodrag.weights.common.json_checks import Check, is_number, is_row, is_whole, or_null


class ProtocolError(Exception):
    """A message that no page of ours sends."""


@overload
def packed(content: dict) -> str: ...


@overload
def packed(content: dict, data: bytes | None) -> str | bytes: ...


def packed(content: dict, data: bytes | None = None) -> str | bytes:
    """A message of that content, with bytes behind it or not."""
    text = json.dumps(content, allow_nan=False)
    return text if data is None else len(text).to_bytes(4, "big") + text.encode() + data


def unpacked(message: str | bytes) -> tuple[dict, bytes]:
    """The checked content of a page's message, and the bytes behind it. Raises ProtocolError."""
    try:
        if isinstance(message, str):
            content, data = json.loads(message), b""
        else:
            end = 4 + int.from_bytes(message[:4], "big")
            content, data = json.loads(message[4:end]), message[end:]
    except (ValueError, RecursionError) as error:
        raise ProtocolError("no JSON") from error
    kind = content.get("type") if isinstance(content, dict) else None
    fields = CLIENT_MESSAGES.get(kind) if isinstance(kind, str) else None
    if fields is None or content.keys() - {"type"} != fields.keys():
        raise ProtocolError("unknown type or fields")
    for name, right in fields.items():
        if not right(content[name]):
            raise ProtocolError(f"a wrong {name!r}")
    return content, data


_number = is_number(below=1e7)
_whole = is_whole(0, below=1 << 31)


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


_drags: Check = lambda value: isinstance(value, list) and all(map(is_row(2, is_row(2, _number)), value))  # noqa: E731
_name: Check = lambda value: isinstance(value, str) and len(value) < 1000  # noqa: E731
_scale: Check = lambda value: _number(value) and value > 0  # noqa: E731


def _presets(value: object) -> bool:
    return value is not None and FIELDS["presets"][0](value)


def _controls(value: object) -> bool:
    """As an edit's file has these fields; no region is a file's, but one may be painted."""
    if not isinstance(value, dict) or value.keys() != CONTROLS:
        return False
    regions = value["regions"]
    if not (isinstance(regions, list) and len(regions) <= MOST_REGIONS and FIELDS["regions"][0](regions)):
        return False
    known = all(read_region(text).where in (*REGIONS, PAINTED) for text in regions)
    return known and _presets(value["presets"]) and FIELDS["expression"][0](value["expression"])


CONTROLS = {"presets", "expression", "regions"}
PAINTED = "painted"
"""A region, and a mask: what is painted."""
MOST_REGIONS = len(REGIONS) + 1
CLIENT_MESSAGES: dict[str, dict[str, Check]] = {
    # ids are the page's own, which the answers bear
    "photo": {"id": _whole, "name": _name},  # the file behind it
    "sample": {"id": _whole},
    "face": {  # invert it
        "id": _whole,
        "number": or_null(_whole),
        "box": or_null(is_row(4, _number)),
        "likeness": _one_of(*LIKENESS),
    },
    "expression": {"id": _whole, "name": _name},  # of the face in the file behind it
    "controls": {"id": _whole, "number": _whole, "controls": _controls},  # the drags of these; a painted region behind
    "warp": {  # roughly what these come to
        "id": _whole,
        "number": _whole,
        "drags": _drags,
        "presets": _presets,
    },
    "drag": {
        "id": _whole,
        "drags": _drags,
        "controls": _controls,
        "mask": _one_of("auto", "face", PAINTED),  # what is painted: a PNG of the displayed size behind it
        "scale": _scale,  # pixels of the screen to one of the photo
    },
    "stop": {},
    "origin": {"id": _whole, "result": _whole, "point": is_row(2, _number)},  # where a point of a result came from
    "save": {"id": _whole, "result": _whole, "format": _one_of("png", "jpeg", "json", "mp4")},
    "cancel": {},  # the video that is being made
}
"""What a page says; `Tab` has a function for each."""
