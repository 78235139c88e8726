"""What a tab has: a photo, its faces, the one that was chosen, what was learnt of it, and what drags came to."""

import secrets
from dataclasses import replace

from photodrag.pipeline.editing.inversion import Inversion
from photodrag.pipeline.faces.detection import Face
from photodrag.pipeline.page.limits import Limits
from photodrag.pipeline.page.work import Choice, Result
from photodrag.pipeline.people.person import Person
from photodrag.pipeline.photos.photo import Photo
from photodrag.weights.common.errors import UserError


class Results:
    """The latest results, by their numbers, which go up and are never used again: not by another tab either, for a page
    that has come back still knows those of the tab that it had. So they begin anywhere."""

    def __init__(self, limits: Limits):
        self._limits, self._counted = limits, secrets.randbelow(1 << 30)
        self._results: dict[int, Result] = {}

    def keep(self, result: Result) -> int:
        """Its number. Of older ones their drags' states are dropped, of still older ones everything."""
        self._counted += 1
        self._results[self._counted] = result
        numbers = list(self._results)
        for old in numbers[: -self._limits.films]:
            self._results[old] = replace(self._results[old], states=())
        for old in numbers[: -self._limits.results]:
            del self._results[old]
        return self._counted

    def get(self, number: int) -> Result | None:
        """The result of that number; None for one that is gone."""
        return self._results.get(number)

    def finished(self, number: int) -> Result:
        """One that can be saved. Raises UserError for a drag of an unfinished likeness, and where there is none."""
        result = self.get(number)
        if result is None or result.inversion.quality is None:
            raise UserError("There is nothing to save yet: drag first, on the finished likeness.")
        return result

    def forget(self) -> None:
        """Drop all results."""
        self._results.clear()


class TabState:
    """Written by the tab's jobs, one at a time."""

    def __init__(self, limits: Limits):
        self.results = Results(limits)
        self.forget()

    def forget(self) -> None:
        """As a tab begins, with no photo."""
        self.photo: Photo | None = None
        self.faces: list[Face] = []
        self.choice: Choice | None = None
        self.person: Person | None = None
        """Whose face was chosen, if it is the server's person's."""
        self.inversion: Inversion | None = None
        """As far as it has come: without `quality` it is a rough one."""
        self.results.forget()
