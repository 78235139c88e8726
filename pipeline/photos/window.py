"""The part of a picture that matters."""

import numpy as np


def window_of(marks: np.ndarray) -> tuple[slice, slice] | None:
    """The rows and columns from the first to the last that hold True in bool [H, W]; None where nothing is."""
    rows, columns = (np.flatnonzero(marks.any(axis)).tolist() for axis in (1, 0))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if rows else None
