"""A vocabulary for regions, and random ones."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from baygrid.core.placement.demand import ANYWHERE, Demand, Infra, Target
from baygrid.core.placement.image import CentreView, Image, Node, OfferView, Partition, Placement, Rate

GIB = 1024


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
PARTITIONS = ("a", "b")
MODELS = ("H100", "A100")
_TARGETS = st.builds(Target, st.sampled_from(CENTRES), st.sampled_from((None, *PARTITIONS)))
_INFRAS = st.one_of(
    st.just(ANYWHERE),
    st.builds(
        Infra,
        st.lists(_TARGETS, max_size=2).map(tuple),
        st.booleans(),
        st.lists(_TARGETS, max_size=1).map(tuple),
    ),
)


@st.composite
def images(draw: st.DrawFn) -> Image:
    centres, offers = [], []
    for name in draw(st.lists(st.sampled_from(CENTRES), unique=True)):
        partitions = []
        for part in draw(st.lists(st.sampled_from(PARTITIONS), unique=True)):
            has = tuple(
                Node(
                    f"n{n}",
                    draw(st.integers(0, 6)),
                    draw(st.integers(0, 6)),
                    draw(st.dictionaries(st.sampled_from(MODELS), st.integers(0, 3))),
                )
                for n in range(draw(st.integers(0, 4)))
            )
            partitions.append(Partition(name, part, has, draw(st.sampled_from((None, 60, 120)))))
        silent, is_open = draw(st.sampled_from((None, None, None, 90))), draw(st.integers(0, 4)) > 0
        where = draw(st.sampled_from(("CN-QH", "HK")))
        centres.append(CentreView(name, where, is_open, silent, tuple(partitions)))
    for number in range(draw(st.integers(0, 6))):
        prices = st.integers(0, 4)
        offers.append(
            OfferView(
                f"offer-{number}",
                draw(st.sampled_from(CENTRES)),
                draw(st.sampled_from(PARTITIONS)),
                draw(st.sampled_from((None, *MODELS))),
                draw(st.sampled_from(("CNY", "CNY", "CNY", "HKD"))),
                Rate(Fraction(draw(prices)), Fraction(draw(prices)), Fraction(draw(prices), 3)),
            )
        )
    return Image(centres, offers, draw(usages(centres)))


@st.composite
def usages(draw: st.DrawFn, centres: list[CentreView]) -> list[Placement]:
    """Within what the nodes have."""
    usage = []
    for view in centres:
        for part in view.partitions:
            for node in part.nodes:
                if draw(st.integers(0, 3)):
                    continue
                model = draw(st.sampled_from((None, *MODELS)))
                used = draw(st.integers(0, node.accelerators.get(model, 0))) if model else 0
                cpus, memory = draw(st.integers(0, node.cpus)), draw(st.integers(0, node.memory_mib))
                name = f"live-{view.name}-{part.name}-{node.name}"
                usage.append(Placement(name, view.name, part.name, (node.name,), cpus, memory, model, used))
    return usage


DEMANDS = st.builds(
    Demand,
    job=st.just(""),
    project=st.just("demo"),
    currency=st.sampled_from(("CNY", "CNY", "CNY", "HKD")),
    nodes=st.sampled_from((1, 1, 2, 3)),
    cpus=st.integers(1, 4),
    memory_mib=st.integers(1, 4),
    time_s=st.sampled_from((30, 60, 100)),
    accelerators=st.lists(st.tuples(st.sampled_from(MODELS), st.integers(1, 3)), max_size=2, unique=True).map(
        tuple
    ),
    ordered=st.booleans(),
    infra=_INFRAS,
    residency=st.sampled_from((None, None, frozenset({"HK"}), frozenset({"HK", "CN-QH"}))),
    max_cost_minor=st.sampled_from((None, None, 0, 5, 50)),
)


def queues(most: int = 8) -> st.SearchStrategy[list[Demand]]:
    """Few shapes, each several times."""
    shapes = st.lists(DEMANDS, min_size=1, max_size=3)
    return shapes.flatmap(lambda kinds: st.lists(st.sampled_from(kinds), max_size=most)).map(_numbered)


def _numbered(queue: list[Demand]) -> list[Demand]:
    return [replace(demand, job=f"job-{n}") for n, demand in enumerate(queue)]
