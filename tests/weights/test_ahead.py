"""PyTorch's libraries come in beside other work, and PyTorch is what it is without that."""

import subprocess
import sys

import pytest

from photodrag.weights.common.ahead import load_torch_ahead

PROGRAM = """
import sys
from pathlib import Path
from photodrag.weights.common.ahead import load_torch_ahead
thread = load_torch_ahead()
thread.join(60)
assert "torch" not in sys.modules and not thread.is_alive()
assert "libtorch_python.so" in Path("/proc/self/maps").read_text()
import torch
print(torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3)).item())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tried on Linux alone")
def test_the_libraries_are_there_before_the_import():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "9.0\n", "")


def test_what_is_imported_is_left():
    import torch

    assert torch.__name__ in sys.modules and load_torch_ahead() is None
