"""The bytes of a pickle, read in order: numbers, texts and lines as its instructions spell them."""

from photodrag.weights.formats.budget import Refused, damaged

NAME_BYTES = 256
"""Of a module's name or of a class's; checkpoints' have some forty."""


class PickleStream:
    """Reads `data` from byte `position` on. Every method raises Refused where the data ends too early."""

    def __init__(self, data: memoryview, position: int = 0) -> None:
        self.data, self.position = data, position

    def take(self, count: int) -> memoryview:
        """The next `count` bytes, as a view of `data`."""
        if count > len(self.data) - self.position:
            raise Refused("it ends too early, so it's damaged or was not fetched to its end; fetch it again")
        self.position += count
        return self.data[self.position - count : self.position]

    def unsigned(self, size: int) -> int:
        """A number of `size` bytes, little-endian, 0 or more."""
        return int.from_bytes(self.take(size), "little")

    def signed(self, size: int) -> int:
        """A number of `size` bytes, little-endian, two's complement. Raises Refused for more than 8 bytes."""
        if size > 8:  # longer ones could be chosen to collide in a dict
            raise damaged("a number of more than 64 bits")
        return int.from_bytes(self.take(size), "little", signed=True)

    def counted(self, size: int) -> memoryview:
        """Bytes whose count comes first, as a number of `size` bytes."""
        return self.take(self.unsigned(size))

    def text(self, size: int, encoding: str = "utf-8") -> str:
        """A text whose length comes first, in bytes. Raises UnicodeDecodeError for what is no text."""
        return str(self.counted(size), encoding, "surrogatepass")

    def line(self) -> str:
        """A text up to the end of its line. Raises Refused for one of more than NAME_BYTES bytes."""
        rest = self.data[self.position : self.position + NAME_BYTES]
        line, end, _ = bytes(rest).partition(b"\n")
        self.take(len(line) + 1)
        if not end:
            raise damaged("a name that is none")
        return line.decode()
