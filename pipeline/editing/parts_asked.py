"""What a repainted map of a face's parts asks of it, so that it means the same on every photo; as files keep it, too:

{"landmarks": {"48": [-0.05, 0.01]}, "gaze": [0.3, 0.0], "forehead": 0.0}"""

from __future__ import annotations

from dataclasses import dataclass, field

from photodrag.pipeline.faces.expressions import Ways
from photodrag.pipeline.faces.preset_table import PRESETS, UNSHAPED, Reshaping
from photodrag.weights.common.face_landmarks import COUNT
from photodrag.weights.common.json_checks import is_number, is_row

HIGHEST = PRESETS["forehead"].reshaping.forehead


@dataclass(frozen=True)
class PartsAsked:
    """Where the parts of a face shall be, from where they are."""

    ways: Ways = field(default_factory=dict)
    """Landmark, by number → (right, down) in the face's own coordinates, in distances between its eyes; (0, 0) for
    one that is held."""
    reshaping: Reshaping = UNSHAPED
    """Where the eyes shall look, and how high the forehead shall be."""

    def __bool__(self) -> bool:
        return any(map(any, self.ways.values())) or bool(self.reshaping)

    @property
    def content(self) -> dict:
        """As files keep it."""
        ways = {number: list(way) for number, way in self.ways.items()}
        return {"landmarks": ways, "gaze": list(self.reshaping.gaze), "forehead": self.reshaping.forehead}

    @classmethod
    def of_content(cls, content: dict) -> PartsAsked:
        """What is kept so, once it is found right."""
        ways = {number: (float(x), float(y)) for number, (x, y) in content["landmarks"].items()}
        right, down = content["gaze"]
        return cls(ways, Reshaping((float(right), float(down)), forehead=float(content["forehead"])))


def is_parts(value: object) -> bool:
    """Whether a value of JSON is what files keep of parts."""
    if not isinstance(value, dict) or value.keys() != {"landmarks", "gaze", "forehead"}:
        return False
    ways, gaze, forehead = value["landmarks"], value["gaze"], value["forehead"]
    if not isinstance(ways, dict) or not all(is_row(2, is_number(below=100))(way) for way in ways.values()):
        return False
    if not all(number.isascii() and number.isdecimal() and int(number) < COUNT for number in ways):
        return False
    if not is_row(2, is_number(below=100))(gaze) or not is_number(below=100)(forehead):
        return False
    return all(abs(x) <= 1 for x in gaze) and abs(forehead) <= HIGHEST
