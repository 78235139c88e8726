"""Memory that stays at hand, for programs that run a generator on a CPU."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def keep_freed_memory(pad: int = 256 << 20) -> bool:
    """Let glibc keep what is freed, and say whether it does; elsewhere nothing happens.

    A generator's maps are of 32 … 67 MB. glibc gives every such block back to the system when it is
    freed, and each new one costs a page fault for every 4 kB: a third of the time of a picture with
    its gradient (tests/bench/cost.py measures it). It is the process's own setting, so the command
    line makes it, and no stage does. `pad`: bytes asked of the system at a time."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none
        return False
    return all([mallopt(M_MMAP_MAX, 0), mallopt(M_TRIM_THRESHOLD, 2**31 - 1), mallopt(M_TOP_PAD, pad)])
