"""Photo files in and out: read, written whole, with their metadata; masks; pictures for pages and notebooks."""
