"""XMP carried from a photo to its edit: the packet as it is, less what the edit makes untrue, cut out of it where it
stands (ISO 16684-1). expat reads it once, and no packet that declares entities, with which it could grow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

LARGEST = 16_000_000
"""Bytes of a packet that is read."""
THUMBNAILS = "thumbnails in XMP"
DEPTH, PICTURE, VIDEO, GAIN_MAP = "the depth map", "a picture in XMP", "claims about a video", "claims about a gain map"
CONTAINER, ITEM = "http://ns.google.com/photos/1.0/container/", "http://ns.google.com/photos/1.0/container/item/"
EXTENDED, FURTHER = "extended XMP", "claims about further pictures"
NAMESPACES = {
    "http://ns.google.com/photos/1.0/depthmap/": DEPTH,
    "http://ns.google.com/photos/dd/1.0/device/": DEPTH,
    "http://ns.google.com/photos/dd/1.0/depthmap/": DEPTH,
    "http://ns.google.com/photos/1.0/image/": PICTURE,
    "http://ns.google.com/photos/dd/1.0/image/": PICTURE,
    CONTAINER: FURTHER,
    "http://ns.adobe.com/xap/1.0/g/img/": THUMBNAILS,
    "http://ns.adobe.com/hdr-gain-map/1.0/": GAIN_MAP,
    "http://ns.apple.com/HDRGainMap/1.0/": GAIN_MAP,
}
"""What speaks of further pictures in the file, whole."""
NAMES = {
    ("http://ns.google.com/photos/1.0/camera/", "RelitInputImageData"): PICTURE,
    ("http://ns.adobe.com/xap/1.0/", "Thumbnails"): THUMBNAILS,
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"): EXTENDED,
    ("http://ns.google.com/photos/1.0/camera/", "MicroVideo"): VIDEO,
    ("http://ns.google.com/photos/1.0/camera/", "MicroVideoVersion"): VIDEO,
    ("http://ns.google.com/photos/1.0/camera/", "MicroVideoOffset"): VIDEO,
    ("http://ns.google.com/photos/1.0/camera/", "MicroVideoPresentationTimestampUs"): VIDEO,
    ("http://ns.google.com/photos/1.0/camera/", "MotionPhoto"): VIDEO,
    ("http://ns.google.com/photos/1.0/camera/", "MotionPhotoVersion"): VIDEO,
    ("http://ns.google.com/photos/1.0/camera/", "MotionPhotoPresentationTimestampUs"): VIDEO,
}
TIFF_ORIENTATION, ORIENTATION = ("http://ns.adobe.com/tiff/1.0/", "Orientation"), "the orientation"
LENGTH = "a length"
DEEPEST, MOST_PREFIXES, MOST_ELEMENTS = 256, 200, 200_000
_TAG = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")
_NAME = re.compile(rb"""<[^\s/>]+""")
_ATTRIBUTE = re.compile(rb"""\s*([^\s=/>]+)\s*=\s*(?:"[^"]*"|'[^']*')""")


def patched(
    packet: bytes, turned: bool = False, gain_map: int | None = None, video: bool = False
) -> tuple[bytes | None, list[str]]:
    """A packet as it goes into an edited photo, and what was left out of it, in words: what speaks of, or is, a further
    picture of what the photo showed. None where it can't be read.

    turned: whether the picture is now as a person sees it, so that its orientation goes, too. gain_map: of how many
    bytes the one is that the edited file has; then what speaks of it stays, and the directory tells the new length.
    video: whether that stays."""
    packet = packet.strip(b"\0 \r\n\t")
    if len(packet) > LARGEST or b"\0" in packet[:1000]:
        return None, ["XMP, which is too large or of a rare encoding"]
    cuts = _Cuts(packet, turned, gain_map, video)
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda name, attributes: cuts.start(name, attributes, parser.CurrentByteIndex)
    parser.EndElementHandler = lambda name: cuts.end(parser.CurrentByteIndex)
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(packet, True)
    except (expat.ExpatError, ValueError):
        return None, ["XMP, which is damaged, or of a size that no camera writes"]
    kept, at = [], 0
    for start, end, _, new in sorted(cuts.spans):
        if start >= at:
            kept += [packet[at:start], new]
            at = end
    words = dict.fromkeys(why for _, _, why, _ in cuts.spans if why not in (ORIENTATION, LENGTH))
    return b"".join((*kept, packet[at:])), list(words)


def _refuse(*_: object) -> None:
    raise ValueError("a packet declares no document type")


@dataclass
class _Cuts:
    """What is to be cut out of a packet, found while expat reads it."""

    packet: bytes
    turned: bool
    gain_map: int | None
    video: bool
    prefixes: list[dict[str, str]] = field(default_factory=lambda: [{}])
    """What they stand for, of each element that is open."""
    open: list[tuple[int, str | None]] = field(default_factory=list)
    """Where it began, and why it goes."""
    count: int = 0
    going: int = 0
    """How many of the open ones go."""
    spans: list[tuple[int, int, str, bytes]] = field(default_factory=list)
    """From … to, why, and what stands there instead."""

    def start(self, name: str, attributes: dict[str, str], at: int) -> None:
        declared = {key.partition(":")[2]: value for key, value in attributes.items() if key.startswith("xmlns")}
        self.prefixes.append(self.prefixes[-1] | declared if declared else self.prefixes[-1])
        why = self.why(name)
        self.open.append((at, why))
        self.going += why is not None
        self.count += 1
        if len(self.open) > DEEPEST or len(self.prefixes[-1]) > MOST_PREFIXES or self.count > MOST_ELEMENTS:
            raise ValueError("nobody's metadata is like this")
        for begin, end, key in () if self.going else self.attributes(at):
            if ":" in key and (why := self.why(key)):
                self.spans.append((begin, end, why, b""))
        if why is None and self.name_of(name) == (CONTAINER, "Item"):
            self.item(at, attributes)

    def item(self, at: int, attributes: dict[str, str]) -> None:
        """An entry of the directory of what lies in the file: what stays does, the gain map's tells a new length."""
        told = {
            local: value for (uri, local), value in ((self.name_of(k), v) for k, v in attributes.items()) if uri == ITEM
        }
        stays = {"Primary": True, "GainMap": self.gain_map is not None, "MotionPhoto": self.video}
        if told.get("Semantic") == "GainMap" and self.gain_map is not None:
            for begin, end, key in self.attributes(at):
                if self.name_of(key) == (ITEM, "Length"):
                    self.spans.append((begin, end, LENGTH, f' {key}="{self.gain_map}"'.encode()))
        elif not stays.get(told.get("Semantic", "Primary")) and len(self.open) > 1 and self.open[-2][1] is None:
            why = VIDEO if told.get("Semantic") == "MotionPhoto" else FURTHER
            self.open[-2] = (self.open[-2][0], why)  # the list's entry around it
            self.going += 1

    def attributes(self, at: int) -> Iterator[tuple[int, int, str]]:
        """Where each attribute of the element that begins there lies, with the space before it, and what it is called.
        One is matched after the other: expat has seen that nothing else is there, so none is searched for."""
        found = _NAME.match(self.packet, at)
        while found and (found := _ATTRIBUTE.match(self.packet, found.end())):
            yield found.start(), found.end(), found[1].decode("utf-8", "replace")

    def end(self, at: int) -> None:
        self.prefixes.pop()
        start, why = self.open.pop()
        self.going -= why is not None
        if why and not self.going:
            tag = _TAG.match(self.packet, at)  # of an empty element the one that it began with
            self.spans.append((start, tag.end() if tag else at, why, b""))

    def why(self, name: str) -> str | None:
        """Why an element or attribute goes; None where it stays."""
        uri, local = self.name_of(name)
        if (uri, local) == TIFF_ORIENTATION:
            return ORIENTATION if self.turned else None
        why = NAMESPACES.get(uri) or NAMES.get((uri, local))
        lights = self.gain_map is not None
        stays = {GAIN_MAP: lights, VIDEO: self.video, FURTHER: lights or self.video}
        return None if why is None or stays.get(why) else why

    def name_of(self, name: str) -> tuple[str, str]:
        """A name's namespace and what it is called there."""
        prefix, _, local = name.rpartition(":")
        return self.prefixes[-1].get(prefix, ""), local
