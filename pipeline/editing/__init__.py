"""The edit itself: planned, inverted, dragged, composited, blended back, reported."""
