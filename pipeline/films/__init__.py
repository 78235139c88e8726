"""An edit as a film: its frames, and the files that hold them."""
