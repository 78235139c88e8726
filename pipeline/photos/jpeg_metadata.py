"""What a JPEG says of its picture, as it goes into the edited one: segment by segment as it was, less what shows the
photo, or speaks of one that shows it, as it was before."""

from collections.abc import Iterator

from photodrag.pipeline.photos import exif, photoshop, xmp
from photodrag.pipeline.photos.jpeg_file import LARGEST, JpegFile, Segment

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
FURTHER_PICTURES = b"MPF\0"
VIDEO = b"ftyp"
CREDENTIALS = "content credentials, which vouch for the photo as it was"


def carried(file: JpegFile) -> tuple[tuple[Segment, ...], list[str]]:
    """A JPEG's segments for the edited picture, which is stored as this one's is, and what was left out, in words."""
    segments, dropped = [], []
    for segment in _resources_joined(file.header):
        kept, words = _patched(segment)
        segments.extend(kept)
        dropped.extend(words)
    return tuple(segments), list(dict.fromkeys([*dropped, *_behind(file.behind)]))


def _patched(segment: Segment) -> tuple[list[Segment], list[str]]:
    marker, payload = segment.marker, segment.payload
    if marker == 0xE0 and payload[:5] == b"JFIF\0" and len(payload) > 14:
        return [Segment(marker, payload[:12] + b"\0\0")], [exif.THUMBNAIL]
    if marker == 0xE0 and payload[:5] == b"JFXX\0":
        return [], [exif.THUMBNAIL]
    if marker == 0xE1:
        for prefix, patched in ((exif.PREFIX, exif.patched), (XMP, xmp.patched)):
            if payload.startswith(prefix):
                new, words = patched(payload[len(prefix) :])
                return ([] if new is None else [Segment(marker, prefix + new)]), words
        if payload.startswith(EXTENDED_XMP):
            return [], [xmp.EXTENDED]
    if marker == 0xE2 and payload.startswith((FURTHER_PICTURES, GAIN_MAP)):
        return [], []  # told of where the pictures themselves lie
    if marker == 0xEB and payload[:2] == b"JP":
        return [], [CREDENTIALS]
    if marker == 0xED and payload.startswith(photoshop.PREFIX):
        return _without_thumbnails(segment)
    return [segment], []


def _resources_joined(header: tuple[Segment, ...]) -> Iterator[Segment]:
    """The segments that say something, of which Photoshop's, that may be cut anywhere, are one."""
    prefix = photoshop.PREFIX
    resources = [s.payload[len(prefix) :] for s in header if s.marker == 0xED and s.payload.startswith(prefix)]
    for segment in header:
        if segment.marker == 0xED and segment.payload.startswith(prefix):
            if resources:
                yield Segment(segment.marker, prefix + b"".join(resources))
            resources = []
        elif segment.is_about:
            yield segment


def _without_thumbnails(segment: Segment) -> tuple[list[Segment], list[str]]:
    prefix, most = photoshop.PREFIX, LARGEST - len(photoshop.PREFIX)
    resources, any_dropped = photoshop.without_thumbnails(segment.payload[len(prefix) :])
    parts = [resources[i : i + most] for i in range(0, len(resources), most)]
    return [Segment(segment.marker, prefix + part) for part in parts], [exif.THUMBNAIL] if any_dropped else []


def _behind(behind: bytes) -> list[str]:
    """What lies behind the picture, in words."""
    if not behind.strip(b"\0\xff\r\n "):
        return []
    if VIDEO in behind:
        return ["the video, which shows what was before"]
    if b"\xff\xd8\xff" in behind:
        return ["further pictures in the file, of what was before (a gain map, depth, a preview)"]
    return ["what lies behind the picture"]
