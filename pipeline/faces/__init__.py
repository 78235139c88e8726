"""Faces in a photo: finding them, their landmarks and names, the aligned crop, presets."""
