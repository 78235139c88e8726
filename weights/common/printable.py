"""Text from elsewhere, for a terminal."""


def printable(text: str) -> str:
    """The text with a � for every control character: the name of a file must not command the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
