"""A vocabulary for regions, and random ones."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from random import Random

from hypothesis import strategies as st

from baygrid.core.placement.demand import ANYWHERE, Demand, Infra, Target
from baygrid.core.placement.image import CentreView, Image, Node, OfferView, Partition, Placement, Rate
from baygrid.core.placement.plan import Plan, explain, plan
from baygrid.core.placement.policy import UNDECLARED, Policy
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Shares
from baygrid.core.reasons import Explanation

GIB = 1024


def planned(image: Image, queue: Iterable[Demand], policy: Policy = UNDECLARED, now: int = 0) -> Plan:
    """The plan for a queue in its order: each job was submitted a millisecond after the one before."""
    backlog = Backlog(replace(demand, submitted_at=n) for n, demand in enumerate(queue))
    return plan(image, backlog, policy, Shares(policy), now)


def explained(
    image: Image,
    demand: Demand,
    policy: Policy = UNDECLARED,
    now: int = 0,
    queue: Iterable[Demand] = (),
) -> Explanation:
    """What is said about a job of a queue, or one that nobody is before."""
    backlog = Backlog(replace(it, submitted_at=n) for n, it in enumerate(queue))
    return explain(image, demand, policy, Shares(policy), backlog, now)


def nodes(
    count: int, cpus: int = 32, gib: int = 256, first: int = 0, **accelerators: int
) -> tuple[Node, ...]:
    return tuple(Node(f"n{first + n}", cpus, gib * GIB, accelerators) for n in range(count))


def centre(
    name: str, jurisdiction: str = "CN-QH", *, is_open=True, silent_s=None, limit_s=None, **partitions
):
    """`partitions`: name=nodes(...)."""
    parts = tuple(Partition(name, part, has, limit_s) for part, has in partitions.items())
    return CentreView(name, jurisdiction, is_open, silent_s, parts)


def offer(
    where: str, accelerator: str | None = None, price: int = 10, currency: str = "CNY", identifier: str = ""
):
    """`price`: major units per accelerator-hour; a cpu-hour is a tenth, a GiB-hour a hundredth of it."""
    name, partition = where.split("/")
    rate = Rate(Fraction(price), Fraction(price, 10), Fraction(price, 100))
    identifier = identifier or f"{where}/{accelerator or 'plain'}"
    return OfferView(identifier, name, partition, accelerator, currency, rate)


def job(
    name: str = "job",
    accelerators: str = "",
    *,
    count: int = 1,
    cpus: int = 8,
    gib: int = 64,
    hours: int = 1,
    ordered: bool = False,
    infra: Infra = ANYWHERE,
    residency: Iterable[str] | None = None,
    max_cost: int | None = None,
    currency: str = "CNY",
) -> Demand:
    """`accelerators`: "H100:8 A100:8"; `count` nodes; `max_cost` in minor units."""
    pairs = [asked.split(":") for asked in accelerators.split()]
    return Demand(
        name,
        "demo",
        currency,
        count,
        cpus,
        gib * GIB,
        hours * 3600,
        tuple((model, int(number)) for model, number in pairs),
        ordered,
        infra,
        None if residency is None else frozenset(residency),
        max_cost,
    )


def whose(demand: Demand, organisation: str = "lab", project: str = "demo", user: str = "", **turn) -> Demand:
    """`turn`: priority, submitted_at, deadline, queue."""
    return replace(demand, organisation=organisation, project=project, user=user, **turn)


def bay(h100: int = 2, a100: int = 2, plain: int = 2) -> Image:
    """Qianhai has H100 (and sells their cpus too) and plain nodes, Hetao A100, dearer."""
    return Image(
        [
            centre("qianhai", "CN-QH", gpu=nodes(h100, H100=4), cpu=nodes(plain)),
            centre("hetao", "HK", gpu=nodes(a100, A100=8)),
        ],
        [
            offer("qianhai/gpu", "H100", 20),
            offer("qianhai/cpu", None, 10),
            offer("hetao/gpu", "A100", 30),
            offer("hetao/gpu", None, 30),
        ],
    )


CENTRES = ("east", "west")
MODELS = ("H100", "A100")

# Random regions come from a seed, not from many small draws:
# nearly all of those are too poor to place anything.
SEEDS = st.integers(0, 2**48).map(Random)


def random_image(rng: Random) -> Image:
    centres = [random_centre(rng, name) for name in CENTRES if rng.random() < 0.95]
    offers = [
        OfferView(
            f"offer-{number}",
            rng.choice(CENTRES),
            rng.choice("ab"),
            rng.choice((None, *MODELS)),
            "CNY" if rng.random() < 0.95 else "HKD",
            Rate(Fraction(rng.randint(0, 4)), Fraction(rng.randint(0, 4)), Fraction(rng.randint(0, 4), 3)),
        )
        for number in range(rng.randint(2, 14))
    ]
    return Image(centres, offers, [used for view in centres for used in random_usage(rng, view)])


def random_centre(rng: Random, name: str) -> CentreView:
    partitions = []
    for part in "ab":
        has = tuple(
            Node(
                f"n{n}",
                rng.randint(2, 9),
                rng.randint(2, 9),
                {model: rng.randint(1, 5) for model in MODELS if rng.random() < 0.8},
            )
            for n in range(rng.randint(0, 5))
        )
        if rng.random() < 0.9:
            partitions.append(Partition(name, part, has, rng.choice((None, None, None, 60, 120))))
    silent_s = 90 if rng.random() < 0.05 else None
    return CentreView(name, rng.choice(("CN-QH", "HK")), rng.random() < 0.95, silent_s, tuple(partitions))


def random_usage(rng: Random, view: CentreView) -> Iterator[Placement]:
    """Within what the nodes have."""
    for part in view.partitions:
        for node in part.nodes:
            if rng.random() < 0.3:
                model = rng.choice((None, *node.accelerators))
                used = rng.randint(0, node.accelerators[model]) if model else 0
                cpus, memory = rng.randint(0, node.cpus), rng.randint(0, node.memory_mib)
                name = f"live-{view.name}-{part.name}-{node.name}"
                yield Placement(name, view.name, part.name, (node.name,), cpus, memory, model, used)


def random_target(rng: Random) -> Target:
    return Target(rng.choice(CENTRES), rng.choice((None, None, "a", "b")))


def random_demand(rng: Random) -> Demand:
    targets = tuple(random_target(rng) for _ in range(rng.choice((*9 * (0,), 1, 2, 2))))
    avoid = tuple(random_target(rng) for _ in range(rng.choice((*9 * (0,), 1))))
    models = rng.sample(MODELS, rng.choice((0, 1, 2)))
    asked = [(model, rng.randint(1, 3)) for model in models]
    if asked and rng.random() < 0.2:
        asked.append((models[0], 4))
    return Demand(
        "job",
        "demo",
        "CNY" if rng.random() < 0.95 else "HKD",
        rng.choice((1, 1, 2, 3)),
        rng.randint(1, 3),
        rng.randint(1, 3),
        rng.choice((30, 60, 60, 100)),
        tuple(asked),
        rng.random() < 0.5,
        Infra(targets, rng.random() < 0.5, avoid),
        rng.choice((*8 * (None,), frozenset({"HK"}), frozenset({"HK", "CN-QH"}))),
        rng.choice((*8 * (None,), 0, 50, 100)),
    )


def random_queue(rng: Random) -> list[Demand]:
    """Few shapes, each several times."""
    shapes = [random_demand(rng) for _ in range(rng.randint(1, 4))]
    return [replace(rng.choice(shapes), job=f"job-{n}") for n in range(rng.randint(1, 12))]


IMAGES = SEEDS.map(random_image)
DEMANDS = SEEDS.map(random_demand)
QUEUES = SEEDS.map(random_queue)
