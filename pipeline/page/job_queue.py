"""One computation at a time, fair between tabs, and none that can't be ended.

Each job has a thread of its own, for the library's functions run to their end in one; but it computes only while
it has the turn, and gives it up after every step. So there is one worker, and its queue is the jobs that wait."""

import itertools
import threading
import time
from collections.abc import Callable, Hashable

NUMBERS = itertools.count()


class Cancelled(BaseException):
    """Nobody wants this job's result any more. No Exception, so that nothing on the way takes it for a failure."""


class JobQueue:
    """The turn goes to the waiting tab that has computed least, and there to the latest job."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._seconds: dict[Hashable, float] = {}
        self._waiting: list[Job] = []
        self._holder: Job | None = None
        self._since = 0.0

    def take(self, job: "Job") -> None:
        """Wait for the turn, or, for the job that has it, for the next one. Raises Cancelled if it is cancelled."""
        with self._changed:
            if job.cancelled:
                raise Cancelled
            if self._holder is not job:
                # A tab that comes back has no claim for the time it was away.
                busy = {other.tab for other in (*self._waiting, self._holder) if other}
                least = 0.0 if job.tab in busy else min((self._computed(tab) for tab in busy), default=0.0)
                self._seconds[job.tab] = max(self._computed(job.tab), least)
            self._release(job)
            self._waiting.append(job)
            self._changed.notify_all()
            self._changed.wait_for(lambda: job.cancelled or (self._holder is None and self._next() is job))
            self._waiting.remove(job)
            if job.cancelled:
                self._changed.notify_all()
                raise Cancelled
            self._holder, self._since = job, time.monotonic()

    def give(self, job: "Job") -> None:
        """Give the turn up for good."""
        with self._changed:
            self._release(job)
            self._changed.notify_all()

    def _release(self, job: "Job") -> None:
        if self._holder is job:
            if job.tab in self._seconds:
                self._seconds[job.tab] += time.monotonic() - self._since
            self._holder = None

    def forget(self, tab: Hashable) -> None:
        """A tab was closed, and its jobs are cancelled."""
        with self._changed:
            self._seconds.pop(tab, None)

    def finish(self, seconds: float) -> None:
        """Wait until nothing is computed or waits: a process that ends in the middle of a step crashes."""
        with self._changed:
            self._changed.wait_for(lambda: self._holder is None and not self._waiting, seconds)

    def wake(self) -> None:
        """Let waiting jobs see that they are cancelled."""
        with self._changed:
            self._changed.notify_all()

    def _next(self) -> "Job":
        return min(self._waiting, key=lambda job: (self._computed(job.tab), -job.number))

    def _computed(self, tab: Hashable) -> float:
        """Seconds; 0 for a tab that was closed, whose jobs only have yet to see that they are cancelled."""
        return self._seconds.get(tab, 0.0)


class Job:
    """`work(job)` in a thread; then `ended(error)`, with None, Cancelled or what was raised, in the same thread."""

    def __init__(
        self,
        queue: JobQueue,
        tab: Hashable,
        work: Callable[["Job"], None],
        ended: Callable[[BaseException | None], None],
    ):
        self.tab, self.number = tab, next(NUMBERS)
        self.cancelled = self.stopping = False
        self._queue, self._work, self._ended = queue, work, ended
        self.ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def step(self) -> None:
        """Let others have their turn. Raises Cancelled where the job is."""
        self._queue.take(self)

    def stop(self) -> None:
        """Ask the work to end early with what it has."""
        self.stopping = True

    def cancel(self) -> None:
        """End the work at its next step, without a result."""
        self.cancelled = True
        self._queue.wake()

    def join(self, seconds: float) -> None:
        """Wait for the end of its thread, so long at most."""
        self._thread.join(seconds)

    def _run(self) -> None:
        error = None
        try:
            self._queue.take(self)
            self._work(self)
        except BaseException as raised:
            error = raised
        finally:
            self._queue.give(self)
        self._ended(error)
        self.ended = True
        del self._work, self._ended  # and what they hold: a photo, the bytes of an upload
