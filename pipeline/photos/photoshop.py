"""Photoshop's resources in a JPEG (APP13): IPTC stays, a thumbnail of the photo as it was doesn't (Adobe Photoshop File
Formats Specification, Image Resources Section)."""

import struct

PREFIX = b"Photoshop 3.0\0"
THUMBNAILS = {0x0409, 0x040C}


def without_thumbnails(resources: bytes) -> tuple[bytes, bool]:
    """Resources, without `PREFIX`, less their thumbnails, and whether there were any; what can't be read stays."""
    kept, at, any_dropped = [], 0, False
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        (number,) = struct.unpack_from(">H", resources, at + 4)
        name = (resources[at + 6] + 2) // 2 * 2
        if at + 10 + name > len(resources):
            break
        (size,) = struct.unpack_from(">I", resources, at + 6 + name)
        end = at + 10 + name + (size + 1) // 2 * 2
        if number in THUMBNAILS:
            any_dropped = True
        else:
            kept.append(resources[at:end])
        at = end
    return b"".join(kept) + resources[at:], any_dropped
