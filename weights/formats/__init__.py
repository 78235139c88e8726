"""Checkpoint files: told apart by their content, and read without running anything in them."""
