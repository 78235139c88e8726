"""Small picture files of every kind, for the tests of reading and writing; made without the code under test."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = 40, 56


def noise(*channels: int, dtype=np.uint8, seed: int = 0) -> np.ndarray:
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, (HEIGHT, WIDTH, *channels), dtype, endpoint=True)


def smooth() -> np.ndarray:
    """uint8 [H, W, 3] without hard edges, which a JPEG keeps well; no two of its corners are alike."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 4, y * 6, 60 + x + 2 * y], axis=2).astype(np.uint8)


def mirrored(photo: Path, name: str) -> Path:
    """The photo mirrored, beside it."""
    path = photo.with_name(name)
    with Image.open(photo) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    return path


def png(header: tuple[int, int], samples: np.ndarray, *chunks: tuple[bytes, bytes], size=(WIDTH, HEIGHT)) -> bytes:
    """A PNG of big-endian samples, by hand; header: its bit depth and colour type; size: what it says it is."""
    width, height = size
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, *header, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    packed = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def tiff(samples: np.ndarray, orientation: int = 1, endian: str = "<", extra: int = 2, deflate: bool = False) -> bytes:
    """A TIFF of uint16 samples [H, W, 3 or 4], by hand, with a private tag; extra: what the fourth channel is."""
    height, width, channels = samples.shape
    data = samples.astype(f"{endian}u2").tobytes()
    data = zlib.compress(data) if deflate else data
    data += b"\0" * (len(data) % 2)
    tags = {256: width, 257: height, 258: (16,) * channels, 259: 8 if deflate else 1, 262: 2, 273: 8}
    tags |= {274: orientation, 277: channels, 278: height, 279: len(data)}
    tags |= {338: extra} if channels == 4 else {}
    tags |= {42000: 5}
    start = 8 + len(data)
    directory, values = struct.pack(endian + "H", len(tags)), b""
    for tag, value in tags.items():
        value = value if isinstance(value, tuple) else (value,)
        kind, letter = (4, "I") if tag in (273, 279) else (3, "H")
        packed = struct.pack(f"{endian}{len(value)}{letter}", *value)
        if len(packed) > 4:
            place = start + 2 + 12 * len(tags) + 4 + len(values)
            values += packed
            packed = struct.pack(endian + "I", place)
        directory += struct.pack(endian + "HHI", tag, kind, len(value)) + packed.ljust(4, b"\0")
    order = b"II*\0" if endian == "<" else b"MM\0*"
    return order + struct.pack(endian + "I", start) + data + directory + b"\0\0\0\0" + values


def kinds() -> dict[str, tuple[str, np.ndarray]]:
    """Every kind of lossless file: its name in `make` → the mode and the samples that it must be read as."""
    rgb, rgba, grey = noise(3), noise(4), noise()
    palette = noise(3, seed=5).reshape(-1, 3)[:256]
    index, opacity = noise(seed=6), np.r_[0:256].astype(np.uint8)[::-1]
    key16, rgb16, rgba16 = noise(dtype=np.uint16), noise(3, dtype=np.uint16), noise(4, dtype=np.uint16)
    return {
        "rgb.png": ("RGB", rgb),
        "rgb.tif": ("RGB", rgb),
        "rgb.bmp": ("RGB", rgb),
        "rgb.webp": ("RGB", rgb),
        "rgba.png": ("RGBA", rgba),
        "rgba.tif": ("RGBA", rgba),
        "rgba.webp": ("RGBA", rgba),
        "rgb-key.png": ("RGBA", np.dstack([rgb, (rgb != rgb[3, 4]).any(2) * 255]).astype(np.uint8)),
        "grey.png": ("L", grey),
        "grey.bmp": ("L", grey),
        "grey.tif": ("L", grey),
        "grey-key.png": ("LA", np.dstack([grey, (grey != 77) * 255]).astype(np.uint8)),
        "grey-alpha.png": ("LA", noise(2)),
        "grey-alpha.tif": ("LA", noise(2)),
        "bits.png": ("L", (grey > 99) * np.uint8(255)),
        "bits.tif": ("L", (grey > 99) * np.uint8(255)),
        "bits-key.png": ("LA", np.dstack([(grey > 99) * 255, (grey <= 99) * 255]).astype(np.uint8)),
        "palette.png": ("RGB", palette[index]),
        "palette.gif": ("RGB", palette[index]),
        "palette-alpha.png": ("RGBA", np.dstack([palette[index], opacity[index]])),
        "cmyk.tif": ("CMYK", rgba),
        "grey16.png": ("L;16", key16),
        "grey16.tif": ("L;16", key16),
        "grey16-int.tif": ("L;16", key16),
        "grey16-key.png": ("RGBA;16", np.dstack([key16] * 3 + [(key16 != key16[3, 4]) * 65535]).astype(np.uint16)),
        "rgb16.png": ("RGB;16", rgb16),
        "rgb16.tif": ("RGB;16", rgb16),
        "rgb16-big.tif": ("RGB;16", rgb16),
        "rgb16-deflate.tif": ("RGB;16", rgb16),
        "rgb16-key.png": ("RGBA;16", np.dstack([rgb16, (rgb16 != rgb16[3, 4]).any(2) * 65535]).astype(np.uint16)),
        "rgba16.png": ("RGBA;16", rgba16),
        "rgba16.tif": ("RGBA;16", rgba16),
    }


def make(path: Path, orientation: int | None = None) -> Path:
    """Write the file of that name in `kinds`, with an EXIF orientation if one is given (not for BMP and GIF)."""
    name, (mode, samples) = path.name, kinds()[path.name]
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    options = {"exif": exif.tobytes()} if orientation else {}
    exif_chunk = [(b"eXIf", exif.tobytes()[6:])] if orientation else []
    grey, big = noise(), samples.astype(">u2")
    match name:
        case "rgb-key.png":
            Image.fromarray(noise(3)).save(path, transparency=tuple(map(int, samples[3, 4, :3])), **options)
        case "grey-key.png":
            Image.fromarray(grey).save(path, transparency=77, **options)
        case "bits-key.png":
            Image.fromarray(grey > 99).save(path, transparency=1, **options)
        case "bits.png" | "bits.tif":
            Image.fromarray(grey > 99).save(path, **options)
        case "palette.png" | "palette.gif" | "palette-alpha.png":
            image = Image.fromarray(noise(seed=6))
            image.putpalette(noise(3, seed=5).reshape(-1, 3)[:256].tobytes())
            keys = {"transparency": bytes(range(256))[::-1]} if "alpha" in name else {}
            image.save(path, **keys, **options)
        case "cmyk.tif":
            Image.frombytes("CMYK", (WIDTH, HEIGHT), samples.tobytes()).save(path, **options)
        case "grey16-int.tif":
            Image.fromarray(samples.astype(np.int32)).save(path, **options)
        case "grey16-key.png":
            key = (b"tRNS", struct.pack(">H", int(samples[3, 4, 0])))
            path.write_bytes(png((16, 0), big[..., 0], key, *exif_chunk))
        case "rgb16-key.png":
            key = (b"tRNS", struct.pack(">HHH", *map(int, samples[3, 4, :3])))
            path.write_bytes(png((16, 2), big[..., :3], key, *exif_chunk))
        case "rgb16.png" | "rgba16.png":
            path.write_bytes(png((16, 2 if mode == "RGB;16" else 6), big, *exif_chunk))
        case "rgb16.tif" | "rgba16.tif" | "rgb16-big.tif" | "rgb16-deflate.tif":
            endian = ">" if "big" in name else "<"
            path.write_bytes(tiff(samples, orientation or 1, endian, deflate="deflate" in name))
        case "rgb.webp" | "rgba.webp":
            Image.fromarray(samples).save(path, lossless=True, exact=True, **options)
        case _:
            Image.fromarray(samples).save(path, **options)
    return path


def stored(path: Path, mode: str) -> np.ndarray:
    """The samples of a written file, as Pillow, or for 16-bit colour OpenCV, reads them; its mode must be `mode`."""
    if mode in ("RGB;16", "RGBA;16"):
        samples = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert samples.dtype == np.uint16
        return samples[..., [2, 1, 0, 3][: samples.shape[2]]]
    with Image.open(path) as image:
        assert image.mode == mode.replace("L;16", "I;16")
        assert image.getexif().get(0x0112, 1) == 1
        return np.array(image)
