"""The methods of dragging that need nothing which a test would have to fetch."""

from photodrag.drag.methods import METHODS

FETCHED = {"flow-raft"}
"""Whose network is published elsewhere: tests/drag/test_flow.py tries it with weights of its own."""
HERE = [name for name in METHODS if name not in FETCHED]
