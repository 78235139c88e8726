"""The arguments with which NVIDIA's TensorFlow networks were built, as their pickles keep them: only those that the
training gave, all others being the defaults of the code."""

from collections.abc import Mapping as Dict
from collections.abc import Sequence

from photodrag.weights.formats.canonical import abbreviated, unsupported, unusable


def check_required(given: dict[str, object], required: Dict[str, object]) -> None:
    """Raise UserError where an argument is given otherwise than every published network has it."""
    for name, supported in required.items():
        value = given.get(name, supported)
        if type(value) is not type(supported) or value != supported:
            raise unsupported(name, value)


def check_filter(given: dict[str, object], name: str, line: Sequence[int]) -> None:
    """Raise UserError where that argument is given, and is another low-pass filter than this line of numbers."""
    value = given.get(name, line)
    if not isinstance(value, list | tuple) or list(map(abbreviated, value)) != list(map(abbreviated, line)):
        raise unusable(f"its argument {name} is another filter than any published network has")
