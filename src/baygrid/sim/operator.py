"""What the operator does meanwhile, and how what legitimately waits for ever is given up at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from baygrid.app.catalogue import Catalogue
from baygrid.app.region_image import RegionImage
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.records import Held, JobRecord
from baygrid.ports.store import Store, Tx
from baygrid.sim.people import People
from baygrid.sim.snapshot import Snapshot
from baygrid.sim.workload import CHAOS_MS, ENDLESS, NOTICE_MS, PROJECTS, CentrePlan
from baygrid.sim.world import Violation, World

SWEEP_MS = 5_000


class Operator:
    def __init__(
        self, world: World, people: People, store: Store, snapshot: Snapshot, centres: Sequence[CentrePlan]
    ) -> None:
        self._world = world
        self._people = people
        self._store = store
        self._snapshot = snapshot
        self._centres = centres
        self._cancelled: set[str] = set()

    def begin(self) -> None:
        rng = self._world.rng
        for centre in self._centres:
            if rng.random() < 0.5:
                self._some_time(lambda name=centre.name: self._change_price(name))  # type: ignore[misc]
        if rng.random() < 0.3:
            name = rng.choice(self._centres).name
            self._some_time(lambda: self._people.operate("state", centre=name, state="drained"))
        if rng.random() < 0.3:
            project = rng.choice(PROJECTS)
            self._some_time(lambda: self._people.operate("grant", project=project, minor=5_000))
        for _ in range(rng.choice((0, 0, 1, 2))):
            self._some_time(self._lose_one)

        for _ in range(rng.choice((0, 2, 4, 8))):
            self._some_time(self._preempt_one)

    def _some_time(self, do: Callable[[], None]) -> None:
        self._world.after(self._world.rng.randrange(CHAOS_MS), "", do)

    def _change_price(self, centre: str) -> None:
        """With notice: a price that begins at once could touch what a clock that runs ahead has booked."""
        world = self._world
        self._people.operate(
            "tariff",
            offer=f"{centre}-main",
            accelerator_hour="0",
            cpu_hour=str(world.between(5, 40)),
            gib_hour="1",
            begins=world.now + world.between(NOTICE_MS, 3 * NOTICE_MS),
        )

    def _lose_one(self) -> None:
        live = sorted(a.id for a in self._snapshot.attempts.values() if not a.state.final)
        if live:
            self._people.lose(self._world.rng.choice(live))

    def _preempt_one(self) -> None:
        live = sorted(a.id for a in self._snapshot.attempts.values() if not a.state.final)
        if live:
            self._people.operate("preempt", attempt=self._world.rng.choice(live))

    def reopen(self) -> None:
        """Centres take jobs again, and nobody waits for what never ends."""
        for centre in self._centres:
            self._people.operate("state", centre=centre.name, state="open")
        self._end_the_endless()

    def _end_the_endless(self) -> None:
        """Again and again: a submission may have been long on its way."""
        for job in self._snapshot.jobs.values():
            if not job.state.final and job.spec["time"] == ENDLESS and job.id not in self._cancelled:
                self._cancelled.add(job.id)
                self._people.cancel(job.project, job.id)
        self._world.after(SWEEP_MS, "", self._end_the_endless)

    def clear_up(self) -> None:
        """What legitimately still waits, after a long time without faults, is given up by its owner: a queued
        job that fits nowhere at these prices, one held for money that is not there, an attempt that its
        centre does not know. Anything else that has not ended will be found at the end."""
        self._world.note("clearing up")
        waiting = self._fits_nowhere()
        for job in self._snapshot.jobs.values():
            if job.id in waiting or self._lacks_money(job):
                self._people.cancel(job.project, job.id)
        for attempt in self._snapshot.attempts.values():
            if attempt.state is AttemptState.UNKNOWN:
                self._people.lose(attempt.id)

    def _lacks_money(self, job: JobRecord) -> bool:
        """Raises Violation if there is enough."""
        if job.state is not JobState.HELD or job.cause != Held.MONEY:
            return False
        free = self._snapshot.projects[job.project].free
        if job.asked <= free:
            raise Violation("money finds its job", f"asks {job.asked} of {free} and is held", job.id)
        return True

    def _fits_nowhere(self) -> set[str]:
        """Queued jobs that a fresh leader would not place either. Raises Violation if there are others."""
        now = self._world.now

        def load(tx: Tx) -> RegionImage:
            image = RegionImage()
            image.take_region(Catalogue().at(tx), tx.region.seen(), now)
            image.take_attempts(tx.attempts.live())
            image.take_jobs(tx.jobs.queued(None, 1_000))
            return image

        known = self._store.read(load)
        fits = known.plan(now).assignments
        if fits:
            raise Violation("everything is placed", f"{fits[0]} was not placed", fits[0].job)
        return {job.id for job in self._snapshot.jobs.values() if job.state is JobState.QUEUED}
