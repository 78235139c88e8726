"""What a JPEG says of its picture, as it goes into the edited one: segment by segment as it was, less what shows the
photo, or speaks of one that shows it, as it was before."""

from collections.abc import Iterator
from functools import partial

from photodrag.pipeline.photos import exif, iptc, photoshop, xmp
from photodrag.pipeline.photos.gain_map import ISO, MPF, behind_pictures, further_pictures, gain_map_of
from photodrag.pipeline.photos.jpeg_file import APP, LARGEST, JpegFile, Segment
from photodrag.pipeline.photos.metadata import CREDENTIALS

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
PROFILE = b"ICC_PROFILE\0"
VIDEO = b"ftyp"


def carried(
    file: JpegFile, orientation: int = 1, gain_map: bytes | None = None, keeps_video: bool = False
) -> tuple[tuple[Segment, ...], list[str]]:
    """A JPEG's segments for the edited picture, which is stored as this one's is, and what was left out, in words.

    orientation: EXIF's, which is told even where EXIF is damaged. gain_map: the one of the edited picture (see
    `gain_map.with_places`), if there is to be one. keeps_video: whether what `video_of` gives is to be behind it."""
    segments, dropped, behind = [], [], file.behind
    if gain_map is not None:
        segments.append(further_pictures())
        behind = behind.replace(gain_map_of(file) or b"", b"", 1)
    if keeps_video:
        behind = behind.removesuffix(video_of(file))
    seen: set[bytes] = set()
    for segment in _resources_joined(file.header):
        kind = next((prefix for prefix in (exif.PREFIX, XMP) if segment.payload.startswith(prefix)), b"")
        if kind and kind in seen:  # of which programs read the first
            dropped.append("EXIF or XMP that is there twice")
            continue
        seen.add(kind)
        kept, words = _patched(segment, gain_map, keeps_video)
        segments.extend(kept)
        dropped.extend(words)
    if orientation != 1 and "EXIF, which is damaged" in dropped:
        segments.append(Segment(0xE1, exif.PREFIX + exif.of_orientation(orientation)))
    if segments[1:] and segments[1].marker == 0xE0:  # JFIF's comes first
        segments[:2] = segments[1::-1]
    return tuple(segments), list(dict.fromkeys([*dropped, *_behind(behind)]))


def of_gain_map(file: JpegFile) -> tuple[Segment, ...]:
    """The segments of a gain map, less pictures in them."""
    return tuple(kept for segment in file.header if segment.is_about for kept in _patched(segment, b"")[0])


def video_of(file: JpegFile) -> bytes:
    """What lies behind a motion photo's pictures, its video with whatever its maker puts around; b"" without one."""
    rest = behind_pictures(file)
    return rest if VIDEO in rest else b""


def iptc_in(file: JpegFile) -> bytes | None:
    """A JPEG's IPTC records, less pictures, of which `carried` tells; None without any."""
    prefix = photoshop.PREFIX
    resources = (s.payload[len(prefix) :] for s in _resources_joined(file.header) if s.payload.startswith(prefix))
    return iptc.without_pictures(photoshop.iptc_of(next(resources, b"")) or b"")[0] or None


def iptc_segment(records: bytes) -> bytes:
    """As it stands in a JPEG; b"" where it is too long for a segment."""
    payload = photoshop.PREFIX + photoshop.resource_of(records)
    return Segment(0xED, payload).encoded() if len(payload) <= LARGEST else b""


def _patched(segment: Segment, gain_map: bytes | None, keeps_video: bool = False) -> tuple[list[Segment], list[str]]:
    marker, payload = segment.marker, segment.payload
    if marker == 0xE0 and payload[:5] == b"JFIF\0" and len(payload) > 14:
        return [Segment(marker, payload[:12] + b"\0\0")], [exif.THUMBNAIL]
    if marker == 0xE0 and payload[:5] == b"JFXX\0":
        return [], [exif.THUMBNAIL]
    if marker == 0xE1:
        length = None if gain_map is None else len(gain_map)
        for prefix, patched in (
            (exif.PREFIX, exif.patched),
            (XMP, partial(xmp.patched, gain_map=length, video=keeps_video)),
        ):
            if payload.startswith(prefix):
                new, words = patched(payload[len(prefix) :])
                return ([] if new is None else [Segment(marker, prefix + new)]), words
        if payload.startswith(EXTENDED_XMP):
            return [], [xmp.EXTENDED]
    if marker == 0xE2 and payload.startswith((MPF, ISO)):  # what is left out is told of where the pictures lie
        return [segment] if gain_map is not None and payload.startswith(ISO) else [], []
    if marker == 0xEB and payload[:2] == b"JP":
        return [], [CREDENTIALS]
    if marker == 0xED and payload.startswith(photoshop.PREFIX):
        return _without_thumbnails(segment)
    if marker in APP and b"\xff\xd8\xff" in payload and not payload.startswith(PROFILE):
        return [], ["a picture in a segment of the maker's"]
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
    resources, words = photoshop.without_thumbnails(segment.payload[len(prefix) :])
    parts = [resources[i : i + most] for i in range(0, len(resources), most)]
    return [Segment(segment.marker, prefix + part) for part in parts], words


def _behind(behind: bytes) -> list[str]:
    """What lies behind the picture, in words."""
    if not behind.strip(b"\0\xff\r\n "):
        return []
    if VIDEO in behind:
        return ["the video, which shows what was before"]
    if b"\xff\xd8\xff" in behind:
        return ["further pictures in the file, of what was before (a gain map, depth, a preview)"]
    return ["what lies behind the picture"]
