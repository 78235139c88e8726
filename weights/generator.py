"""The type of a generator; it lies where every room can import it."""

from photodrag.weights.common.generator import Generator

__all__ = ["Generator"]
