"""Three projects with shares 1 : 2 : 4 and endless backlogs: what each gets, over centres of three kinds."""

from dataclasses import replace
from heapq import heappop, heappush
from random import Random

import pytest

from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.plan import Planner
from baygrid.core.placement.policy import CentrePolicy, Policy
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Capacity, Shares
from tests.core.region import centre, job, nodes, offer, whose

WEIGHTS = {"a": 1, "b": 2, "c": 4}
WAITING = 25
MINUTE = 60_000


class Region:
    """`managed` places nodes; `slurm` queues what it is sent and starts it in that order; `ray` starts what
    it is sent at once. Each has 32 accelerators."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        has = nodes(4, cpus=128, gib=1024, A100=8)
        names = ("managed", "ray", "slurm")
        self.image = Image([centre(n, gpu=has) for n in names], [offer(f"{n}/gpu", "A100") for n in names])
        self.policy = Policy(
            shares={("lab", project): weight for project, weight in WEIGHTS.items()},
            centres={"ray": CentrePolicy(False), "slurm": CentrePolicy(False, max_pending=4)},
        )
        self.shares = Shares(self.policy)
        self.capacity = Capacity.of(self.image, self.policy)
        self.planner, self.backlog = Planner(), Backlog()
        self.now = self.count = 0
        self.ends: list[tuple[int, str]] = []
        self.lengths: dict[str, int] = {}
        self.slurm: list[Placement] = []
        self.had = dict.fromkeys(WEIGHTS, 0)

    def fill(self) -> None:
        """Every project always waits with more than fits."""
        waiting = dict.fromkeys(WEIGHTS, 0)
        for demand in self.backlog:
            waiting[demand.project] += 1
        for project, number in waiting.items():
            for _ in range(WAITING - number):
                self.count += 1
                each = self.rng.choice((1, 1, 2, 4, 8))
                pair = 2 if each == 8 and self.rng.random() < 0.5 else 1
                name = f"{project}-{self.count:05}"
                demand = job(
                    name, f"A100:{each}", count=pair, cpus=each, gib=each, hours=self.rng.randint(1, 4)
                )
                self.lengths[name] = self.rng.randint(5, demand.time_s // 60) * MINUTE
                user = self.rng.choice("uvw")
                self.backlog.add(whose(demand, project=project, user=user, submitted_at=self.count))

    def place(self) -> None:
        for it in self.planner.plan(self.image, self.backlog, self.policy, self.shares, self.now).assignments:
            demand = self.backlog.remove(it.job)
            assert demand is not None
            placement = it.placement(it.job, demand, self.now)
            self.book(placement)
            if it.centre == "slurm":
                self.slurm.append(placement)
            else:
                self.start(placement)

    def book(self, it: Placement) -> None:
        self.image.occupy(it)
        share = self.capacity.share(it)
        assert it.ends_by is not None
        self.shares.begin(it.attempt, it.path, share, it.started_at or it.placed_at, it.ends_by)

    def start(self, it: Placement) -> None:
        assert it.ends_by is not None
        length = it.ends_by - it.placed_at
        self.book(replace(it, started_at=self.now, ends_by=self.now + length))
        heappush(self.ends, (self.now + self.lengths[it.attempt], it.attempt))

    def start_slurm(self) -> None:
        """First come, first served, by the sum of its accelerators."""
        while self.slurm:
            live = [p for p in self.image.at(("slurm", "gpu")) if p.started_at is not None]
            used = sum(p.accelerators * p.count for p in live)
            if used + self.slurm[0].accelerators * self.slurm[0].count > 32:
                return
            self.start(self.slurm.pop(0))

    def step(self) -> None:
        self.fill()
        self.place()
        self.start_slurm()
        self.now, name = heappop(self.ends)
        done = self.image.live[name]
        self.had[done.project] += done.accelerators * done.count * self.lengths[name]
        self.image.release(name)
        self.shares.end(name, self.now)
        self.start_slurm()


@pytest.mark.slow
def test_projects_get_what_their_shares_entitle_them_to():
    region = Region(1)
    for _ in range(1_200):
        region.step()
    total = sum(region.had.values())
    for project, weight in WEIGHTS.items():
        entitled = total * weight / 7
        assert abs(region.had[project] - entitled) < 0.05 * entitled, (project, region.had)
