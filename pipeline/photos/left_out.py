"""What an edited photo is without that its file had, in words, where it becomes a file of another kind."""

from photodrag.pipeline.photos import jpeg_file, jpeg_metadata, png_file
from photodrag.pipeline.photos.colours import HLG, PQ
from photodrag.pipeline.photos.encode import XMP_SEGMENT, keeps_chunks, metadata_for
from photodrag.pipeline.photos.jpeg_metadata import iptc_segment
from photodrag.pipeline.photos.jxl import takes_profile
from photodrag.pipeline.photos.metadata import FINER
from photodrag.pipeline.photos.output_formats import BMP, JPEG, JXL, PNG, TIFF, Format, colours_of
from photodrag.pipeline.photos.photo import Photo

HDR = bytes((PQ,)), bytes((HLG,))


def left_out_of(photo: Photo, kind: Format, mode: str) -> list[str]:
    """What a file of that format is without, in words, where its metadata are those of `photo.metadata`."""
    metadata, words = metadata_for(photo, mode), list(photo.metadata.dropped)
    if photo.jpeg is not None and photo.jpeg.file is not None:
        file = photo.jpeg.file
        words += jpeg_metadata.carried(file)[1]
        words += ["the comment"] if any(segment.marker == jpeg_file.COM for segment in file.header) else []
    if photo.metadata.iptc and kind not in (JPEG, PNG, TIFF):
        words.append(f"IPTC, which no {kind.name} holds")
    if photo.chunks is not None and not keeps_chunks(photo, kind, mode):
        carried = (png_file.XMP_KEY, *png_file.OLD_IPTC)
        texts = any(one.kind in png_file.TEXTS and not one.data.startswith(carried) for one in photo.chunks)
        words += ["a PNG's texts"] if texts else []
        hdr = any(one.kind == b"cICP" and one.data[1:2] in HDR for one in photo.chunks)
        words += [f"HDR's brightness, which only a PNG is told: --out {photo.path.stem}.png keeps it"] if hdr else []
    words += [FINER] if photo.mode.endswith(";16") and not mode.endswith(";16") else []
    if colours_of(mode) != colours_of(photo.mode) and photo.metadata.icc_profile:
        words.append("the profile of other inks")
    if kind is JPEG:
        words += ["EXIF, which is too long for a JPEG"] if len(metadata.exif or b"") > jpeg_file.LARGEST else []
        words += ["IPTC, which is too long for a JPEG"] if metadata.iptc and not iptc_segment(metadata.iptc) else []
        words += ["XMP, which is too long for a JPEG"] if len(metadata.xmp or b"") > XMP_SEGMENT else []
    if kind is JXL and metadata.icc_profile and not takes_profile(mode, metadata.icc_profile):
        words.append("the colour profile, which is none that a JPEG XL takes")
    if kind is BMP:
        held = {"the colour profile": metadata.icc_profile, "EXIF": metadata.exif, "XMP": metadata.xmp}
        words += [f"{what}, which no BMP holds" for what, there in held.items() if there]
    return words
