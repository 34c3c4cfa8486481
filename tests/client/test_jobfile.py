"""Mistakes in a job file are told all at once, with their lines, before anything is sent."""

import io
from pathlib import Path

import pytest

from baygrid.cli.errors import CliError, Flaw
from baygrid.client import jobfile

GOOD = """\
name: images
project: demo
time: 1h
resources:
  cpus: 4
run: python label.py
"""


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str) -> str:
        path = tmp_path / "job.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


def flaws(path: str) -> tuple[Flaw, ...]:
    with pytest.raises(CliError) as refused:
        jobfile.read(path)
    assert refused.value.code == "invalid"
    return refused.value.flaws


def test_a_good_file(write, tmp_path):
    file = jobfile.read(write(GOOD))
    assert file.document["name"] == "images"
    assert file.folder == tmp_path
    assert file.spec.time == 3600


def test_the_option_replaces_the_project(write):
    assert jobfile.read(write(GOOD), project="other").document["project"] == "other"


def test_a_file_without_project_is_the_tokens_own(write):
    file = jobfile.read(write(GOOD.replace("project: demo\n", "")))
    assert "project" not in file.document


def test_every_mistake_has_its_line(write):
    found = flaws(
        write("name: images\nproject: demo\ntime: soon\nresources:\n  cpus: many\n  memroy: 4\nrun: x\n")
    )
    assert {(flaw.path, flaw.line) for flaw in found} == {
        ("time", 3),
        ("resources.cpus", 5),
        ("resources", 6),
    }
    assert "did you mean 'memory'?" in " ".join(map(str, found))


def test_a_missing_field_has_no_line_and_a_list_item_has_its_own(write):
    found = flaws(write("project: demo\ntime: 1h\nrun: x\ndata:\n  residency:\n  - CN\n  - nowhere\n"))
    lines = {flaw.path: flaw.line for flaw in found}
    assert lines == {"name": None, "data.residency[1]": 7}


def test_a_field_written_twice_is_told(write):
    (flaw,) = flaws(write(GOOD + "time: 2h\n"))
    assert (flaw.path, flaw.line) == ("time", 7)


NO_JOB_FILES = (
    "name: [", "name: 'x", "a: b: c", "\tname: x", "- a\n- b\n", "", "text", "name: a\n---\nname: b\n",
    "name: !!python/object/apply:os.system ['true']", "&a [*a]", "x: \x01", "[" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("text", NO_JOB_FILES)
def test_what_is_no_job_file_is_told(write, text):
    assert flaws(write(text))


def test_a_bomb_of_aliases_does_no_harm(write):
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    assert flaws(write("\n".join(rows)))


def test_a_date_stays_text(write):
    file = jobfile.read(write(GOOD + "deadline: 2026-12-01T08:00+08:00\n"))
    assert file.document["deadline"] == "2026-12-01T08:00+08:00"
    assert file.spec.deadline == 1_796_083_200_000


def test_files_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(CliError, match="there is no job file"):
        jobfile.read(str(tmp_path / "none.yaml"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CliError, match="not UTF-8"):
        jobfile.read(str(tmp_path / "bytes"))
    (tmp_path / "large").write_text("#" * (1024 * 1024 + 1))
    with pytest.raises(CliError, match="larger than 1 MiB"):
        jobfile.read(str(tmp_path / "large"))
    with pytest.raises(CliError, match="cannot be read"):
        jobfile.read(str(tmp_path))


def test_stdin(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(GOOD))
    assert jobfile.read("-").name == "stdin"


def test_what_the_server_finds_gets_the_lines_too(write):
    file = jobfile.read(write(GOOD))
    error = CliError(
        "resources.cpus: too many",
        code="invalid",
        title="Invalid",
        flaws=[Flaw("resources.cpus", "too many")],
    )
    shown = jobfile.with_lines([file], error)
    assert shown.flaws == (Flaw("resources.cpus", "too many", 5),)
    batch = CliError("x", code="invalid", flaws=[Flaw("jobs[1].time", "too long")])
    assert jobfile.with_lines([file, file], batch).flaws == (Flaw("time", "job.yaml: too long", 3),)


def test_only_true_and_false_are_truth_values(write):
    file = jobfile.read(
        write(GOOD + "retry: {on: [interruption], max: 2}\nenvs: {A: yes, B: off, C: No, D: y, no: On}\n")
    )
    assert file.document["retry"] == {"on": ["interruption"], "max": 2}
    assert file.document["envs"] == {"A": "yes", "B": "off", "C": "No", "D": "y", "no": "On"}
    found = flaws(write(GOOD + "true: 1\n"))
    assert "a field name must be text, not true: put it in quotes" in found[0].message
