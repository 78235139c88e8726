"""What all tabs share: the models, the queue of jobs, the bounds."""

from collections.abc import Hashable
from pathlib import Path

from photodrag.drag import DragSettings
from photodrag.invert.projection import ProjectSettings
from photodrag.pipeline.editing.inversion import Models, Progress
from photodrag.pipeline.page.job_queue import JobQueue
from photodrag.pipeline.page.limits import Limits
from photodrag.pipeline.people.person import Person

SAMPLE = Path(__file__).parents[2] / "data" / "astronaut.png"
"""In a checkout and in an installed package alike: each lays `data` beside `pipeline`."""


class AppState:
    """Made once for a server; its tabs have all else each for themselves."""

    def __init__(
        self,
        generator: str = "face",
        device: str = "auto",
        limits: Limits = Limits(),
        projection: ProjectSettings | None = None,
        dragging: DragSettings = DragSettings(),
        models: Models | None = None,
        person: Person | None = None,
    ):
        """projection: None for as good a one as edits need. models: loaded ones; generator and device are then those,
        and what these two say is not looked at. person: whose photos are edited."""
        self.generator, self.device, self.limits = generator, device, limits
        self.projection, self.dragging = projection, dragging
        self.queue = JobQueue()
        self.tabs: set[Hashable] = set()
        self._models, self.person = models, person

    @property
    def generator_name(self) -> str:
        """Of the models, or those that will be loaded."""
        return self._models.name if self._models else str(self.generator)

    def models(self, progress: Progress) -> Models:
        """The models, loaded for the first who asks. To be called by who has the turn."""
        if self._models is None:
            self._models = Models.load(self.generator, self.device, progress)
        return self._models
