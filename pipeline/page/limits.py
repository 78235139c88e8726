"""How much a page may ask for."""

from dataclasses import dataclass

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Addresses of this machine that no other one reaches."""


@dataclass(frozen=True)
class Limits:
    """Bounds of what a tab may ask and hold."""

    upload: int = 64 << 20
    """Bytes of a photo's file."""
    pixels: int = 80_000_000
    """Of a photo; all common phones stay below."""
    tabs: int = 8
    """Open at once, each with one photo."""
    points: int = 68
    """Dragged at once."""
    results: int = 100
    """Remembered for a tab, to be saved after an undo: 100 kB each."""
    films: int = 10
    """Of these, the latest, with their drags' states, of which a video is made: 4 MB each at most."""
    unsent: int = 256 << 20
    """Bytes that wait to be sent to a page while it still may save more."""
    messages: int = 1000
    """That wait to be sent to a page: one with more doesn't listen."""
    display: int = 2560
    """The longest side of the copy of a photo that is shown."""
    preview: int = 512
    """The side of the crop in pictures shown during a drag."""
