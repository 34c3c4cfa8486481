"""How long one planning cycle takes, by length of the queue: 200 centres, 5,000 shapes, 2,000 users.

`python -m benchmarks.queue [jobs ...]` prints a line for each length (10,000, 100,000 and 1,000,000 where
none is given), each measured in a process of its own. Core only: no store, no commit. A cold cycle knows
nothing and finds an empty region; after it, what it placed is taken in. Then attempts end, jobs arrive, and
cycles go on. A restarted leader knows nothing either, and finds the region full.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any, Final

from baygrid.core.placement.demand import Demand, Infra, Target
from baygrid.core.placement.image import CentreView, Image, Node, OfferView, Partition, Rate
from baygrid.core.placement.plan import Assignment, Plan, Planner
from baygrid.core.placement.policy import PRIORITIES, Policy, QueuePolicy, Quota
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Capacity, Shares
from baygrid.core.placement.timeline.start_range import StartRanges

LENGTHS: Final = (10_000, 100_000, 1_000_000)
CENTRES, SHAPES = 200, 5_000
ORGANISATIONS, PROJECTS, USERS = 20, 10, 10
MODELS: Final = ("H100", "A100", "L40S", "Ascend910B", "MI300X", "H20")
CYCLES, ENDING = 20, 50
GIB: Final = 1024
SECOND: Final = 1000


def region() -> Image:
    """A partition with accelerators and one without in each centre: 6,400 nodes, 38,400 accelerators."""
    rng = Random(1)
    centres, offers = [], []
    for number in range(CENTRES):
        name, model = f"centre-{number:03}", MODELS[number % len(MODELS)]
        gpu = tuple(Node(f"g{n:02}", 128, 1024 * GIB, {model: 8}) for n in range(24))
        cpu = tuple(Node(f"c{n:02}", 96, 384 * GIB) for n in range(8))
        partitions = (Partition(name, "gpu", gpu, 86_400), Partition(name, "cpu", cpu))
        centres.append(CentreView(name, ("CN-QH", "HK")[number % 2], partitions=partitions))
        price = Rate(Fraction(rng.randint(80, 300), 10), Fraction(1, 4), Fraction(1, 20))
        offers.append(OfferView(f"{name}-gpu", name, "gpu", model, "CNY", price))
        plain = replace(price, cpu_hour=Fraction(1, 3))
        offers.append(OfferView(f"{name}-cpu", name, "cpu", None, "CNY", plain))
    return Image(centres, offers)


def shapes() -> list[Demand]:
    rng = Random(2)
    found = []
    for _ in range(SHAPES):
        each = rng.choice((1, 1, 2, 4, 8))
        asked = tuple((model, each) for model in rng.sample(MODELS, rng.choice((1, 1, 2, 3))))
        if rng.random() < 0.1:
            asked, each = (), 1
        infra = Infra((Target(f"centre-{rng.randrange(CENTRES):03}"),)) if rng.random() < 0.05 else Infra()
        found.append(
            Demand(
                job="",
                project="",
                currency="CNY",
                nodes=rng.choice((1,) * 9 + (2,)) if each < 8 else rng.choice((1, 1, 2, 4)),
                cpus=rng.randint(4, 12) * each,
                memory_mib=rng.randint(8, 64) * each * GIB,
                time_s=rng.randint(10, 1440) * 60,
                accelerators=asked,
                infra=infra,
                residency=frozenset({"HK"}) if rng.random() < 0.1 else None,
                max_cost_minor=10_000_000 + rng.randrange(1000),
                queue=rng.choice(("default", "default", "research", "industry")),
            )
        )
    return found


def policy() -> Policy:
    quotas = {"H100": Quota(3_000_000, None), "A100": Quota(3_000_000, None)}
    queues = {name: QueuePolicy(name, "region", quotas) for name in ("research", "industry")}
    return Policy(queues={**queues, "default": QueuePolicy("default", up_to=PRIORITIES["urgent"])})


class Arrivals:
    """Jobs of random shapes and users, one a millisecond."""

    def __init__(self) -> None:
        self._rng = Random(3)
        self._shapes = shapes()
        self._paths = [
            (f"org-{o:02}", f"project-{o:02}-{p}", f"user-{o:02}-{p}-{u}")
            for o in range(ORGANISATIONS)
            for p in range(PROJECTS)
            for u in range(USERS)
        ]
        self.count = 0

    def next(self) -> Demand:
        self.count += 1
        organisation, project, user = self._rng.choice(self._paths)
        shape = self._rng.choice(self._shapes)
        urgent = shape.queue == "default" and self._rng.random() < 0.1
        return replace(
            shape,
            job=f"job-{self.count:020}",
            organisation=organisation,
            project=project,
            user=user,
            priority=PRIORITIES["high" if urgent else "normal"],
            submitted_at=self.count,
        )


class Leader:
    """Takes in what it planned, as the scheduler does."""

    def __init__(self, jobs: int) -> None:
        self.rng = Random(4)
        self.image, self.policy = region(), policy()
        self.arrivals = Arrivals()
        self.backlog = Backlog(self.arrivals.next() for _ in range(jobs))
        self.shares = Shares(self.policy)
        self.capacity = Capacity.of(self.image, self.policy)
        self.planner = Planner()
        self.now = jobs

    def cycle(self) -> tuple[Plan, float]:
        """The plan, and the processor seconds that it took."""
        self.now += SECOND
        began = time.process_time()
        plan = self.planner.plan(self.image, self.backlog, self.policy, self.shares, self.now)
        took = time.process_time() - began
        for preemption in plan.preemptions:
            self.end(preemption.attempt)
        for assignment in plan.assignments:
            self.begin(assignment)
        return plan, took

    def begin(self, it: Assignment) -> None:
        demand = self.backlog.remove(it.job)
        assert demand is not None
        placement = replace(it.placement(f"a-{it.job}", demand, self.now), started_at=self.now)
        assert placement.ends_by is not None
        share = self.capacity.share(placement)
        self.shares.begin(placement.attempt, placement.path, share, self.now, placement.ends_by)
        self.image.occupy(placement)

    def end(self, attempt: str) -> None:
        self.shares.end(attempt, self.now)
        self.image.release(attempt)


def measure(jobs: int) -> dict[str, Any]:
    began = time.process_time()
    leader = Leader(jobs)
    gc.collect()
    gc.freeze()
    loaded = time.process_time() - began
    plan, cold = leader.cycle()
    first = len(plan.assignments)
    filling, placed = cold, first
    while plan.assignments:
        plan, seconds = leader.cycle()
        filling, placed = filling + seconds, placed + len(plan.assignments)
    _, full = leader.cycle()
    began = time.process_time()
    foreseen = leader.planner.foresee(
        leader.image, leader.backlog, leader.policy, leader.shares, StartRanges(), leader.now
    )
    foreseeing = time.process_time() - began
    leader.planner = Planner()
    _, restarted = leader.cycle()
    took, made = [], 0
    for _ in range(CYCLES):
        for attempt in leader.rng.sample(sorted(leader.image.live), min(ENDING, len(leader.image.live))):
            leader.end(attempt)
        for _ in range(ENDING):
            leader.backlog.add(leader.arrivals.next())
        plan, seconds = leader.cycle()
        took.append(seconds)
        made += len(plan.assignments)
    took.sort()
    return {
        "jobs": jobs,
        "lines": sum(kind.lines for kind in leader.backlog.kinds.values()),
        "load_cpu_s": round(loaded, 2),
        "cold_cycle_cpu_s": round(cold, 3),
        "cold_placed": first,
        "filling_placed": placed,
        "filling_us_per_placed": round(filling / max(1, placed) * 1e6, 1),
        "restarted_cycle_cpu_s": round(restarted, 3),
        "full_region_cycle_cpu_s": round(full, 4),
        "foresee_cpu_s": round(foreseeing, 4),
        "foreseen": len(foreseen),
        "incremental_cycle_cpu_ms_p50": round(took[len(took) // 2] * 1e3, 1),
        "incremental_cycle_cpu_ms_max": round(took[-1] * 1e3, 1),
        "incremental_placed_per_cycle": round(made / CYCLES, 1),
        "kept": len(plan.kept),
        "max_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def measure_all(lengths: Sequence[int] = LENGTHS) -> dict[str, Any]:
    """By length, each in a process of its own."""
    found = {}
    for jobs in lengths:
        command = [sys.executable, "-m", "benchmarks.queue", "--one", str(jobs)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[str(jobs)] = json.loads(done.stdout)
    return found


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        print(json.dumps(measure(int(sys.argv[2]))))
        return
    for figures in measure_all([int(text) for text in sys.argv[1:]] or LENGTHS).values():
        print("  ".join(f"{key} {value}" for key, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
