"""A module's import that waits."""

import subprocess
import sys


def said_by(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8").stdout


def test_the_import_waits_until_something_is_used():
    assert (
        said_by("""
import sys
from photodrag.weights.common.later import import_later
import_later("xml.dom.minidom")
import xml.dom.minidom
from xml.dom import minidom
print("xml.dom.expatbuilder" in sys.modules, type(minidom).__name__)
print(minidom.Node.ELEMENT_NODE, minidom.parseString("<a>b</a>").documentElement.firstChild.data)
print(sys.modules["xml.dom.minidom"].__file__.endswith("minidom.py"))
""")
        == "False _Later\n1 b\nTrue\n"
    )


def test_what_was_imported_already_stays():
    assert (
        said_by("""
import json.decoder, sys
from photodrag.weights.common.later import import_later
import_later("json.decoder")
print(sys.modules["json.decoder"] is json.decoder)
""")
        == "True\n"
    )


def test_torch_asks_nothing_of_what_the_command_leaves_out():
    assert (
        said_by("""
import sys
from photodrag.pipeline import cli
from photodrag.weights.common.later import import_later
import_later(cli.FOR_TRACING)
import torch
print("torch._decomp.decompositions" in sys.modules)
layer = torch.nn.Conv2d(3, 4, 3, device="meta").to_empty(device="cpu")
print(layer(torch.zeros(1, 3, 8, 8)).shape[2:] == (6, 6))
print(callable(torch._meta_registrations.register_meta), "torch._decomp.decompositions" in sys.modules)
""")
        == "False\nTrue\nTrue True\n"
    )
