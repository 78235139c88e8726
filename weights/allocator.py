"""Memory that stays at hand, for programs that run a generator on a CPU."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8
"""Numbers of mallopt(3)'s parameters, from glibc's malloc.h."""


def keep_freed_memory(pad: int = 256 << 20) -> bool:
    """Let glibc keep the memory that is freed; elsewhere nothing happens. Gives whether it does.

    Otherwise glibc gives a feature map's memory back to the system, and every page of the next map costs a fault:
    see docs/design-notes.md#freed-memory. It is a setting of the whole process, so the command line makes it, and
    no stage does.

    pad: how much is asked of the system at a time [bytes]."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none
        return False
    # One arena, or each thread that asks for much keeps its own.
    settings = {M_ARENA_MAX: 1, M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: pad}
    return all([mallopt(name, value) for name, value in settings.items()])
