"""What the job file refuses, and that every message says the cure."""

import pickle

import pytest

from baygrid.core.jobs.spec import parse
from baygrid.core.reading import MOST_PROBLEMS, DocumentError

SMALL: dict[object, object] = {"name": "noop", "project": "demo", "run": "true", "time": "1m"}


def problems(document: object) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        parse(document)
    return {problem.path: problem.message for problem in caught.value.problems}


def only(path: str, **fields: object) -> str:
    """The message of the one problem of a small job with these fields."""
    found = problems(SMALL | fields)
    assert list(found) == [path]
    return found[path]


def test_every_problem_is_told_at_once():
    found = problems(
        {"name": "a b", "nodes": 0, "resources": {"cpus": True, "memory": "lots"}, "envs": {"1": "x"}}
    )
    assert list(found) == [
        "name", "project", "run", "time", "nodes", "resources.cpus", "resources.memory", "envs['1']",
    ]  # fmt: skip


def test_what_is_missing_says_what_to_write():
    assert problems({}) == {
        "name": "is missing: give the job a name, for example name: train",
        "project": "is missing: say which project pays, for example project: demo",
        "run": "is missing: write the commands, for example run: python train.py",
        "time": "is missing: say how long the job may run, for example time: 1h",
    }


@pytest.mark.parametrize("document", [None, [], "run: x", 1, True, float("nan")])
def test_a_job_file_is_a_mapping(document: object):
    assert "must be a mapping" in problems(document)[""]


def test_an_unknown_field_says_what_was_meant():
    assert (
        only("resources", resources={"acelerators": 1})
        == "unknown field 'acelerators': did you mean 'accelerators'?"
    )
    assert only("", tiem="1h") == "unknown field 'tiem': did you mean 'time'?"
    assert only("", gpus=8) == "unknown field 'gpus': did you mean 'resources.accelerators'?"
    assert only("", commands="x") == "unknown field 'commands': did you mean 'run'?"
    assert only("", xyzzy="x").startswith("unknown field 'xyzzy': the fields here are name, project, ")
    assert only("", acelerators=1) == "unknown field 'acelerators': did you mean 'resources.accelerators'?"
    assert "did you mean 'avoid'?" in only("infra", infra={"avoids": ["x"]})
    assert "did you mean 'max_cost'?" in only("budget", budget={"max-cost": "1 CNY"})


def test_field_names_are_text():
    assert "not true: put it in quotes" in problems(SMALL | {True: 1})[""]
    assert "not 1" in problems(SMALL | {"envs": {1: "x"}})["envs"]


def test_a_flood_of_problems_is_cut():
    found: list[str] = []
    with pytest.raises(DocumentError) as caught:
        parse(SMALL | {f"x{n}" * 50: n for n in range(5000)})
    found = [problem.message for problem in caught.value.problems]
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1] == "there are 4900 more problems of these kinds"
    assert sum(map(len, found)) < 50_000


def test_the_error_survives_a_process_border():
    with pytest.raises(DocumentError) as caught:
        parse({})
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("name", "a\nb", r"cannot have '\n'"),
        ("name", "a b", "cannot have ' '"),
        ("name", "a\x00b", r"cannot have '\x00'"),
        ("name", "名", "cannot have '名'"),
        ("name", "-a", "must begin and end with a letter or a digit"),
        ("name", "a\n", "cannot have"),
        ("name", "", "is 0 characters long"),
        ("name", "a" * 64, "is 64 characters long: use 1 to 63"),
        ("name", 1, "put it in quotes"),
        ("project", "..", "must begin and end"),
        ("run", " \n", "is empty"),
        ("run", "a\0", "NUL"),
        ("run", "\ud800", "not valid Unicode"),
        ("run", "é" * 40_000, "is 80000 bytes long, the most is 65536"),
        ("run", ["a"], "must be text, not a list"),
        ("setup", 1, "must be text"),
        ("time", "4w", "d, h, m and s"),
        ("time", 0, "from 1s to 366d"),
        ("time", -1, "cannot be negative"),
        ("time", True, "cannot be a bool"),
        ("time", 10**400, "from 1s to 366d"),
        ("time", "9999d", "from 1s to 366d"),
        ("time", float("nan"), "not nan"),
        ("nodes", 0, "whole number from 1 to 1024, not 0"),
        ("nodes", 1025, "not 1025"),
        ("nodes", True, "not true"),
        ("nodes", 1.0, "not 1.0"),
        ("nodes", 10**400, "a number of more than 19 digits"),
        ("nodes", "8..2", "must run upwards"),
        ("nodes", "two", "must look like 2..8, or be a whole number"),
        ("workdir", "", "is empty"),
        ("workdir", "a\nb", "control character"),
        ("workdir", "blob:12", "64 lower-case hex digits"),
        ("workdir", "blob:" + "A" * 64, "64 lower-case hex digits"),
        ("workdir", "git:x", "'git:' is no kind of address"),
        ("lost_after", 0, "from 1s"),
        ("lost_after", "sometime", "is not a length of time"),
        ("infra", 3, "must be any, centre"),
        ("infra", "a/b/c", "cannot have '/'"),
        ("infra", {"any_of": ["a"], "ordered": ["b"]}, "keep one of them"),
        ("queue", "a b", "cannot have ' '"),
        ("nodes", "0..2", "must run upwards from at least 1"),
        ("nodes", "2..2000", "to at most 1024"),
        ("nodes", "2+", "must look like 2..8"),
        ("priority", "highest", "must be one of low, normal, high, urgent"),
        ("priority", 3, "must be one of low, normal, high, urgent"),
        ("prefer", "speed", "must be one of cost, time, energy"),
        ("deadline", "tomorrow", "a date, a time and an offset"),
        ("deadline", "1969-12-01T08:00Z", "a date, a time and an offset"),
        ("deadline", "9999-12-31T23:00-08:00", "a date, a time and an offset"),
        ("deadline", "2026-12-01T08:00", "must say its offset"),
        ("image", "python", "must look like docker:python:3.11"),
    ],
)
def test_a_wrong_value(field: str, value: object, part: str):
    assert part in only(field, **{field: value})


@pytest.mark.parametrize(
    ("path", "fields", "part"),
    [
        ("work", {"work": 2000}, "must be a mapping with the fields images, audio_hours, km"),
        ("work", {"work": {}}, "must be one of images, audio_hours, km with how many"),
        ("work", {"work": {"images": 1, "km": 1}}, "must be one of images, audio_hours, km with how many"),
        ("work.images", {"work": {"images": 0}}, "must be a number from 0.001"),
        ("work.images", {"work": {"images": "many"}}, "must be a number from 0.001"),
        ("work.images", {"work": {"images": True}}, "not true"),
        ("work.images", {"work": {"images": float("nan")}}, "must be a number from 0.001"),
        ("work.km", {"work": {"km": 10**16}}, "to 1,000,000,000,000,000"),
        ("resources", {"resources": "H100"}, "must be a mapping with the fields accelerators, cpus, memory"),
        ("resources.cpus", {"resources": {"cpus": "8..16"}}, "least number of CPUs"),
        ("resources.cpus", {"resources": {"cpus": 0}}, "not 0"),
        ("resources.cpus", {"resources": {"cpus": 0.5}}, "not 0.5"),
        ("resources.memory", {"resources": {"memory": 0}}, "more than nothing"),
        ("resources.memory", {"resources": {"memory": True}}, "not true"),
        ("resources.memory", {"resources": {"memory": 10**400}}, "no amount of memory"),
        ("resources.accelerators", {"resources": {"accelerators": 8}}, "must be such as H100:8"),
        (
            "resources.accelerators",
            {"resources": {"accelerators": "H100:80GB:8"}},
            "model and a whole number",
        ),
        ("resources.accelerators", {"resources": {"accelerators": "H100:0"}}, "from 1 to 1024, not 0"),
        (
            "resources.accelerators",
            {"resources": {"accelerators": "H100:1.5"}},
            "below one a part of a device",
        ),
        (
            "resources.accelerators",
            {"resources": {"accelerators": "H100:0.0005"}},
            "three decimals such as 0.5",
        ),
        ("resources.accelerators", {"resources": {"accelerators": "H100:0.0"}}, "a part of an accelerator"),
        ("resources.accelerators.H100", {"resources": {"accelerators": {"H100": 1.5}}}, "below one a part"),
        ("resources.accelerators", {"resources": {"accelerators": {"H100:8": 8}}}, "two numbers"),
        ("resources.accelerators", {"resources": {"accelerators": ["A:1", "A"]}}, "twice"),
        ("resources.accelerators", {"resources": {"accelerators": {1: 8}}}, "must be text"),
        ("resources.accelerators", {"resources": {"accelerators": ["A"] * 17}}, "has 17 alternatives"),
        ("resources.accelerators.H100", {"resources": {"accelerators": {"H100": True}}}, "not true"),
        ("resources.accelerators[1]", {"resources": {"accelerators": ["A", 1]}}, "such as H100:8, not 1"),
        ("num_nodes", {"nodes": 1, "num_nodes": 1}, "keep one of them"),
        ("inputs", {"inputs": ["a"]}, "must be a mapping"),
        ("inputs", {"inputs": {f"i{n}": "x" for n in range(65)}}, "at most 64 entries, not a mapping of 65"),
        ("inputs['a/b']", {"inputs": {"a/b": "x"}}, "cannot have '/'"),
        ("inputs.a", {"inputs": {"a": None}}, "must be text, not null"),
        ("inputs.a", {"inputs": {"a": "ftp://x"}}, "no kind of address"),
        ("inputs.a", {"inputs": {"a": "s3:x"}}, "no kind of address"),
        ("inputs.a", {"inputs": {"a": "s3://b"}}, "must look like s3://bucket/key"),
        ("inputs.a", {"inputs": {"a": "https://u:p@example.org/x"}}, "user or password"),
        ("inputs.a", {"inputs": {"a": "https://2130706433/x"}}, "as 192.0.2.1 is one"),
        ("inputs.a", {"inputs": {"a": "dataset:"}}, "must look like dataset:city-photos"),
        ("workdir", {"workdir": "https://example.org/x"}, "only inputs come from"),
        ("outputs.a", {"outputs": {"a": "https://example.org/x"}}, "only inputs come from"),
        ("outputs.a", {"outputs": {"a": "dataset:team/x"}}, "write dataset:x"),
        ("outputs", {"outputs": {"a": "dataset:x", "b": "dataset:x"}}, "become one dataset"),
        (
            "outputs",
            {"outputs": {"a": f"dataset:{'x' * 62}"}, "array": {"range": "0-99"}},
            "write a shorter one",
        ),
        ("outputs.a", {"outputs": {"a": "/etc"}}, "below this one"),
        ("outputs.a", {"outputs": {"a": "x/../.."}}, "below this one"),
        ("outputs.a", {"outputs": {"a": "x\\.."}}, "below this one"),
        ("outputs.a", {"outputs": {"a": "C:x"}}, "below this one"),
        ("outputs.a", {"outputs": {"a": "blob:" + "0" * 64}}, "no kind of address"),
        ("envs['BAYGRID_X']", {"envs": {"BAYGRID_X": "1"}}, "does not begin with BAYGRID_"),
        ("envs.A", {"envs": {"A": None}}, 'write "" for an empty value'),
        ("envs.A", {"envs": {"A": float("inf")}}, "not inf"),
        ("envs.A", {"envs": {"A": "x\0"}}, "NUL"),
        ("envs.A", {"envs": {"A": [1]}}, "not a list"),
        ("outputs", {"outputs": {"a": "x", "b": "./x"}}, "two of them go to one folder"),
        ("outputs", {"outputs": {"a": "x/y", "b": "x0", "c": "x"}}, "or one inside another"),
        ("envs", {"envs": {f"E{n}": "" for n in range(101)}}, "at most 100 entries"),
        ("infra.any_of", {"infra": {"any_of": []}}, "1 to 100 items, not a list of 0"),
        ("infra.any_of[0]", {"infra": {"any_of": ["any"]}}, "not 'any'"),
        ("infra.any_of[1]", {"infra": {"any_of": ["a", "a"]}}, "listed twice"),
        ("infra.avoid", {"infra": {"ordered": ["a", "b"], "avoid": ["b"]}}, "b is also asked for"),
        ("budget.spot", {"budget": {"spot": "yes"}}, "must be true or false, not 'yes'"),
        ("priority", {"budget": {"spot": True}, "priority": "high"}, "has no meaning for a spot job"),
        ("budget.max_cost", {"budget": {"max_cost": 500}}, "with its currency such as 500 CNY, not 500"),
        ("budget.max_cost", {"budget": {"max_cost": "9" * 17 + " CNY"}}, "is too much"),
        ("budget.max_cost", {"budget": {"max_cost": "-1 CNY"}}, "cannot be negative"),
        ("budget.max_cost", {"budget": {"max_cost": "1.234 CNY"}}, "too many decimals"),
        ("data.residency[0]", {"data": {"residency": [False]}}, "CN, CN-QH or HK in capitals, not false"),
        ("data.residency[0]", {"data": {"residency": ["hk"]}}, "not 'hk'"),
        ("data.residency", {"data": {"residency": "HK"}}, "must be a list"),
        ("array.range", {"array": {"parallel": 1}}, "is missing"),
        ("array.range", {"array": {"range": "9-0"}}, "must run upwards"),
        ("array.range", {"array": {"range": "0-10000"}}, "has 10001 elements, the most is 10000"),
        ("array.range", {"array": {"range": "5"}}, "must look like 0-99"),
        ("array.parallel", {"array": {"range": "0-9", "parallel": 0}}, "from 1 to 10000"),
        ("after", {"after": "job-1"}, "must be a list"),
        ("after[1]", {"after": ["job-1", "job-1"]}, "listed twice"),
        ("retry.on[0]", {"retry": {"on": ["rain"]}}, "must be one of interruption, lost, error"),
        ("retry.max", {"retry": {"max": 101}}, "from 0 to 100"),
        ("retry", {"retry": 3}, "must be a mapping with the fields on, max"),
        ("checkpoint.signal", {"checkpoint": {"signal": "KILL"}}, "must be one of TERM, INT"),
        ("checkpoint.grace", {"checkpoint": {"grace": "2h"}}, "is longer than 1h"),
        ("checkpoint.path", {"checkpoint": {"path": "../x"}}, "below the working directory"),
        ("checkpoint.path", {"checkpoint": {"path": "."}}, "below the working directory"),
        ("checkpoint.path", {"checkpoint": {"path": "/ckpt"}}, "below the working directory"),
        ("checkpoint.grace", {"checkpoint": {"grace": "long"}}, "is not a length of time"),
        ("secrets[0]", {"secrets": ["A B"]}, "use letters, digits"),
        ("secrets[0]", {"secrets": ["BAYGRID_X"]}, "is set by Baygrid"),
        ("secrets[1]", {"secrets": ["A", "A"]}, "is listed twice"),
        ("secrets", {"secrets": ["A"], "envs": {"A": "1"}}, "A is in envs, too"),
    ],
)
def test_a_wrong_part(path: str, fields: dict[str, object], part: str):
    assert part in only(path, **fields)


def test_the_job_file_of_the_handbook_is_read_whole():
    whole: dict[object, object] = {
        "name": "images",
        "project": "demo",
        "nodes": 1,
        "resources": {"accelerators": "H100:8", "cpus": "8+", "memory": "64+"},
        "time": "4h",
        "workdir": ".",
        "inputs": {"photos": "dataset:city-photos"},
        "outputs": {"labels": "dataset:city-photo-labels"},
        "setup": "pip install -r requirements.txt",
        "run": "python label.py",
        "envs": {"BATCH": "64"},
        "secrets": ["HF_TOKEN"],
        "image": "docker:python:3.11",
        "queue": "default",
        "array": {"range": "0-99", "parallel": 10},
        "after": ["job-id"],
        "retry": {"on": ["interruption", "lost", "error"], "max": 2},
        "lost_after": "never",
        "checkpoint": {"signal": "TERM", "grace": "60s", "path": "ckpt"},
        "infra": "any",
        "budget": {"max_cost": "500 CNY", "voucher": "auto", "spot": False},
        "data": {"residency": ["CN-QH", "HK"], "use": {"purpose": "same", "direct_marketing": False}},
        "prefer": "cost",
        "deadline": "2026-12-01T08:00+08:00",
        "priority": "normal",
    }
    assert parse(whole).voucher == "auto"
