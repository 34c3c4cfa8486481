"""Tables in the catalogue: what is looked up, who sees what, what a person confirms and what undoes it."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from pyarrow import ipc

from baygrid.app import datasets, labelling, looking, projects, secrets, tables
from baygrid.app.access import Actor
from baygrid.app.once import Once
from baygrid.app.problems import Forbidden, IdempotencyMismatch, Invalid, NotFound, Problem, WrongState
from baygrid.app.sources import NoReader, Unreadable
from baygrid.core.data.labels import Important, Labels, Origin
from baygrid.ports.data import TableRow
from baygrid.ports.reader import Format, Source
from baygrid.ports.records import Kind
from tests.app.stage import OPERATOR, Stage
from tests.store.test_threads import together

URI = "s3://bay/patients/"
NEW = tables.New("patients", "Patients 病人", "parquet", URI, place="CN-QH")
ROWS: dict[str, list[Any]] = {"姓名": ["李", "吴", None], "age": [30, 41, 30], "ward": ["A", "B", "A"]}
PERSON = Labels(True, False, Important.NO, False, Origin.DOMESTIC, subject=True)
PLAIN = Labels(False, False, Important.NO, False)
LABELS = {"姓名": PERSON, "age": replace(PERSON, subject=False), "ward": PLAIN}


@pytest.fixture
def rival(stage: Stage) -> Actor:
    """Of another organisation."""
    projects.add_organisation(stage.platform, OPERATOR, "uni", Kind.UNIVERSITY, "Uni")
    return stage.add_project("study", "uni")


@pytest.fixture(autouse=True)
def _rows(stage: Stage) -> None:
    stage.reader.put(URI, ROWS)


def add(stage: Stage, once: Once | None = None, **change: Any) -> TableRow:
    return tables.add(stage.platform, stage.team, None, replace(NEW, **change), once).row


def confirm(stage: Stage, labels: dict[str, Labels] = LABELS, by: str = "Chan Tai Man") -> TableRow:
    return labelling.confirm(stage.platform, stage.team, "demo", "patients", labels, by).row


def refs(stage: Stage, actor: Actor, search: str = "", project: str | None = None) -> list[str]:
    return [it.row.ref for it in tables.tables(stage.platform, actor, project=project, search=search)]


def kinds(stage: Stage) -> list[str]:
    return [link.kind for link in stage.store.read(lambda tx: tx.audit.after(0, 99))]


# Adding


def test_columns_are_looked_up_where_the_table_lies(stage: Stage):
    row = add(stage)
    assert [it.name for it in row.columns] == list(ROWS)
    assert (row.ref, row.version, row.format, row.labels) == ("demo/patients", 1, Format.PARQUET, {})
    assert kinds(stage) == ["table-added"]
    (link,) = stage.store.read(lambda tx: tx.audit.after(0, 9))
    assert link.project == "demo"
    assert "s3:" not in str(link.data)


def test_a_table_of_a_dataset_is_read_where_that_lies_and_stays_with_its_version(stage: Stage):
    new = datasets.New("clinic", URI, "CN-QH")
    datasets.create(stage.platform, stage.team, None, new)
    row = add(stage, uri="dataset:clinic", place=None)
    assert (row.uri, row.place) == ("dataset:demo/clinic@1", "CN-QH")
    assert stage.reader.asked[-1] == Source(Format.PARQUET, URI)
    confirm(stage)
    datasets.create(stage.platform, stage.team, None, new)
    again = add(stage, uri="dataset:clinic", place=None)
    assert (again.uri, again.labels) == ("dataset:demo/clinic@2", LABELS)


def test_only_ones_own_datasets_are_offered(stage: Stage, rival: Actor):
    datasets.create(stage.platform, rival, None, datasets.New("open", URI, "HK", shared=True))
    with pytest.raises(Invalid, match="of this organisation's"):
        add(stage, uri="dataset:study/open")


def test_a_database_is_read_with_the_projects_secret(stage: Stage):
    stage.reader.tables["postgresql://127.0.0.1:5432/clinic#public.patients"] = stage.reader.tables[URI]
    uri = "postgresql://127.0.0.1:5432/clinic"
    change: dict[str, Any] = {"format": "postgresql", "uri": uri, "table": "public.patients"}
    with pytest.raises(Invalid, match="has no secret 'CLINIC'"):
        add(stage, secret="CLINIC", **change)
    secrets.put(stage.platform, stage.team, "demo", "CLINIC", "hunter22")
    with pytest.raises(WrongState, match="must be JSON such as") as raised:
        add(stage, secret="CLINIC", **change)
    assert "hunter22" not in str(raised.value)
    secrets.put(stage.platform, stage.team, "demo", "CLINIC", '{"user": "u", "password": "hunter22"}')
    row = add(stage, secret="CLINIC", **change)
    assert stage.reader.asked[-1].secrets == {"user": "u", "password": "hunter22"}
    assert "hunter22" not in repr(row)
    secrets.delete(stage.platform, stage.team, "demo", "CLINIC")
    with pytest.raises(WrongState, match="set it with"):
        looking.profile(stage.platform, stage.team, "demo", "patients")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "a b"}, "name"),
        ({"name": "a.b"}, "name"),
        ({"title": "\n"}, "title"),
        ({"format": "xml"}, "uri"),
        ({"uri": "https://example.org/x"}, "uri"),
        ({"uri": "blob:" + "0" * 64}, "uri"),
        ({"uri": "dataset:nothing"}, "uri"),
        ({"uri": "dataset:a b"}, "uri"),
        ({"place": None}, "place"),
        ({"place": "Qianhai"}, "place"),
        ({"secret": "NOPE"}, "secret"),
    ],
)
def test_a_bad_description_changes_nothing(stage: Stage, change: dict[str, Any], path: str):
    with pytest.raises(Invalid) as raised:
        add(stage, **change)
    assert [it["path"] for it in raised.value.extra["problems"]] == [path]
    assert refs(stage, stage.team) == []
    assert kinds(stage) == []


def test_what_cannot_be_read_is_no_table(stage: Stage):
    with pytest.raises(Unreadable, match="there is nothing to read"):
        add(stage, uri="s3://bay/other/")
    stage.reader.put("s3://bay/twice/", {"a": [1], "A": [2]})
    with pytest.raises(Unreadable, match="twice but for its case"):
        add(stage, uri="s3://bay/twice/")
    assert refs(stage, stage.team) == []


def test_a_server_without_a_reader_says_what_to_install(stage: Stage):
    platform = replace(stage.platform, reader=None)
    with pytest.raises(NoReader, match=r"pip install baygrid\[data\]"):
        tables.add(platform, stage.team, None, NEW)


def test_a_repeated_request_makes_one_version(stage: Stage):
    once = Once("key-1", "said")
    assert add(stage, once).version == add(stage, once).version == 1
    with pytest.raises(IdempotencyMismatch):
        add(stage, Once("key-1", "other"))
    assert add(stage).version == 2


def test_only_the_owner_adds_and_labels(stage: Stage, rival: Actor):
    add(stage)
    with pytest.raises(NotFound):
        tables.add(stage.platform, rival, "demo", NEW)
    for work in (
        lambda: labelling.confirm(stage.platform, rival, "demo", "patients", LABELS, "X"),
        lambda: labelling.proposals(stage.platform, rival, "demo", "patients"),
    ):
        with pytest.raises(NotFound):
            work()
    assert kinds(stage) == ["table-added"]


# Finding


def test_everybody_finds_it_and_nobody_else_is_told_where_it_is(stage: Stage, rival: Actor):
    add(stage)
    confirm(stage)
    assert refs(stage, rival) == refs(stage, stage.team) == ["demo/patients"]
    assert tables.table(stage.platform, stage.team, "demo", "patients").own
    assert tables.table(stage.platform, OPERATOR, "demo", "patients").own
    assert not tables.table(stage.platform, rival, "demo", "patients").own
    mate = stage.add_project("mate")
    assert tables.table(stage.platform, mate, "demo", "patients").own  # of the same organisation
    for words in ("病人", "姓名", "cn-qh", "PATIENTS demo", "personal subject", "parquet"):
        assert refs(stage, rival, words) == ["demo/patients"], words
    for words in ("s3", "bay", "sensitive", "CLINIC"):
        assert refs(stage, rival, words) == [], words
    assert refs(stage, rival, project="study") == []
    with pytest.raises(NotFound, match="baygrid tables"):
        tables.table(stage.platform, rival, "demo", "others")


# Labels


def test_proposals_count_for_nothing(stage: Stage):
    add(stage)
    found = labelling.proposals(stage.platform, stage.team, "demo", "patients")
    assert [(it.column, it.confirmed) for it in found] == [(name, None) for name in ROWS]
    assert found[0].proposed == Labels(personal=True)
    assert tables.table(stage.platform, stage.team, "demo", "patients").row.labels == {}


def test_a_person_confirms_column_by_column(stage: Stage):
    add(stage)
    first = confirm(stage, {"ward": PLAIN}, by="Lee Siu Ming")
    assert (first.version, first.labels, first.confirmed_by) == (2, {"ward": PLAIN}, "Lee Siu Ming")
    second = confirm(stage, {"姓名": PERSON})
    assert (second.version, second.labels) == (3, {"ward": PLAIN, "姓名": PERSON})
    assert second.confirmed_by == "Chan Tai Man"
    links = stage.store.read(lambda tx: tx.audit.after(1, 9))
    assert [(link.data["person"], list(link.data["labels"])) for link in links] == [
        ("Lee Siu Ming", ["ward"]),
        ("Chan Tai Man", ["姓名"]),
    ]
    found = labelling.proposals(stage.platform, stage.team, "demo", "patients")
    assert [it.confirmed for it in found] == [PERSON, None, PLAIN]


@pytest.mark.parametrize(
    ("labels", "by", "path"),
    [
        ({}, "A", "labels"),
        ({"nope": PLAIN}, "A", "labels.nope"),
        ({"ward": Labels(personal=False, sensitive=True)}, "A", "labels.ward"),
        ({"ward": PLAIN}, " ", "by"),
    ],
)
def test_bad_labels_change_nothing(stage: Stage, labels: dict[str, Labels], by: str, path: str):
    add(stage)
    with pytest.raises(Invalid) as raised:
        confirm(stage, labels, by)
    assert [it["path"] for it in raised.value.extra["problems"]] == [path]
    assert tables.table(stage.platform, stage.team, "demo", "patients").row.version == 1


def test_columns_that_change_lose_their_labels(stage: Stage):
    add(stage)
    confirm(stage)
    assert add(stage, title="the same").labels == LABELS
    stage.reader.put(URI, {"姓名": ROWS["姓名"], "age": ["30", "41", "30"], "bed": [1, 2, 3]})
    row = add(stage)
    assert (row.labels, row.confirmed_by) == ({"姓名": PERSON}, "Chan Tai Man")
    events = stage.store.read(lambda tx: tx.audit.after(0, 99))
    assert events[-1].data["unconfirmed"] == ["age", "ward"]


def test_a_table_that_is_read_elsewhere_has_no_labels(stage: Stage):
    add(stage)
    confirm(stage)
    stage.reader.put("s3://bay/others/", ROWS)
    row = add(stage, uri="s3://bay/others/")
    assert (row.labels, row.confirmed_by) == ({}, None)


def test_labels_that_several_confirm_at_once_are_not_lost(stage: Stage):
    add(stage)
    done: list[str] = []

    def work(column: str) -> None:
        while column not in done:
            try:
                confirm(stage, {column: PLAIN})
                done.append(column)
            except WrongState:
                pass

    assert together(*(partial(work, column) for column in ROWS)) == []
    row = tables.table(stage.platform, stage.team, "demo", "patients").row
    assert (row.version, set(row.labels)) == (4, set(ROWS))


# Looking


def test_a_profile_shows_values_of_harmless_columns_only(stage: Stage, rival: Actor):
    add(stage)
    unlabelled = looking.profile(stage.platform, stage.team, "demo", "patients")
    assert {name: set(it) for name, it in unlabelled.columns.items()} == {
        name: {"rows", "nulls", "distinct"} for name in ROWS
    }
    assert looking.profile(stage.platform, rival, "demo", "patients").columns == {}
    confirm(stage)
    own = looking.profile(stage.platform, stage.team, "demo", "patients")
    assert own.columns["姓名"] == {"rows": 3, "nulls": 1, "distinct": 2}
    assert own.columns["ward"]["greatest"] == "B"
    assert own.withheld == ()
    theirs = looking.profile(stage.platform, rival, "demo", "patients")
    assert theirs.columns == {"ward": own.columns["ward"]}
    assert theirs.withheld == ("姓名", "age")


def test_a_sample_shows_harmless_columns_and_hangs_on_the_audit(stage: Stage, rival: Actor):
    add(stage)
    nothing = looking.sample(stage.platform, stage.team, "demo", "patients", 2)
    assert (nothing.stream, nothing.withheld) == (None, tuple(ROWS))
    confirm(stage)
    found = looking.sample(stage.platform, stage.team, "demo", "patients", 2)
    assert found.stream is not None
    assert ipc.open_stream(found.stream).read_all().to_pydict() == {"ward": ["A", "B"]}
    assert found.withheld == ("姓名", "age")
    with pytest.raises(Forbidden, match="under a contract"):
        looking.sample(stage.platform, rival, "demo", "patients", 2)
    add(stage, open=True)
    assert looking.sample(stage.platform, rival, "demo", "patients", 1).withheld == ("姓名", "age")
    links = stage.store.read(lambda tx: tx.audit.after(0, 99))
    sampled = [(it.project, it.data["columns"]) for it in links if it.kind == "table-sampled"]
    assert sampled == [("demo", ["ward"]), ("study", ["ward"])]


def test_important_and_core_data_are_not_harmless(stage: Stage):
    add(stage)
    confirm(stage, {"ward": replace(PLAIN, important=Important.UNKNOWN), "age": replace(PLAIN, core=None)})
    assert looking.sample(stage.platform, stage.team, "demo", "patients", 2).stream is None


# Wishes


def test_wishes_are_counted_by_what_they_say(stage: Stage, rival: Actor):
    looking.wish(stage.platform, stage.team, None, "Taxi rides")
    once = Once("key-1", "said")
    twice = [looking.wish(stage.platform, rival, None, " taxi  RIDES ", once) for _ in range(2)]
    assert [(it.times, it.projects) for it in twice] == [(2, 2), (2, 2)]
    looking.wish(stage.platform, rival, None, "demo/patients")
    assert [(it.times, it.projects) for it in looking.wishes(stage.platform, stage.team)] == [(2, 2), (1, 1)]
    for project, text in ((None, ""), (None, "x" * 300), ("nowhere", "rides")):
        with pytest.raises(Problem):
            looking.wish(stage.platform, OPERATOR if project else rival, project, text)
    with pytest.raises(Invalid, match="say who looks for it"):
        looking.wish(stage.platform, OPERATOR, None, "rides")
