"""The job file: what is read, what it means, and that it can be written again."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.jobs.array import Array
from baygrid.core.jobs.checkpoint import Checkpoint
from baygrid.core.jobs.infra import ANY, Infra, Place
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.jobs.resources import AcceleratorRequest, Resources
from baygrid.core.jobs.retry import Retry
from baygrid.core.jobs.spec import JobSpec, parse, require_uploaded, to_document
from baygrid.core.jobs.work import Work
from baygrid.core.reading import DocumentError
from baygrid.core.units import Money

SMALL: dict[str, object] = {"name": "noop", "project": "demo", "run": "true", "time": "1m"}
BLOB = "blob:" + "0123456789abcdef" * 4

H100, A100 = AcceleratorRequest("H100", 8), AcceleratorRequest("A100", 8)


def job(**fields: object) -> JobSpec:
    return parse(SMALL | fields)


def test_a_small_job_has_modest_defaults():
    spec = parse(SMALL)
    assert spec == JobSpec(name="noop", project="demo", run="true", time=60)
    assert spec.resources == Resources(cpus=1, memory=1024, accelerators=(), ordered=False)
    assert (spec.nodes, spec.infra, spec.max_cost, spec.residency, spec.lost_after) == (
        1,
        ANY,
        None,
        (),
        None,
    )


def test_every_supported_field():
    spec = parse(
        {
            "name": "images.2026_a-1",
            "project": "Demo",
            "nodes": "2..4",
            "resources": {"accelerators": "H100:8", "cpus": "8+", "memory": "64+"},
            "time": "4h",
            "workdir": ".",
            "inputs": {"photos": BLOB, "labels": "../labels"},
            "outputs": {"labels": "results/labels"},
            "setup": "pip install -r requirements.txt",
            "run": "python label.py\n",
            "envs": {"BATCH": "64", "N": 64, "RATE": 0.5, "DEBUG": True, "EMPTY": ""},
            "queue": "night",
            "priority": "high",
            "prefer": "time",
            "deadline": "2026-12-01T08:00+08:00",
            "lost_after": "1d",
            "array": {"range": "5-14", "parallel": 100},
            "after": ["job-1", "array-2"],
            "checkpoint": {"signal": "SIGUSR1", "grace": "60s", "path": "./out/ckpt/"},
            "retry": {"on": ["lost", "error"], "max": 3},
            "infra": {"ordered": ["north/gpu", "south"], "avoid": ["north/old"]},
            "budget": {"max_cost": "500 CNY"},
            "data": {"residency": ["HK", "CN-QH"]},
            "work": {"audio_hours": 2.5},
        }
    )
    assert spec == JobSpec(
        name="images.2026_a-1",
        project="Demo",
        nodes=4,
        min_nodes=2,
        resources=Resources(8, 65_536, (H100,)),
        time=14_400,
        workdir=".",
        inputs={"photos": BLOB, "labels": "../labels"},
        outputs={"labels": "results/labels"},
        setup="pip install -r requirements.txt",
        run="python label.py\n",
        envs={"BATCH": "64", "N": "64", "RATE": "0.5", "DEBUG": "true", "EMPTY": ""},
        lost_after=86_400,
        array=Array(5, 14, 10),
        after=("job-1", "array-2"),
        checkpoint=Checkpoint("USR1", 60, "out/ckpt"),
        retry=Retry(("lost", "error"), 3),
        queue="night",
        priority="high",
        prefer="time",
        deadline=1_796_083_200_000,
        infra=Infra((Place("north", "gpu"), Place("south")), True, (Place("north", "old"),)),
        max_cost=Money(50_000, "CNY"),
        residency=("CN-QH", "HK"),
        work=Work("audio_hours", 2500),
    )


@pytest.mark.parametrize(
    ("value", "alternatives", "ordered"),
    [
        ("H100:8", (H100,), False),
        ("H100", (AcceleratorRequest("H100", 1),), False),
        (["H100:8", "A100:8"], (H100, A100), True),
        (["H100:8", "H100:4"], (H100, AcceleratorRequest("H100", 4)), True),
        (["H100:8"], (H100,), False),
        ({"H100": 8, "A100": 8}, (A100, H100), False),
        ({"H100:8": None, "A100:8": None}, (A100, H100), False),  # YAML's {H100:8, A100:8}
        ({"H100:8", "A100:8"}, (A100, H100), False),
        ([], (), False),
        (None, (), False),
        ("H100:0.5", (AcceleratorRequest("H100", 1, 500),), False),
        ("H100:0.001", (AcceleratorRequest("H100", 1, 1),), False),
        (["H100:0.25", "H100:1"], (AcceleratorRequest("H100", 1, 250), AcceleratorRequest("H100")), True),
        (
            {"H100": 0.999, "A100:0.50": None},
            (AcceleratorRequest("A100", 1, 500), AcceleratorRequest("H100", 1, 999)),
            False,
        ),
    ],
)
def test_accelerators(value: object, alternatives: tuple[AcceleratorRequest, ...], ordered: bool):
    wanted = job(resources={"accelerators": value}).resources
    assert (wanted.accelerators, wanted.ordered) == (alternatives, ordered)


@pytest.mark.parametrize("cpus", [8, "8", "8+", "8.."])
@pytest.mark.parametrize("memory", [64, 64.0, "64", "64+", "64..", "64GiB", "64GB+", "65536MiB.."])
def test_cpus_and_memory_are_the_least_that_will_do(cpus: object, memory: object):
    assert job(resources={"cpus": cpus, "memory": memory}).resources == Resources(8, 65_536)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("any", ANY),
        ("north", Infra((Place("north"),))),
        ("north/gpu", Infra((Place("north", "gpu"),))),
        ({"any_of": ["south", "north"]}, Infra((Place("north"), Place("south")))),
        ({"ordered": ["south", "north"]}, Infra((Place("south"), Place("north")), ordered=True)),
        ({"ordered": ["south"]}, Infra((Place("south"),))),
        ({"avoid": ["south", "north/gpu"]}, Infra(avoid=(Place("north", "gpu"), Place("south")))),
        ({}, ANY),
    ],
)
def test_infra(value: object, where: Infra):
    assert job(infra=value).infra == where


def test_num_nodes_is_another_word_for_nodes():
    assert job(num_nodes=4).nodes == 4


def test_a_range_of_nodes_is_elastic():
    assert (job(nodes="2..8").min_nodes, job(nodes="2..8").nodes) == (2, 8)
    assert job(nodes="3..3") == job(nodes=3)
    assert to_document(job(num_nodes="2..8"))["nodes"] == "2..8"


@pytest.mark.parametrize(
    ("value", "state", "cause", "retries", "again"),
    [
        ({"max": 2}, AttemptState.FAILED, "exit-code", 1, True),
        ({"max": 2}, AttemptState.FAILED, "exit-code", 2, False),
        ({}, AttemptState.FAILED, "interrupted", 0, True),
        ({}, AttemptState.FAILED, "interrupted", 1, False),
        ({"on": ["lost"]}, AttemptState.FAILED, "interrupted", 0, False),
        ({"on": ["lost"]}, AttemptState.LOST, "lost", 0, True),
        ({"on": ["error"]}, AttemptState.LOST, "lost", 0, False),
        ({}, AttemptState.FAILED, "time-limit", 0, False),
        ({}, AttemptState.FAILED, "out-of-memory", 0, False),
        ({}, AttemptState.CANCELLED, None, 0, False),
        ({"max": 0}, AttemptState.FAILED, "exit-code", 0, False),
    ],
)
def test_what_is_tried_again(
    value: object, state: AttemptState, cause: str | None, retries: int, again: bool
):
    assert job(retry=value).retry.after(state, cause, retries) is again


def test_nothing_is_tried_again_unasked():
    assert not parse(SMALL).retry.after(AttemptState.FAILED, "interrupted", 0)


def test_a_null_field_is_one_that_is_not_given():
    empty = dict.fromkeys(
        ("nodes", "resources", "workdir", "inputs", "setup", "envs", "infra", "budget", "image")
    )
    assert parse(SMALL | empty) == parse(SMALL)


def test_paths_must_be_uploaded_before_the_server_takes_the_job():
    assert require_uploaded(job(workdir=BLOB, inputs={"a": BLOB}, outputs={"b": "b"})) == ()
    problems = require_uploaded(job(workdir=".", inputs={"a": BLOB, "b": "C:\\b", "c": "/data/c"}))
    assert [problem.path for problem in problems] == ["workdir", "inputs.b", "inputs.c"]
    assert "upload it" in problems[0].message
    assert job(workdir=BLOB, inputs={"a": "./a", "b": BLOB}).blobs == dict.fromkeys(
        ("workdir", "inputs.b"), BLOB[5:]
    )


def test_equal_wishes_are_equal_values():
    spec = job(resources={"accelerators": {"H100": 8, "A100": 8}}, infra={"any_of": ["b", "a"]})
    same = parse(
        {"name": "other", "project": "other", "run": "false", "time": 60, "setup": "x", "envs": {"A": 1}}
        | {"resources": {"accelerators": {"A100": 8, "H100": 8}}, "infra": {"any_of": ["a", "b"]}}
    )
    assert (spec.resources, spec.infra) == (same.resources, same.infra)
    assert hash((spec.resources, spec.infra)) == hash((same.resources, same.infra))
    in_order = parse(SMALL | {"resources": {"accelerators": ["H100:8", "A100:8"]}})
    assert in_order.resources != spec.resources


NAMES = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
REQUESTS = st.tuples(NAMES, st.integers(1, 1024))
PLACES = st.builds("/".join, st.lists(NAMES, min_size=1, max_size=2)).filter(
    lambda place: place.split("/")[0] != "any"
)
PLACE_LISTS = st.lists(PLACES, min_size=1, max_size=4, unique=True)
DURATIONS = st.integers(1, 366 * 86_400)
OPTIONAL = {
    "nodes": st.integers(1, 1024)
    | st.tuples(st.integers(1, 512), st.integers(0, 512)).map(lambda n: f"{n[0]}..{n[0] + n[1]}"),
    "priority": st.sampled_from(["low", "normal", "high", "urgent"]),
    "queue": NAMES,
    "work": st.dictionaries(
        st.sampled_from(["images", "audio_hours", "km"]),
        st.integers(1, 10**15) | st.integers(1, 10**9).map(lambda n: n / 1000),
        min_size=1,
        max_size=1,
    ),
    "prefer": st.sampled_from(["cost", "time", "energy"]),
    "deadline": st.datetimes(datetime(1971, 1, 1), datetime(9999, 12, 1), timezones=st.timezones()).map(
        datetime.isoformat
    ),
    "resources": st.fixed_dictionaries(
        {},
        optional={
            "accelerators": st.one_of(
                st.dictionaries(
                    NAMES, st.integers(1, 1024) | st.integers(1, 999).map(lambda n: n / 1000), max_size=4
                ),
                st.lists(
                    REQUESTS.map(lambda r: f"{r[0]}:{r[1]}"), max_size=4, unique_by=lambda r: r.casefold()
                ),
            ),
            "cpus": st.integers(1, 65_536).map(lambda n: f"{n}+"),
            "memory": st.integers(1, 1 << 30).map(lambda n: f"{n}MiB"),
        },
    ),
    "workdir": st.sampled_from([".", "/data/code", "a b/é", BLOB]),
    "inputs": st.dictionaries(
        NAMES, st.sampled_from(["in", "/data", BLOB, "dataset:a@2", "s3://bkt/k"]), max_size=3
    ),
    "outputs": st.sets(NAMES, max_size=3).map(lambda names: {name: f"out/a b/{name}" for name in names}),
    "setup": TEXTS,
    "envs": st.dictionaries(
        st.from_regex("[A-Z_]{1,7}", fullmatch=True),
        TEXTS
        | st.integers(-(2**63), 2**63)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans(),
        max_size=4,
    ),
    "infra": st.one_of(
        st.just("any"),
        PLACES,
        PLACE_LISTS.map(lambda places: {"any_of": places}),
        PLACE_LISTS.map(lambda places: {"ordered": places}),
        PLACE_LISTS.map(lambda places: {"avoid": places}),
        PLACE_LISTS.map(lambda places: {"ordered": places[1:] or None, "avoid": places[:1]}),
    ),
    "budget": st.integers(0, 10**9).map(lambda n: {"max_cost": f"{n}.25 HKD"}),
    "data": st.lists(
        st.from_regex("[A-Z]{2}(-[A-Z0-9]{1,3})?", fullmatch=True), min_size=1, max_size=3, unique=True
    ).map(lambda codes: {"residency": codes}),
    "lost_after": st.just("never") | DURATIONS,
    "array": st.tuples(st.integers(0, 10**6), st.integers(0, 9_999), st.none() | st.integers(1, 10_000)).map(
        lambda n: {"range": f"{n[0]}-{n[0] + n[1]}", "parallel": n[2]}
    ),
    "after": st.lists(NAMES, min_size=1, max_size=3, unique=True),
    "checkpoint": st.fixed_dictionaries(
        {},
        optional={
            "signal": st.sampled_from(["TERM", "SIGINT", "USR2"]),
            "grace": st.integers(1, 3600),
            "path": st.sampled_from(["ckpt", "a/./b", "état/x y"]),
        },
    ),
    "retry": st.fixed_dictionaries(
        {},
        optional={
            "on": st.lists(
                st.sampled_from(["interruption", "lost", "error"]), min_size=1, max_size=3, unique=True
            ),
            "max": st.integers(0, 100),
        },
    ),
}
DOCUMENTS = st.fixed_dictionaries(
    {"name": NAMES, "project": NAMES, "run": TEXTS.filter(str.strip), "time": DURATIONS}, optional=OPTIONAL
)


@given(DOCUMENTS)
def test_a_job_written_is_read_back(document: dict[str, object]):
    spec = parse(document)
    written = json.loads(json.dumps(to_document(spec)))
    assert parse(written) == spec
    assert to_document(parse(written)) == written
    assert hash(spec) == hash(parse(written))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**30, 10**31).map(lambda n: n**200)
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(
        ["any", "8+", "2..8", "H100:8", "4h", "500 CNY", "s3://b", "dataset:x", "blob:0", "\ud800", "a\nb"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.integers() | st.booleans(), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = [
    "name", "project", "nodes", "num_nodes", "resources", "time", "workdir", "inputs", "outputs", "setup",
    "run", "envs", "secrets", "image", "queue", "array", "after", "retry", "lost_after", "checkpoint",
    "infra", "budget", "data", "prefer", "deadline", "priority", "acelerators",
]  # fmt: skip
INNER = [
    "accelerators", "cpus", "memory", "range", "parallel", "on", "max", "signal", "grace", "path", "any_of",
    "ordered", "avoid", "max_cost", "voucher", "spot", "residency", "use", "purpose", "direct_marketing",
    "H100", "PATH",
]  # fmt: skip
NESTED = st.dictionaries(st.sampled_from(INNER), JSON, max_size=4)


@given(
    JSON
    | st.dictionaries(st.sampled_from(FIELDS), JSON | NESTED)
    | DOCUMENTS.flatmap(
        lambda document: st.dictionaries(st.sampled_from(FIELDS), JSON | NESTED, max_size=3).map(
            lambda d: document | d
        )
    )
)
def test_anything_is_read_or_refused_with_messages_that_can_be_sent(document: object):
    try:
        spec = parse(document)
    except DocumentError as error:
        problems = error.problems
    else:
        assert parse(json.loads(json.dumps(to_document(spec)))) == spec
        return
    assert problems
    for problem in problems:
        assert problem.message.encode()
        assert len(problem.path.encode()) < 400
        assert len(problem.message) < 600


def test_a_spot_job_written_is_read_back():
    document = {"name": "j", "project": "p", "time": "1h", "run": "x", "budget": {"spot": True}}
    assert parse(document).spot
    assert parse(to_document(parse(document))) == parse(document)
    assert "budget" not in to_document(parse({**document, "budget": {"spot": False}}))
