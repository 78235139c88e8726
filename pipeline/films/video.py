"""Pictures in a row as a video that browsers, phones and chat programs play, in the colours that the pictures have.

PyAV is imported when a video is made, not before: macOS says of its FFmpeg beside OpenCV's, at length and on stderr,
that two libraries have classes of one name (they are of cameras, which nobody here uses).

The pictures are sRGB. They are turned to Y′CbCr by BT.709's matrix, since what plays films takes that one for granted
where it doesn't read what a file says (FFmpeg's own choice, BT.601's, would shift skin by up to 20 levels), and the
file says all four of it: BT.709's primaries and matrix, sRGB's curve, the narrow range (ITU-T H.273)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photodrag.weights.common.errors import Failure

if TYPE_CHECKING:
    from av.container import OutputContainer

RATE, HOLD = 20, 1.0
"""Pictures a second, and seconds that the last one stays."""
SIDE = 1280
"""At most, of the longer side, in pixels."""
PRIMARIES_709, CURVE_SRGB, MATRIX_709, NARROW = 1, 13, 1, 1
"""ITU-T H.273's numbers; the last is FFmpeg's own."""


@dataclass(frozen=True)
class Coding:
    """A kind of video: FFmpeg's names of the container and the encoder, and what each is told."""

    name: str
    container: str
    encoder: str
    options: dict[str, str]
    layout: dict[str, str] = field(default_factory=dict)


CODINGS = {
    # The index first, so that a player can start before the end has come.
    ".mp4": Coding("H.264", "mp4", "libx264", {"crf": "18"}, {"movflags": "+faststart"}),
    ".webm": Coding("VP9", "webm", "libvpx-vp9", {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4"}),
}
"""By what a file's name ends in. Why these, in figures: docs/design-notes.md#films."""


def check_encoder(suffix: str) -> None:
    """See that the FFmpeg in PyAV, which need not be that of its wheels, has the encoder. Raises Failure."""
    import av

    coding = CODINGS[suffix]
    try:
        av.codec.Codec(coding.encoder, "w")
    except (av.FFmpegError, ValueError) as error:
        other = next(end for end in CODINGS if end != suffix)
        raise Failure(
            f"This PyAV can't write {coding.name}, as {coding.encoder} is missing: "
            f"take a name in {other}, or --gif or --frames instead."
        ) from error


class Video:
    """A video in the making, in memory: `add` for each picture, then `finished`. One that isn't finished leaves
    nothing."""

    def __init__(self, suffix: str):
        """suffix: one of CODINGS."""
        self._coding = CODINGS[suffix]
        self._file = BytesIO()
        self._container: OutputContainer | None = None
        self._count = 0

    def add(self, picture: np.ndarray) -> None:
        """A picture, uint8 sRGB [H, W, 3], as large as those before it. Raises Failure where the encoder fails."""
        with self._telling():
            self._last = even_sided(bounded(picture, SIDE))
            self._encode(self._last)

    def finished(self) -> bytes:
        """The file, in which the last picture stays for HOLD. Raises Failure as `add` does."""
        with self._telling():
            for _ in range(round(RATE * HOLD)):
                self._encode(self._last)
            assert self._container
            self._container.mux(self._stream.encode(None))
            self._container.close()
        return self._file.getvalue()

    def _encode(self, picture: np.ndarray) -> None:
        import av
        from av.video.reformatter import ColorRange, Colorspace

        if self._container is None:
            self._container = self._opened(*picture.shape[:2])
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = self._count, Fraction(1, RATE)
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def _opened(self, height: int, width: int) -> "OutputContainer":
        import av
        from av.video.stream import VideoStream

        container = av.open(
            self._file,
            "w",
            format=self._coding.container,
            options=self._coding.layout,
            # To bring the index to the front, FFmpeg reads what it has written.
            io_open=lambda *_: BytesIO(self._file.getvalue()),
        )
        stream = container.add_stream(self._coding.encoder, rate=RATE, options=dict(self._coding.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.color_primaries, context.color_trc = PRIMARIES_709, CURVE_SRGB
        context.colorspace, context.color_range = MATRIX_709, NARROW
        self._stream = stream
        return container

    @contextmanager
    def _telling(self) -> Iterator[None]:
        import av

        try:
            yield
        except av.FFmpegError as error:
            raise Failure(
                f"Could not encode {self._coding.name}: {error.strerror}; take --gif or --frames instead."
            ) from error


def encoded_video(pictures: Iterable[np.ndarray], suffix: str) -> bytes:
    """Pictures, uint8 sRGB [H, W, 3] of one size, as a video; suffix: one of CODINGS. Raises Failure as Video.add."""
    video = Video(suffix)
    for picture in pictures:
        video.add(picture)
    return video.finished()


def bounded(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture, made smaller where its longer side is more."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    new = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(picture, new, interpolation=cv2.INTER_AREA)


def even_sided(picture: np.ndarray) -> np.ndarray:
    """A picture whose last row or column stands twice where their number is odd: colours are coded for 2 × 2 pixels."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge") if height % 2 or width % 2 else picture
