#!/usr/bin/env bash
# torch.autograd.grad with a gradient to start from imports SymPy, a second of a process's time on a laptop; without
# one it doesn't, though the gradient of (x · g).sum() is the same to the bit.
#
# Seen with torch 2.14.1, sympy 1.14.0 (installed with it), Python 3.11, Linux x86-64:
#   without a gradient: SymPy is imported: False
#   with a gradient: SymPy is imported: True, by torch.fx.experimental.symbolic_shapes, 400 modules or more
#   the same bits: True
# torch/autograd/__init__.py, _make_grads: the shapes of a given gradient are compared with helpers for symbolic sizes,
# imported there, whatever the sizes are. torch.Tensor.backward(gradient) does it, too.
#
# Why it matters here: a drag's loss has a part whose gradient is known in closed form; handed over as such, it made the
# first drag of every process a second later (drag/round.py multiplies instead).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.14.1 numpy==2.4.6
cat > "$folder/look.py" <<'PYTHON'
import sys

import torch

print("torch", torch.__version__)
torch.manual_seed(0)
x, g = torch.randn(4, 5, requires_grad=True), torch.randn(4, 5)
y = x.sin()
(a,) = torch.autograd.grad((y * g).sum(), x, retain_graph=True)
plain = "sympy" in sys.modules
before = len(sys.modules)
(b,) = torch.autograd.grad(y, x, g)
given, count = "sympy" in sys.modules, len(sys.modules) - before
print("without a gradient: SymPy is imported:", plain)
print("with a gradient: SymPy is imported:", given, "modules:", count)
print("the same bits:", torch.equal(a, b))
sys.exit(not (not plain and given and count >= 400 and torch.equal(a, b)))
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
