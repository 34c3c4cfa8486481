"""The registry: reviewed whole and imported whole, or not at all; what people do to it can be taken back."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from baygrid.app import blobs, registry, registry_changes, registry_import, registry_zones
from baygrid.app.problems import Forbidden, Invalid, NotFound, WrongState
from baygrid.app.registry import Filters
from baygrid.app.registry_import import Accepted, Outcome
from baygrid.core.region.bodies import CLASSIFIER, Labelled
from baygrid.ports.registry import Change
from tests.app.stage import OPERATOR, Stage
from tests.observatory.rows import CITY, INSIDE, Rows, address, body, code, figure, label, small, write

DAY = date(2024, 1, 1)


class Registry(Stage):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def run(self, rows: Rows, accepted: list[Accepted] | None = None, *, dry: bool = False) -> Outcome:
        files = {}
        for path in write(self._folder, rows).iterdir():
            content = path.read_bytes()
            files[path.name] = hashlib.sha256(content).hexdigest()
            blobs.put(self.platform, OPERATOR, files[path.name], 0, len(content), iter([content]))
        return registry_import.run(self.platform, OPERATOR, files, accepted, dry=dry)

    def ids(self, on: date = DAY, **filters: str) -> list[str]:
        found, _ = registry.page(self.platform, self.team, Filters(**filters), on, "", 50)
        return [it.row.id for it in found]

    def rows(self) -> object:
        """All that is kept."""
        return self.store.read(
            lambda tx: (
                tx.registry.bodies("", 99),
                tx.registry.returns("", 99),
                tx.registry.zones(),
                tx.registry.imports(),
            )
        )


@pytest.fixture
def region(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def codes(outcome: Outcome) -> list[tuple[str, int, str, str]]:
    return [(it.table, it.line, it.body, it.code) for it in outcome.findings]


def seen(outcome: Outcome, *keep: str) -> list[Accepted]:
    return [Accepted(it.table, it.line, it.body, it.code, it.code in keep) for it in outcome.findings]


def test_an_import_is_there_and_the_same_again_changes_nothing(region: Registry):
    done = region.run(small())
    assert (done.imported, codes(done)) == (True, [])
    assert (done.counts["bodies_new"], done.counts["returns_new"]) == (3, 2)
    assert region.ids() == ["deep", "rail", "univ"]
    before = region.rows()
    again = region.run(small())
    assert (again.imported, again.id) == (True, None)
    assert (again.counts["bodies_same"], again.counts["returns_same"]) == (3, 2)
    assert region.rows() == before


def test_a_dry_run_writes_nothing(region: Registry):
    empty = region.rows()
    assert not region.run(small(), dry=True).imported
    assert region.rows() == empty


def test_each_row_that_does_not_fit_is_one_finding_and_nothing_is_half_imported(region: Registry):
    """A bad check digit, a point in no polygon, an overlapping period, Excel's day, another script."""
    rows = small()
    good = code(7)
    rows["bodies"] += [
        body("check", good[:-1] + ("0" if good[-1] != "0" else "1"), en="Check"),
        body("outside", code(8), en="Outside"),
        body("twice", code(9), en="Twice"),
        body("serial", code(10), en="Serial"),
        body("script", code(11), zh_hant="深圳市深藍視覺科技股份有限公司"),
        body("border", code(12), en="Border"),
        body("good", code(13), en="Good"),
    ]
    rows["addresses"] += [
        address("outside", "2020-01-01", "", lon="116.4", lat="39.9"),
        address("twice", "2020-01-01", "2022-01-01", **INSIDE),
        address("twice", "2021-06-01", "", **CITY),
        address("serial", "45291", "", **INSIDE),
        address("border", "2020-01-01", "", lon="113.91", lat="22.5"),
        address("good", "2020-01-01", "", **INSIDE),
    ]
    rows["returns"].append(figure("good", "7", zone="nowhere"))
    empty = region.rows()
    review = region.run(rows)
    assert not review.imported
    assert codes(review) == [
        ("bodies", 5, "check", "bad-code"),
        ("bodies", 9, "script", "duplicate-name"),
        ("addresses", 6, "outside", "outside-every-zone"),
        ("addresses", 8, "twice", "overlapping-period"),
        ("addresses", 9, "serial", "excel-date"),
        ("addresses", 10, "border", "on-border"),
        ("returns", 4, "good", "unknown-zone"),
    ]
    assert "until 2021-06-01" in review.findings[3].message
    assert "write 2023-12-31" in review.findings[4].message
    assert region.rows() == empty

    done = region.run(rows, seen(review, "duplicate-name"))
    assert done.imported
    assert (done.counts["bodies_new"], done.counts["bodies_held"]) == (5, 5)
    assert (done.counts["returns_new"], done.counts["returns_held"]) == (2, 1)
    assert region.ids() == ["deep", "good", "rail", "script", "univ"]

    corrected = {
        **rows,
        "addresses": [it for it in rows["addresses"] if it["body"] in ("deep", "rail", "univ", "good")],
    }
    corrected["bodies"] = [it for it in rows["bodies"] if it["id"] != "check"]
    corrected["returns"] = rows["returns"][:-1]
    last = region.run(corrected)
    assert (last.imported, codes(last)) == (True, [])  # the name that was kept is not asked again
    assert last.counts["bodies_new"] == 4


def test_who_accepts_accepts_what_is_told_and_nothing_else(region: Registry):
    rows = small()
    rows["addresses"][0]["lon"] = "116.4"
    review = region.run(rows)
    rows["addresses"][3]["district"] = "Nanshan"
    worse = region.run(rows, seen(review))
    assert (worse.imported, worse.total, worse.unseen) == (False, 2, 1)
    rows["addresses"][1]["until"] = "2024-01-01"
    with pytest.raises(Invalid, match="overlapping-period cannot be kept"):
        region.run(rows, seen(region.run(rows), "overlapping-period"))
    assert region.ids() == []


def test_where_a_body_is_follows_its_moves(region: Registry):
    region.run(small())
    assert region.ids(zone="qianhai") == ["deep", "rail", "univ"]
    assert region.ids(date(2021, 1, 1), zone="qianhai") == ["deep", "univ"]
    assert region.ids(date(2021, 1, 1), zone="shenzhen") == ["deep", "rail", "univ"]
    with pytest.raises(Invalid, match="no zone 'hk'"):
        region.ids(zone="hk")


def test_lists_are_filtered_and_searched_in_any_script(region: Registry):
    region.run(small())
    assert region.ids(search="深藍視覺") == region.ids(search="DEEP blue") == ["deep"]
    assert region.ids(search=code(2).lower()) == ["rail"]
    assert region.ids(search="100%") == []
    assert region.ids(kind="university") == ["univ"]
    assert region.ids(layer="technology") == ["deep"]
    assert region.ids(field="smart_logistics") == ["rail"]  # by the classifier: 物流


def test_pages_go_on_where_the_one_before_ended(region: Registry):
    region.run(small())
    first, after = registry.page(region.platform, OPERATOR, Filters(), DAY, "", 2)
    rest, end = registry.page(region.platform, OPERATOR, Filters(), DAY, after or "", 2)
    assert [it.row.id for it in [*first, *rest]] == ["deep", "rail", "univ"]
    assert end is None


def test_a_person_overrides_the_classifier_and_an_import_does_not_take_it_back(region: Registry):
    region.run(small())
    before = registry.body(region.platform, region.team, "rail", DAY)[0].labels[0]
    assert (before.by, before.evidence) == (CLASSIFIER, "物流")
    label_it = (region.platform, OPERATOR, "rail", Labelled.LAYER, ["base"])
    registry_changes.label(*label_it, date(2022, 1, 1), "Li Mei", "they make sensors now")
    again = registry_changes.label(*label_it, date(2022, 1, 1), "Li Mei", "they make sensors now")
    view, log = registry.body(region.platform, region.team, "rail", DAY)
    assert again == view.row
    assert [(it.value, it.by) for it in view.labels if it.kind is Labelled.LAYER] == [("base", "Li Mei")]
    assert region.ids(date(2021, 1, 1), layer="application") == ["rail"]
    assert [(it.version, it.change, it.person, it.why) for it in log] == [
        (1, Change.IMPORT, "", ""),
        (2, Change.LABEL, "Li Mei", "they make sensors now"),
    ]
    rows = small()
    rows["labels"].append(label("rail", "layer", "application"))
    done = region.run(rows)
    assert (done.imported, done.counts["bodies_same"]) == (True, 3)
    with pytest.raises(Invalid, match="is no layer"):
        registry_changes.label(region.platform, OPERATOR, "rail", Labelled.LAYER, ["top"], None, "Li", "why")
    with pytest.raises(Invalid, match="the log says who and why"):
        registry_changes.label(*label_it, None, " ", "why")


def test_a_move_and_a_correction_come_by_import(region: Registry):
    region.run(small())
    rows: Rows = {
        "bodies": [body("deep", "", scheme="", ja="深藍ビジョン")],
        "addresses": [
            address("deep", "2020-01-01", "2023-12-01", **CITY),
            address("deep", "2023-12-01", "", **INSIDE),
        ],
    }
    done = region.run(rows)
    assert (done.counts["bodies_changed"], done.counts["bodies_held"]) == (1, 0)
    view, log = registry.body(region.platform, OPERATOR, "deep", DAY)
    assert view.row.record.body.code == code(1)  # what a row leaves empty stays
    assert set(view.row.record.body.names) == {"zh_hans", "en", "ja"}
    assert len(view.row.record.spells) == 2
    assert region.ids(date(2022, 1, 1), zone="qianhai") == ["univ"]
    assert len(log) == 2
    rows["addresses"] = [address("deep", "2023-12-15", "", **INSIDE)]
    assert [it.code for it in region.run(rows).findings] == ["overlapping-period"]


def test_a_duplicate_of_what_is_registered_is_found(region: Registry):
    region.run(small())
    rows: Rows = {
        "bodies": [
            body("a", code(1), en="Other"),
            body("b", code(4), en="ＤＥＥＰ　ＢＬＵＥ vision co., limited"),
        ]
    }
    assert [(it.body, it.code) for it in region.run(rows).findings] == [
        ("a", "duplicate-code"),
        ("b", "duplicate-name"),
    ]


def test_two_values_of_one_figure_are_a_finding_and_a_later_vintage_is_none(region: Registry):
    region.run(small())
    rows: Rows = {
        "bodies": small()["bodies"],
        "returns": [figure("deep", "5"), figure("", "9"), figure("", "9")],
    }
    review = region.run(rows)
    assert [it.code for it in review.findings] == ["contradicting-return", "duplicate-return"]
    rows["returns"] = [figure("deep", "5", received="2024-06-01")]
    assert region.run(rows).counts["returns_new"] == 1


def test_a_merge_fills_what_was_lacking_and_is_taken_back_by_the_log(region: Registry):
    rows = small()
    rows["bodies"].append(
        body("azul", "", scheme="", zh_hant="深圳市深藍視覺科技有限公司", ja="深藍ビジョン")
    )
    rows["addresses"].append(address("azul", "2015-01-01", "2020-01-01", **CITY))
    region.run(rows, seen(region.run(rows), "duplicate-name"))
    before = registry.body(region.platform, OPERATOR, "deep", DAY)[0].row.record
    stays = registry_changes.merge(region.platform, OPERATOR, "azul", "deep", "the same licence")
    assert set(stays.record.body.names) == {"zh_hans", "zh_hant", "en", "ja"}
    assert [it.since for it in stays.record.spells] == [date(2015, 1, 1), date(2020, 1, 1)]
    assert region.ids() == ["deep", "rail", "univ"]
    assert region.run(rows).counts["bodies_same"] == 4  # the file again
    with pytest.raises(WrongState, match="was merged into 'deep'"):
        registry_changes.label(region.platform, OPERATOR, "azul", Labelled.LAYER, ["base"], None, "Li", "why")
    registry_changes.label(
        region.platform, OPERATOR, "deep", Labelled.LAYER, ["base"], None, "Li", "they make chips"
    )
    registry_changes.unmerge(region.platform, OPERATOR, "azul", "two licences after all")
    after = registry.body(region.platform, OPERATOR, "deep", DAY)[0].row.record
    assert (after.body, after.spells) == (before.body, before.spells)
    assert [it.value for it in after.labels if it.kind is Labelled.LAYER] == ["base"]  # done since: it stays
    assert region.ids() == ["azul", "deep", "rail", "univ"]
    log = registry.body(region.platform, OPERATOR, "deep", DAY)[1]
    assert [it.change for it in log] == [Change.IMPORT, Change.MERGE, Change.LABEL, Change.UNMERGE]


def test_two_codes_are_two_bodies(region: Registry):
    region.run(small())
    for gone, into, said in (("rail", "deep", "different codes"), ("rail", "rail", "the body itself")):
        with pytest.raises(Invalid, match=said):
            registry_changes.merge(region.platform, OPERATOR, gone, into, "why")
    with pytest.raises(WrongState, match="no part of another"):
        registry_changes.unmerge(region.platform, OPERATOR, "rail", "why")
    with pytest.raises(NotFound):
        registry_changes.merge(region.platform, OPERATOR, "none", "rail", "why")


def test_a_body_is_linked_to_an_organisation_of_the_platform(region: Registry):
    region.run(small())
    assert registry_changes.link(region.platform, OPERATOR, "deep", "acme").organisation == "acme"
    with pytest.raises(NotFound, match="no organisation 'none'"):
        registry_changes.link(region.platform, OPERATOR, "deep", "none")
    assert registry_changes.link(region.platform, OPERATOR, "deep", None).organisation is None


def test_an_import_that_another_overtook_changes_nothing(region: Registry, monkeypatch: pytest.MonkeyPatch):
    rows = small()
    write_it = registry_import._write

    def overtaken(*given: Any) -> str | None:
        monkeypatch.setattr(registry_import, "_write", write_it)
        region.run(rows)  # reviewed and written while the first was reviewed
        return write_it(*given)

    monkeypatch.setattr(registry_import, "_write", overtaken)
    with pytest.raises(WrongState, match="import again"):
        region.run(small())
    assert len(region.store.read(lambda tx: tx.registry.imports())) == 1


def test_only_an_operator_writes(region: Registry):
    for forbidden in (
        lambda: registry_import.run(region.platform, region.team, {}),
        lambda: registry_changes.merge(region.platform, region.team, "a", "b", "why"),
        lambda: registry_changes.unmerge(region.platform, region.team, "a", "why"),
        lambda: registry_changes.link(region.platform, region.team, "a", "acme"),
        lambda: registry_changes.link(region.platform, region.team, "a", None),
        lambda: registry_zones.set_zones(region.platform, region.team, {}),
        lambda: registry_changes.label(
            region.platform, region.team, "a", Labelled.LAYER, ["base"], None, "b", "w"
        ),
    ):
        with pytest.raises(Forbidden):
            forbidden()


def test_files_that_cannot_be_a_registry_are_refused(region: Registry):
    for files, said in (
        ({}, "must be some of"),
        ({"a.txt": "0" * 64}, "must be some of"),
        ({"bodies.csv": "0" * 64}, "no blob"),
    ):
        with pytest.raises(Invalid, match=said):
            registry_import.run(region.platform, OPERATOR, files)
