"""Text that others wrote: whatever it is, it neither breaks the store nor changes what others wrote."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baygrid.ports.records import Cursor, Project
from baygrid.ports.store import Store
from baygrid.store.documents import clean, dumps, loads
from tests.store.records import answer, attempt, event, job, organise

NASTY = [
    "O'Brien; DROP TABLE jobs;--",
    '"quoted" \\ back\\slash',
    "%(name)s %s %% :name ? $1",
    "粤港澳大湾区 🚀 a\u0301 \u202e",
    "a\nb\r\n\tc",
    "",
    " ",
    "x" * 65536,
    "{'json': [1]}",
]


@pytest.mark.parametrize("text", NASTY)
def test_any_text_comes_back(store: Store, text: str):
    name = text or "-"
    store.write(organise)
    one = job(1, project=name, name=text, spec={"run": text, text: [text]}, detail=text, cause=text)
    run = attempt(
        1, partition=text, raw=text, detail=text, nodes=(text,), outputs={text: text}, reasons={text: text}
    )
    happened = event(1, project=name, job=text, kind=text, data={text: text})

    def fill(tx):
        tx.region.insert_project(Project(name, "lab", "CNY", 100))
        assert tx.money.move(name, held=1)
        tx.jobs.insert([one, job(2, name=text)])
        tx.attempts.insert([run])
        tx.events.append([happened, event(2, project=name)])
        tx.answers.insert(answer(key=text, project=name, body=text))

    store.write(fill)
    assert store.read(lambda tx: tx.jobs.get(["job-000001"]))["job-000001"] == one
    assert store.read(lambda tx: tx.jobs.get(["job-000001", text]))["job-000001"] == one
    assert store.read(lambda tx: tx.jobs.page(name, [], None, 9)) == [one]
    assert store.read(lambda tx: tx.attempts.get([run.id]))[run.id] == run
    assert [found for _, found in store.read(lambda tx: tx.events.after(Cursor(), 9, job=text))] == [happened]
    assert store.read(lambda tx: tx.answers.find(name, text)) == answer(key=text, project=name, body=text)
    assert list(store.read(lambda tx: tx.region.projects([name]))) == [name]


def test_what_no_database_can_hold_is_replaced_alike(store: Store):
    broken = "a\0b\ud800c"
    one = job(1, name=broken, detail=broken, spec={"run": "a\0b", broken: broken})
    store.write(lambda tx: tx.jobs.insert([one, job(2, name=broken)]))
    store.write(lambda tx: tx.attempts.insert([attempt(1, raw=broken)]))
    found = store.read(lambda tx: tx.jobs.get(["job-000001", "job-000002"]))
    whole = "a\ufffdb\ufffdc"
    assert found["job-000001"].name == found["job-000001"].detail == found["job-000002"].name == whole
    assert found["job-000001"].spec == {"run": "a\ufffdb", whole: whole}
    assert store.read(lambda tx: tx.attempts.live())[0].raw == whole


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "'\"\\"])
def test_a_key_that_cannot_be_is_not_found(store: Store, text: str):
    assert store.read(lambda tx: tx.jobs.get([text])) == {}
    assert store.read(lambda tx: tx.jobs.get([text, text])) == {}
    assert store.read(lambda tx: tx.region.token(text)) is None
    assert store.read(lambda tx: tx.answers.find(text, text)) is None
    assert store.read(lambda tx: tx.jobs.page(text, [], text, 9)) == []


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_documents_come_back(value):
    assert loads(dumps(value)) == value


@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=30))
def test_clean_text_can_be_stored_and_stays_clean(text: str):
    cleaned = clean(text)
    cleaned.encode()
    assert "\0" not in cleaned
    assert clean(cleaned) == cleaned


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(st.text(), json_values, max_size=5), name=st.text())
def test_any_document_in_any_row(store: Store, data, name: str):
    store.write(lambda tx: tx.events.append([event(1, kind=clean(name), data=data), event(2, data=data)]))
    end = store.read(lambda tx: tx.events.end())
    found = store.read(lambda tx: tx.events.after(Cursor(end.transaction, end.id - 2), 9))
    assert [(one.kind, one.data) for _, one in found] == [(clean(name), data), ("job.submitted", data)]
