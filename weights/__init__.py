"""Where a generator comes from: its networks, file formats, names, fetching and checking."""

from photodrag.weights.errors import Failure, UserError

__all__ = ["Failure", "UserError"]
