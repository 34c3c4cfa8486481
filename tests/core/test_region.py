"""Bodies of the region: names that are alike, labels with their evidence, rows that come to one body."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.reading import Wrong
from baygrid.core.region import changes
from baygrid.core.region.alike import key
from baygrid.core.region.bodies import FIELDS, LAYERS, Body, Kind, Label, Labelled, Record, Spell, record
from baygrid.core.region.documents import of_document, row_of, to_document
from baygrid.core.region.proposing import FIELD_WORDS, LAYER_WORDS, proposals, proposed
from baygrid.core.region.review import Given, review
from baygrid.core.region.rows import COLUMNS, Value, read_row
from baygrid.observatory.scripts import simplify

DAY = date(2020, 1, 1)


def body(scope: str = "", **names: str) -> Body:
    return Body("it", Kind.COMPANY, None, "", names or {"en": "It"}, scope=scope)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("深圳市商汤科技有限公司", "深圳市商湯科技有限公司"),
        ("深圳市商汤科技有限公司", "深圳市商汤科技股份有限公司"),
        ("商汤（深圳）科技有限公司", "商湯(深圳)科技"),
        ("Deep Blue Co., Ltd.", "ＤＥＥＰ　ＢＬＵＥ　LIMITED"),
        ("株式会社発展", "發展株式会社"),
    ],
)
def test_one_name_in_two_writings_has_one_key(one: str, other: str):
    assert key(one, simplify) == key(other, simplify) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("Deep Blue", "Deep Blue Two"), ("商汤科技", "商汤物流"), ("Limited Edition Ltd", "Edition Ltd")],
)
def test_two_names_have_two_keys(one: str, other: str):
    assert key(one, simplify) != key(other, simplify)


def test_a_legal_form_alone_is_no_name():
    assert key("有限公司", simplify) == key("Company Limited", simplify) == ""


@pytest.mark.parametrize(
    ("said", "layer", "fields"),
    [
        (body("集成电路设计；人工智能芯片", zh_hans="某公司"), "base", []),
        (body("計算機視覺演算法", zh_hant="某公司"), "technology", ["machine_vision"]),
        (body("自動運転ロボット", ja="某社"), "application", ["intelligent_connected_vehicles", "robotics"]),
        (
            body("Autonomous driving and robotics", en="It"),
            "application",
            ["intelligent_connected_vehicles", "robotics"],
        ),
        (body("Refinanced chipmunks", en="It"), None, []),
        (
            body("芯片；物流", en="It"),
            None,
            ["smart_logistics"],
        ),  # as many words for each layer: a person decides
    ],
)
def test_words_speak_for_a_layer_and_fields(said: Body, layer: str | None, fields: list[str]):
    labels = proposed(said, DAY)
    assert [it.value for it in labels if it.kind is Labelled.LAYER] == ([layer] if layer else [])
    assert [it.value for it in labels if it.kind is Labelled.FIELD] == fields
    assert all(it.evidence and it.by == "classifier" and it.since == DAY for it in labels)


def test_a_word_inside_another_does_not_speak_twice():
    found = {it.value: it.words for it in proposals(body("large language model", en="It"))}
    assert found["technology"] == found["large_models"] == ("large language model",)


def test_the_words_are_of_layers_and_fields_that_there_are():
    assert tuple(LAYER_WORDS) == LAYERS
    assert set(FIELD_WORDS) == set(FIELDS) - {"other"}


def spell(since: date | None, until: date | None) -> Spell:
    return Spell("it", since, until, "a house")


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), max_size=6, unique_by=lambda it: it[0]))
def test_periods_overlap_or_the_body_is_on_each_day_at_one_address(periods: list[tuple[int, int]]):
    given_ = Given([(2, body())])
    given_.spells = [
        (line, spell(date(2000 + since, 1, 1), date(2000 + since + length, 1, 1)))
        for line, (since, length) in enumerate(periods, 2)
    ]
    made, findings = review("it", given_, None)
    days = [year for since, length in periods for year in range(since, since + length)]
    assert (made is None) == bool(findings) == (len(days) != len(set(days)))


def test_what_was_unknown_before_is_told_of_every_row():
    given_ = Given(
        spells=[(2, spell(DAY, None))], labels=[(5, Label("it", Labelled.FIELD, "other", None, None))]
    )
    made, findings = review("it", given_, None)
    assert made is None
    assert [(it.table, it.line, it.code) for it in findings] == [
        ("addresses", 2, "unknown-body"),
        ("labels", 5, "unknown-body"),
    ]


def test_a_label_from_a_day_on_leaves_what_was_before():
    old = record(body(), [], [Label("it", Labelled.LAYER, "base", None, None)])
    new = changes.relabel(old, Labelled.LAYER, ["application"], DAY, "Li", "why")
    assert [(it.value, it.since, it.until) for it in new.labels] == [
        ("base", None, DAY),
        ("application", DAY, None),
    ]
    assert [it.value for it in changes.relabel(new, Labelled.LAYER, ["base"], None, "Li", "why").labels] == [
        "base"
    ]
    for values in (["none"], ["base", "application"], []):
        with pytest.raises(Wrong):
            changes.relabel(old, Labelled.LAYER, values, DAY, "Li", "why")
    with pytest.raises(Wrong, match="other"):
        changes.relabel(old, Labelled.FIELD, [], DAY, "Li", "why")


def said(value: str, since: date | None, until: date | None, by: str = "classifier", **of: Labelled) -> Label:
    return Label("it", of.get("kind", Labelled.LAYER), value, since, until, by=by)


@pytest.mark.parametrize(
    ("known", "rows", "stays"),
    [
        # The classifier's gives way to any of the same days, and to none of others.
        ([said("base", None, None)], [said("application", None, None)], ["application"]),
        ([said("base", None, DAY)], [said("application", DAY, None, "Li")], ["base", "application"]),
        # A person's does not to the classifier's, and what is known already is no news.
        ([said("base", None, None, "Li")], [said("application", None, None)], ["base"]),
        (
            [said("base", None, DAY), said("application", DAY, None, "Li")],
            [said("base", None, DAY), said("application", DAY, None, "Li")],
            ["base", "application"],
        ),
        ([said("base", None, None, "Li")], [said("application", None, None, "Wu")], None),
    ],
)
def test_whose_label_stands(known: list[Label], rows: list[Label], stays: list[str] | None):
    made, findings = review("it", Given(labels=list(enumerate(rows, 2))), record(body(), [], known))
    assert ([it.value for it in made.labels] if made else None) == stays
    assert [it.code for it in findings] == ([] if made else ["overlapping-period"])


@pytest.mark.parametrize("kind", Labelled)
def test_what_nobody_says_is_proposed_once(kind: Labelled):
    """A file that says the one only has the other proposed; the same file again changes nothing."""
    own = body("芯片 半导体 机器视觉 物流", en="It")
    rows = [(2, said("base" if kind is Labelled.LAYER else "other", None, None, kind=kind))]
    once, _ = review("it", Given([(2, own)], labels=rows), None)
    assert once is not None
    assert {it.kind for it in once.labels} == set(Labelled)
    assert review("it", Given([(2, own)], labels=rows), once) == (once, [])


def test_a_merge_is_taken_back_exactly():
    one = record(body(en="One"), [spell(DAY, None)], [])
    other = Record(
        Body("other", Kind.COMPANY, None, "", {"zh_hans": "一"}, scope="芯片"),
        (Spell("other", None, DAY, "an older house"), Spell("other", DAY, None, "another house")),
        (Label("other", Labelled.LAYER, "base", None, None),),
    )
    merged, brought = changes.merge(other, one)
    assert [it.address for it in merged.spells] == ["an older house", "a house"]
    assert (merged.body.names, merged.body.scope) == ({"en": "One", "zh_hans": "一"}, "芯片")
    assert changes.unmerge(merged, changes.Brought.of_json("it", brought.to_json())) == one


TEXTS = st.text("深blue ,;\"'=-", max_size=8).map(lambda text: " ".join(text.split()))
DAYS = st.none() | st.dates(date(1980, 1, 1), date(2030, 1, 1))
BODIES = st.builds(
    Body,
    st.just("it"),
    st.sampled_from(Kind),
    st.none(),
    st.just(""),
    st.dictionaries(st.sampled_from(["zh_hans", "zh_hant", "en", "ja"]), TEXTS.filter(bool), min_size=1),
    st.none(),
    DAYS,
    st.none() | st.booleans(),
    st.booleans(),
    TEXTS,
)
SPELLS = st.builds(
    Spell,
    st.just("it"),
    st.none() | st.dates(date(1980, 1, 1), date(2000, 1, 1)),
    st.none() | st.dates(date(2000, 1, 2), date(2030, 1, 1)),
    TEXTS.filter(bool),
    st.floats(-180, 180).map(lambda it: round(it, 6)),
    st.floats(-90, 90).map(lambda it: round(it, 6)),
    TEXTS,
)
LABELS = st.builds(
    Label,
    st.just("it"),
    st.just(Labelled.FIELD),
    st.sampled_from(FIELDS),
    st.none(),
    DAYS,
    TEXTS,
    TEXTS,
    TEXTS.filter(bool),
)


@given(st.one_of(BODIES, SPELLS, LABELS))
def test_what_is_exported_is_read_back_as_it_was(value: Value):
    table = {Body: "bodies", Spell: "addresses", Label: "labels"}[type(value)]
    cells = row_of(value)
    assert set(cells) <= set(COLUMNS[table])
    assert read_row(table, 2, cells) == value
    assert type(value) in get_args(Value)


@given(BODIES, st.lists(SPELLS, max_size=3), st.lists(LABELS, max_size=3))
def test_a_record_is_kept_as_it_was(body: Body, spells: list[Spell], labels: list[Label]):
    whole = record(body, spells, labels)
    assert of_document("it", to_document(whole)) == whole
