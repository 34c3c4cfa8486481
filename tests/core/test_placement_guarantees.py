"""What holds in every history of a random region: jobs come, run within their time, end, are stopped."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from hypothesis import given, settings

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.plan import Plan, Planner, plan
from baygrid.core.placement.policy import CentrePolicy, Policy, QueuePolicy, Quota, Reserved
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Capacity, Shares
from tests.core.region import (
    CENTRES,
    MODELS,
    SEEDS,
    explained,
    random_demand,
    random_image,
    whose,
)
from tests.core.test_placement_properties import free

QUEUES = ("default", "lab", "firm")


def random_policy(rng: Random, image: Image, cohorts: bool = True, managed: bool = True) -> Policy:
    queues = {"default": QueuePolicy("default", up_to=400)}
    for name in QUEUES[1:]:
        quotas = {
            flavor: Quota(
                1000 * rng.randint(0, 12),
                rng.choice((None, 0, 2000, 9000)),
                rng.choice((None, None, 0, 3000)),
            )
            for flavor in (*MODELS, "cpu")
            if rng.random() < 0.7
        }
        cohort = rng.choice((None, "c", "c")) if cohorts else None
        queues[name] = QueuePolicy(name, cohort, quotas, up_to=400)
    windows = []
    for where, pool in image.pools.items():
        if pool.partition.nodes and rng.random() < 0.2:
            start = rng.randint(-50, 300) * 1000
            names = tuple(n.name for n in pool.partition.nodes[: rng.randint(1, 3)])
            whom = rng.choice((frozenset[str](), frozenset({"p"})))
            windows.append(Reserved("exam", *where, names, start, start + 100_000, whom))
    centres = {}
    if not managed and rng.random() < 0.7:
        centres[rng.choice(CENTRES)] = CentrePolicy(False, rng.choice((None, 1, 2)))
    return Policy(
        queues=queues,
        reservations=tuple(windows),
        centres=centres,
        reserve=rng.choice((1, 2, 8)),
        half_life_s=600,
    )


def random_job(rng: Random, number: int, several: bool = True) -> Demand:
    demand = random_demand(rng)
    if rng.random() < 0.2:
        demand = replace(demand, min_nodes=1, shape=None)
    if not several:
        return whose(replace(demand, job=f"j{number:03}"), submitted_at=number)
    return whose(
        replace(demand, job=f"j{number:03}"),
        rng.choice("ab"),
        rng.choice("pq"),
        rng.choice("uv"),
        queue=rng.choice(QUEUES),
        priority=rng.choice((100, 200, 200, 300)),
        submitted_at=number,
    )


class World:
    """A leader's memory, and the clock."""

    def __init__(self, rng: Random, image: Image, policy: Policy) -> None:
        self.rng = rng
        self.image = Image(image.centres.values(), image.offers)
        self.policy = policy
        self.shares = Shares(policy)
        self.capacity = Capacity.of(image, policy)
        self.backlog = Backlog()
        self.planner = Planner()
        self.now = 0
        self.demands: dict[str, Demand] = {}
        self.ends: dict[str, int] = {}
        self.attempts = 0
        self.started: dict[str, int] = {}

    def submit(self, demand: Demand) -> None:
        self.demands[demand.job] = demand
        self.backlog.add(demand)

    def runnable(self, demand: Demand) -> bool:
        """Whether it fits the region and its quota when nobody has anything."""
        empty = Image(self.image.centres.values(), self.image.offers)
        return bool(plan(empty, Backlog([demand]), self.policy, self.shares, self.now).assignments)

    def cycle(self) -> Plan:
        made = self.planner.plan(self.image, self.backlog, self.policy, self.shares, self.now)
        assert made == plan(self.image, self.backlog, self.policy, self.shares, self.now), (
            "a warm one differs"
        )
        for preemption in made.preemptions:
            placement = self.image.live[preemption.attempt]
            self.image.occupy(replace(placement, stopping=True))
            self.ends[preemption.attempt] = self.now + 1000
        for it in made.assignments:
            demand = self.backlog.remove(it.job)
            assert demand is not None
            self.attempts += 1
            name = f"att-{self.attempts}"
            placement = replace(
                it.placement(name, demand, self.now),
                started_at=self.now,
                checkpointed=self.rng.random() < 0.3,
            )
            self.image.occupy(placement)
            self.started.setdefault(demand.job, self.now)
            assert placement.ends_by is not None
            share = self.capacity.share(placement)
            self.shares.begin(name, demand.path, share, self.now, placement.ends_by)
            self.ends[name] = self.now + self.rng.randint(1, demand.time_s) * 1000
        return made

    def wait(self) -> bool:
        """To the next end; False: nothing runs."""
        windows = [w.end for w in self.policy.reservations if w.end > self.now]
        if not self.ends and not windows:
            return False
        self.now = min([*self.ends.values(), *windows])
        for name in [name for name, end in self.ends.items() if end <= self.now]:
            del self.ends[name]
            placement = self.image.live[name]
            self.image.release(name)
            self.shares.end(name, self.now)
            if placement.stopping:
                self.backlog.add(self.demands[placement.job])
        return True


def histories(rng: Random, world: World, jobs: list[Demand]) -> Iterator[Plan]:
    """Each plan, after it was taken in."""
    waiting = list(jobs)
    for _ in range(400):
        for _ in range(rng.randint(0, 6)):
            if waiting:
                world.submit(waiting.pop(0))
        yield world.cycle()
        if not world.wait() and not waiting:
            return
    raise AssertionError("it does not come to an end")


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_capacity_gangs_and_quotas_hold_in_every_history_and_everything_runs_in_the_end(rng: Random):
    image = random_image(rng)
    world = World(rng, image, random_policy(rng, image))
    jobs = [random_job(rng, number) for number in range(rng.randint(1, 20))]
    for made in histories(rng, world, jobs):
        assert all(amount >= 0 for room in free(world.image).values() for amount in room.values())
        for it in made.assignments:
            demand = world.demands[it.job]
            assert it.count == len(set(it.nodes)) == len(it.nodes), "a gang is whole, on different nodes"
            assert demand.least <= it.count <= demand.nodes
        assert_reservations(world, made)
        assert_quotas(world)
    assert not [d.job for d in world.backlog if world.runnable(d)], "starved"


def assert_reservations(world: World, made: Plan) -> None:
    for it in made.assignments:
        demand = world.demands[it.job]
        for window in world.policy.reservations:
            if (it.centre, it.partition) == (window.centre, window.partition) and set(it.nodes) & set(
                window.nodes
            ):
                before = world.now + demand.time_s * 1000 <= window.start
                assert demand.project in window.projects or before or world.now >= window.end


def assert_quotas(world: World) -> None:
    used: Counter[tuple[str, str]] = Counter()
    for it in world.image.usage:
        used[it.queue, it.flavor] += it.amount
    assert {key: n for key, n in used.items() if n} == {key: n for key, n in world.image.used.items() if n}
    cohorts: dict[tuple[str, str], list[tuple[Quota, int]]] = {}
    for name, queue in world.policy.queues.items():
        for flavor, quota in queue.quotas.items():
            mine = used[name, flavor]
            if queue.cohort is None:
                assert mine <= quota.nominal
            else:
                cohorts.setdefault((queue.cohort, flavor), []).append((quota, mine))
                assert quota.borrowing is None or mine <= quota.nominal + quota.borrowing
    for members in cohorts.values():
        assert sum(mine for _, mine in members) <= sum(quota.nominal for quota, _ in members)
        for quota, mine in members:
            lent = sum(other.nominal if other.lending is None else min(other.lending, other.nominal)
                       for other, _ in members if other is not quota)  # fmt: skip
            assert mine <= quota.nominal + lent, "more is lent than may be"


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_kept_place_is_never_delayed_by_those_whose_turn_comes_later(rng: Random):
    """One user's jobs, so that turns go by age: the first that waits starts when it was told, or before."""
    image = random_image(rng)
    world = World(rng, image, replace(random_policy(rng, image, cohorts=False), preemption=False))
    jobs = [random_job(rng, number, several=False) for number in range(rng.randint(2, 20))]
    promised: dict[str, int] = {}
    for made in histories(rng, world, jobs):
        for job, start in promised.items():
            assert job in world.started or start > world.now, "it should run by now"
        if made.kept:
            first = made.kept[0]
            assert first.start <= promised.get(first.job, first.start), "its start was put off"
            promised[first.job] = first.start
    assert all(world.started[job] <= start for job, start in promised.items())


FIT = {
    "reserved": lambda policy: replace(policy, reservations=()),
    "kept": lambda policy: replace(policy, reserve=0),
    "quota-kept": lambda policy: replace(policy, reserve=0),
    "pending": lambda policy: replace(
        policy, centres={name: CentrePolicy(False, 10**6) for name in policy.centres}
    ),
    "quota": lambda policy: replace(policy, queues={n: QueuePolicy(n, up_to=400) for n in policy.queues}),
    "over-quota": lambda policy: replace(
        policy, queues={n: QueuePolicy(n, up_to=400) for n in policy.queues}
    ),
}


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_each_obstacle_of_a_waiting_job_is_gone_when_its_cause_alone_is(rng: Random):
    image = random_image(rng)
    policy = random_policy(rng, image, managed=False)
    queue = [random_job(rng, number) for number in range(rng.randint(1, 8))]
    usage = [random_owner(rng, it) for it in image.usage]
    image = Image(image.centres.values(), image.offers, usage)
    demand = rng.choice(queue)
    table = explained(image, demand, policy, queue=queue)
    for verdict in table.verdicts:
        for reason in verdict.obstacles:
            cure = FIT.get(reason.code)
            if cure is not None:
                again = explained(image, demand, cure(policy), queue=queue)
                same = next(v for v in again.verdicts if v.subject == verdict.subject)
                assert reason.code not in {r.code for r in same.obstacles}, reason


def random_owner(rng: Random, it: Placement) -> Placement:
    started = rng.choice((None, -rng.randint(0, 100) * 1000))
    return replace(
        it,
        queue=rng.choice(QUEUES),
        priority=rng.choice((100, 200, 300)),
        started_at=started,
        ends_by=rng.randint(1, 200) * 1000,
    )
