"""People whose other photos are known: learned once, found again in a photo, and shown in edits of it."""
