"""The operator's policy document: what it means, what it refuses, and that writing and reading agree."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.placement.policy import (
    PRIORITIES,
    UNDECLARED,
    CentrePolicy,
    FlavorPolicy,
    Policy,
    QueuePolicy,
    Quota,
    Reserved,
)
from baygrid.core.placement.policy_file import parse, to_document
from baygrid.core.reading import MOST_PROBLEMS, DocumentError

WHOLE = {
    "half_life": "2d12h",
    "shares": {"uni": 2, "uni/vision": 4, "uni/vision/tok-1": 3},
    "queues": {
        "train": {
            "cohort": "main",
            "up_to": "high",
            "projects": ["vision", "speech"],
            "quotas": {"H100": {"nominal": 16, "borrowing": 8, "lending": 4}, "A100": 0.5, "cpu": 64},
        },
        "spare": {"cohort": "main", "quotas": {"H100": {"nominal": 0, "borrowing": "unlimited"}}},
        "open": None,
    },
    "reservations": [
        {
            "name": "exam", "centre": "hub", "partition": "gpu", "nodes": ["g1", "g2"],
            "from": "2026-12-01T08:00:00+08:00", "until": "2026-12-01T12:00:00Z", "projects": ["vision"],
        }
    ],
    "flavors": {"H100": {"rating": 1.0, "watts": 700}, "A100": {"rating": 0.45}},
    "centres": {
        "hub": {
            "managed": False, "max_pending": 4, "patience": "10m",
            "link": {"mbit_s": 1000, "gib_price": 0.05},
            "carbon": 540, "energy_price": [f"0.{h:02d}" for h in range(24)], "pue": 1.3, "watts_cpu": 5,
        }
    },
    "backfill": False,
    "preemption": False,
    "reserve": 3,
}  # fmt: skip


def mistakes(document: object) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        parse(document)
    return {mistake.path: mistake.message for mistake in caught.value.problems}


def test_every_field_means_what_it_says():
    policy = parse(WHOLE)
    assert policy.half_life_s == 60 * 3600
    assert policy.shares == {("uni",): 2, ("uni", "vision"): 4, ("uni", "vision", "tok-1"): 3}
    assert policy.queues["train"] == QueuePolicy(
        "train",
        "main",
        {"H100": Quota(16_000, 8_000, 4_000), "A100": Quota(500), "cpu": Quota(64_000)},
        PRIORITIES["high"],
        frozenset({"vision", "speech"}),
    )
    assert policy.queues["spare"].quotas["H100"] == Quota(0, None, None)
    assert policy.queues["open"] == QueuePolicy("open")
    assert policy.reservations == (
        Reserved(
            "exam", "hub", "gpu", ("g1", "g2"), 1_796_083_200_000, 1_796_126_400_000, frozenset({"vision"})
        ),
    )
    assert policy.flavors == {
        "H100": FlavorPolicy(Fraction(1), 700),
        "A100": FlavorPolicy(Fraction(9, 20)),
    }
    assert policy.centres["hub"] == CentrePolicy(
        managed=False,
        max_pending=4,
        patience_s=600,
        mbit_s=1000,
        gib_price=Fraction(1, 20),
        carbon_g_kwh=(540,) * 24,
        energy_price_kwh=tuple(Fraction(h, 100) for h in range(24)),
        pue=Fraction(13, 10),
        watts_cpu=5,
    )
    assert (policy.backfill, policy.preemption, policy.reserve) == (False, False, 3)


@pytest.mark.parametrize("document", [None, {}, {"queues": {}, "shares": None}])
def test_an_empty_document_is_a_region_without_a_policy(document: object):
    assert parse(document) == UNDECLARED


def test_what_is_as_without_a_policy_is_not_written():
    assert to_document(UNDECLARED) == {}


def test_all_mistakes_are_told_at_once():
    found = mistakes(
        {
            "half_lief": "7d",
            "shares": {"a/b/c/d": 1, "uni": 0, "uni/vision": None},
            "queues": {"a b": {}, "train": {"up_to": "top", "quotas": {"H100": {"nominal": 0.0001}}}},
            "reservations": [{"name": "x", "nodes": []}],
            "flavors": {"H100": {"rating": 0}},
            "centres": {"hub": {"carbon": [1, 2], "pue": 0.5, "managed": "yes", "max_pending": True}},
        }
    )
    assert list(found) == [
        "", "shares.a/b/c/d", "shares.uni", "shares.uni/vision", "queues.a b",
        "queues.train.quotas.H100.nominal", "queues.train.up_to", "reservations[0].nodes",
        "reservations[0].from", "reservations[0].until", "reservations[0].centre",
        "reservations[0].partition", "flavors.H100.rating", "centres.hub.managed", "centres.hub.max_pending",
        "centres.hub.carbon", "centres.hub.pue",
    ]  # fmt: skip
    assert found[""] == "unknown field 'half_lief': did you mean 'half_life'?"
    assert found["centres.hub.carbon"] == "must be one value, or 24 for the hours of the UTC day, not 2"
    assert found["queues.train.up_to"] == "must be low or normal or high or urgent, not 'top'"


def only(document: object) -> tuple[str, str]:
    ((path, message),) = mistakes(document).items()
    return path, message


def queue(**quota: object) -> object:
    return {"queues": {"q": {"quotas": {"H100": quota}}}}


def reserve(*windows: tuple[str, str, str]) -> object:
    return {
        "reservations": [
            {"name": name, "centre": "hub", "partition": "gpu", "nodes": ["g1"], "from": a, "until": b}
            for name, a, b in windows
        ]
    }


@pytest.mark.parametrize(
    ("document", "path", "says"),
    [
        ([], "", "must be a mapping with the fields half_life, shares"),
        ("queues", "", "must be a mapping"),
        ({True: 1}, "", "not true: put it in quotes"),
        ({"centers": {}}, "", "did you mean 'centres'?"),
        ({"xyzzy": 1}, "", "the fields here are half_life, "),
        ({"queues": {"q": {"quota": {}}}}, "queues.q", "did you mean 'quotas'?"),
        ({"queues": []}, "queues", "must be a mapping"),
        ({"queues": {"q": {"projects": ["a", "a"]}}}, "queues.q.projects[1]", "listed twice"),
        (queue(nominal=4, borrowing=1), "queues.q.quotas.H100.borrowing", "needs a cohort"),
        ({"queues": {"q": {"cohort": "c", "quotas": {"H100": {"nominal": 1, "lending": 2}}}}},
         "queues.q.quotas.H100.lending", "more than nominal"),
        (queue(borrowing=None), "queues.q.quotas.H100.nominal", "is missing"),
        (queue(nominal=-1), "queues.q.quotas.H100.nominal", "must be a number such as 0.8"),
        (queue(nominal=True), "queues.q.quotas.H100.nominal", "not true"),
        (queue(nominal=float("nan")), "queues.q.quotas.H100.nominal", "not nan"),
        (queue(nominal=10**5000), "queues.q.quotas.H100.nominal", "more than 19 digits"),
        ({"half_life": "0s"}, "half_life", "from 1m to 3660d"),
        ({"half_life": "soon"}, "half_life", "is not a length of time"),
        ({"reserve": 5000}, "reserve", "from 0 to 1000"),
        ({"centres": {"hub": {"energy_price": 1e-12}}}, "centres.hub.energy_price", "at most 9 decimals"),
        ({"centres": {"hub": {"link": 100}}}, "centres.hub.link", "must be a mapping with the fields mbit_s"),
        (reserve(("x", "2026-12-01", "2026-12-02T00:00:00Z")), "reservations[0].from", "say its offset"),
        (reserve(("x", "2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z")), "reservations[0].until", "later"),
        (reserve(("x", "2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z"),
                 ("y", "2026-12-02T00:00:00Z", "2026-12-04T00:00:00Z")), "reservations[1]", "overlaps with"),
        (reserve(("x", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
                 ("x", "2026-12-02T00:00:00Z", "2026-12-04T00:00:00Z")), "reservations[1]", "there are two"),
    ],
)  # fmt: skip
def test_a_mistake_says_where_and_the_cure(document: object, path: str, says: str):
    where, message = only(document)
    assert where == path
    assert says in message


def test_a_flood_of_mistakes_is_cut():
    with pytest.raises(DocumentError) as caught:
        parse({"shares": {f"x{n}": 0 for n in range(5000)}})
    assert len(caught.value.problems) == MOST_PROBLEMS + 1
    assert caught.value.problems[-1].message == "there are 4900 more problems of these kinds"


names = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?", fullmatch=True)
amounts = st.integers(0, 10**12 - 1)
decimals = st.builds(Fraction, st.integers(0, 10**18 - 1), st.just(10**9))
instants = st.integers(0, 4_000_000_000_000)


@st.composite
def quotas(draw: st.DrawFn, cohort: str | None) -> Quota:
    nominal = draw(amounts)
    if cohort is None:
        return Quota(nominal)
    return Quota(nominal, draw(st.none() | amounts), draw(st.none() | st.integers(0, nominal)))


@st.composite
def queues(draw: st.DrawFn) -> dict[str, QueuePolicy]:
    made = {}
    for key in draw(st.sets(names, max_size=3)):
        cohort = draw(st.none() | names)
        made[key] = QueuePolicy(
            key,
            cohort,
            draw(st.dictionaries(names, quotas(cohort), max_size=3)),
            draw(st.sampled_from(sorted(PRIORITIES.values()))),
            draw(st.none() | st.frozensets(names, max_size=3)),
        )
    return made


@st.composite
def reservations(draw: st.DrawFn) -> tuple[Reserved, ...]:
    made = []
    for number, key in enumerate(draw(st.lists(names, max_size=3, unique=True))):
        start = draw(instants)
        end = start + draw(st.integers(1, 10**9))
        nodes = tuple(f"{number}-{node}" for node in draw(st.sets(names, min_size=1, max_size=3)))
        projects = draw(st.frozensets(names, max_size=2))
        made.append(Reserved(key, draw(names), draw(names), nodes, start, end, projects))
    return tuple(made)


centres = st.builds(
    CentrePolicy,
    st.booleans(),
    st.none() | st.integers(1, 1_000_000),
    st.none() | st.integers(1, 366 * 86_400),
    st.integers(0, 100_000_000),
    decimals,
    st.just(()) | st.lists(st.integers(0, 10_000), min_size=24, max_size=24).map(tuple),
    st.just(()) | st.lists(decimals, min_size=24, max_size=24).map(tuple),
    st.builds(Fraction, st.integers(10**9, 10**10), st.just(10**9)),
    st.integers(0, 100_000),
)
flavors = st.builds(
    FlavorPolicy,
    st.builds(Fraction, st.integers(1000, 10**15), st.just(10**9)),
    st.integers(0, 100_000),
)
policies = st.builds(
    Policy,
    st.dictionaries(
        st.lists(names, min_size=1, max_size=3).map(tuple), st.integers(1, 1_000_000), max_size=4
    ),
    st.integers(60, 3660 * 86_400),
    queues(),
    reservations(),
    st.dictionaries(names, flavors, max_size=3),
    st.dictionaries(names, centres, max_size=2),
    st.booleans(),
    st.booleans(),
    st.integers(0, 1000),
)


@given(policies)
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read_again(policy: Policy):
    document = json.loads(json.dumps(to_document(policy)))
    assert parse(document) == policy


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("half_life", "shares", "queues", "reservations", "flavors", "centres", "backfill", "reserve")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_is_read_or_refused(document: dict[str, object]):
    try:
        policy = parse(document)
    except DocumentError:
        return
    assert parse(to_document(policy)) == policy
