"""PyTorch's libraries, loaded while Python does something else."""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

LIBRARIES = ("libtorch_global_deps.so", os.RTLD_GLOBAL | os.RTLD_LAZY), ("libtorch_python.so", os.RTLD_LAZY)
"""In the order and, the first, with the flags of torch/__init__.py's _load_global_deps."""


def load_torch_ahead() -> Thread | None:
    """Begin what takes a third of `import torch`, the system's linking of its libraries, in a thread of its own; the
    `import` itself, later and anywhere, finds them there. Gives the thread, None where nothing was to be begun:
    PyTorch is imported already or missing, or the system is none that was tried (Linux with glibc).

    A thread that imports torch would save nothing, for an import holds Python's lock; a foreign call doesn't. Until it
    ends, other libraries wait for it: import what is needed meanwhile before."""
    if not sys.platform.startswith("linux") or "torch" in sys.modules or not (spec := find_spec("torch")):
        return None
    try:
        dlopen = ctypes.CDLL(None).dlopen
    except (OSError, AttributeError):
        return None
    dlopen.restype = ctypes.c_void_p
    folder = Path(spec.submodule_search_locations[0], "lib") if spec.submodule_search_locations else Path()

    def load() -> None:
        for name, flags in LIBRARIES:
            if not dlopen(os.fsencode(folder / name), flags):
                return  # the import says why

    thread = Thread(target=load, name="libraries of PyTorch", daemon=True)
    thread.start()
    return thread
