"""What a tab has: the photo that it asked for last, the face of it, what was learnt of that, and what drags came to.

Each is made anew when it is asked for, and filled by the job that it was asked of: nothing that a job writes, however
late, is taken for what was asked for after."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.faces.irises import Iris, find_irises
from photodrag.pipeline.page.limits import Limits
from photodrag.pipeline.page.work import Choice, Result
from photodrag.pipeline.people.person import Person
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights.common.errors import UserError


class Results:
    """The latest results, by their numbers, each of which is used once."""

    def __init__(self, limits: Limits, numbers: Iterator[int]):
        self._limits, self._numbers = limits, numbers
        self._results: dict[int, Result] = {}

    def keep(self, result: Result) -> int:
        """Its number. Of older ones their drags' states are dropped, of still older ones everything."""
        number = next(self._numbers)
        self._results[number] = result
        numbers = list(self._results)
        for old in numbers[: -self._limits.films]:
            self._results[old] = replace(self._results[old], states=())
        for old in numbers[: -self._limits.results]:
            del self._results[old]
        return number

    def get(self, number: int) -> Result | None:
        """The result of that number; None for one that is gone."""
        return self._results.get(number)

    def finished(self, number: int) -> Result:
        """One that can be saved. Raises UserError for a drag of an unfinished likeness, and where there is none."""
        result = self.get(number)
        if result is None or result.rough:
            raise UserError("There is nothing to save yet: drag first, on the finished likeness.")
        return result


@dataclass(eq=False)
class OpenedPhoto:
    """A photo that was asked for."""

    photo: Photo | None = None
    """None until it is read."""
    faces: list[Face] = field(default_factory=list)


@dataclass(eq=False)
class ChosenFace:
    """A face that was asked for, of a photo that was."""

    opened: OpenedPhoto
    results: Results
    choice: Choice | None = None
    """None until it is found."""
    person: Person | None = None
    """Whose face it is, if it is the server's person's."""
    inversion: Inversion | None = None
    """As far as it has come: without `quality` it is a rough one."""

    @cached_property
    def irises(self) -> tuple[Iris, Iris] | None:
        """The chosen face's, looked for once; None where they can't be seen."""
        photo = self.opened.photo
        return find_irises(photo.srgb, self.choice.face.landmarks) if self.choice and photo else None
