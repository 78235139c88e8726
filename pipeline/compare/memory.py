"""The most memory that a piece of work had at once."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass
class Peak:
    """The most memory that a piece of work had at once."""

    bytes: int | None = None
    """None where the system doesn't tell."""


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Peak]:
    """Measure what is done in here: on a GPU its own memory, elsewhere the process's, on Linux alone."""
    peak = Peak()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield peak
        peak.bytes = torch.cuda.max_memory_allocated(device)
        return
    status, restart = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    try:
        if sys.platform.startswith("linux"):
            restart.write_text("5")  # proc(5): VmHWM begins anew
    except OSError:
        yield peak
        return
    yield peak
    if sys.platform.startswith("linux"):
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        peak.bytes = int(lines["VmHWM"].split()[0]) * 1024
