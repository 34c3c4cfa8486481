"""`baygrid registry sample`, `baygrid indicators`: the published figures, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from baygrid.cli.entry import app
from baygrid.cli.errors import CliError
from tests.observatory.rows import read

YEAR = ("--as-of", "2023-12-31", "--known-by", "2024-04-01")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def told(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output or done.exception
    return json.loads(done.stdout)


def failed(*arguments: str) -> CliError:
    done = run(*arguments)
    assert isinstance(done.exception, CliError), done.output or done.exception
    return done.exception


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("registry") / "sample"
    made = told("registry", "sample", str(folder))
    assert made == {"registry": str(folder), "companies": 2267, "synthetic": True}
    return str(folder)


@pytest.fixture(scope="module")
def qianhai(sample: str) -> dict[str, Any]:
    found = told("indicators", "--registry", sample, "--zone", "qianhai", *YEAR)
    assert len({it["id"] for it in found}) == len(found)
    return {it["id"]: it for it in found}


@pytest.fixture(scope="module")
def shenzhen(sample: str) -> dict[str, Any]:
    return {it["id"]: it for it in told("indicators", "--registry", sample, *YEAR)}


@pytest.mark.parametrize(
    ("id", "value"),
    [
        ("companies.count", "289"),
        ("companies.base.count", "39"),
        ("companies.technology.count", "37"),
        ("companies.application.count", "213"),
        ("companies.base_technology.count", "76"),
        ("companies.share_of_city", "0.1274813"),
        ("mix.base_technology.share", "0.2629758"),
        ("land.area", "120.56"),
        ("land.share_of_city", "0.0603706"),
        ("companies.density_ratio", "2.1116462"),
        ("returns.information_services.revenue", "221300000000"),
        ("returns.information_services.revenue.growth", "0.515"),
        ("returns.information_services.revenue.before", "146072607260.73"),
    ],
)
def test_qianhai_is_as_published(qianhai: dict[str, Any], id: str, value: str):
    assert qianhai[id]["value"] == value


def test_shenzhen_is_as_published(shenzhen: dict[str, Any]):
    assert shenzhen["companies.count"]["value"] == "2267"
    assert shenzhen["land.area"]["value"] == "1997"
    assert shenzhen["companies.count"]["population"] == "ai_companies in shenzhen"
    assert not any("share_of_city" in id or id.startswith("lq.") for id in shenzhen)


def test_in_percent_they_are_the_letters(qianhai: dict[str, Any]):
    def percent(id: str, places: str) -> Decimal:
        return (100 * Decimal(qianhai[id]["value"])).quantize(Decimal(places))

    assert percent("companies.share_of_city", "0.01") == Decimal("12.75")
    assert percent("mix.base_technology.share", "0.1") == Decimal("26.3")
    assert percent("land.share_of_city", "0.01") == Decimal("6.04")
    assert percent("returns.information_services.revenue.growth", "0.1") == Decimal("51.5")


def test_every_figure_says_of_whom_when_and_from_where(qianhai: dict[str, Any]):
    for it in qianhai.values():
        assert it["population"].endswith("in qianhai") or " in qianhai, " in it["population"]
        assert it["period"].startswith(("2023", "2022"))
        assert it["source"]
        assert it["vintage"] <= "2024-04-01"
        assert (it["value"] is not None) or it["note"]
        assert it["coverage"] is None or 0 <= Decimal(it["coverage"]) <= 1
    assert qianhai["companies.count"]["source"] == "synthetic registry"
    assert qianhai["companies.count"]["synthetic"] is True
    assert qianhai["returns.information_services.revenue"]["synthetic"] is False
    assert "Vol. 77" in qianhai["returns.information_services.revenue"]["source"]
    assert qianhai["entries"]["period"] == "2023"


def test_who_came_and_went_is_the_difference(qianhai: dict[str, Any]):
    number = {id: int(it["value"]) for id, it in qianhai.items() if it["unit"] == "companies" and it["value"]}
    assert number["companies.count"] == 226 + number["entries"] - number["exits"]
    assert number["entries.moved_in"] > 10
    assert number["entries.founded"] > 10


def test_few_are_not_told_and_nothing_that_rests_on_them(qianhai: dict[str, Any]):
    for id in ("universities.count", "companies.field.medical.count", "lq.field.medical"):
        assert (qianhai[id]["value"], qianhai[id]["coverage"]) == (None, None)
        assert "suppressed: fewer than 3" in qianhai[id]["note"]


@pytest.mark.parametrize("top", ["companies.count", "companies.share_of_city"])
def test_a_share_of_companies_is_no_share_of_revenue(sample: str, top: str):
    given = ("--registry", sample, "--zone", "qianhai", *YEAR)
    error = failed("indicators", "compare", top, "returns.information_services.revenue", *given)
    assert error.code == "refused-ratio"
    for part in ("289", "221,300,000,000 CNY", "ai_companies in qianhai", "information_services in qianhai"):
        assert part in error.detail
    assert "different populations" in error.detail


def test_a_share_of_companies_is_one_of_companies(sample: str):
    given = ("--registry", sample, *YEAR)
    found = told("indicators", "compare", "companies.count@qianhai", "companies.count@shenzhen", *given)
    assert (found["value"], found["note"]) == ("0.1274813", "289 of 2,267 companies")
    error = failed("indicators", "compare", "companies.count@qianhai", "revenue.total@qianhai", *given)
    assert "take both of one period" in error.detail


def test_the_mix_over_time(sample: str):
    found = told(
        "indicators", "history", "mix.base_technology.share", "--zone", "qianhai", "--registry", sample, *YEAR
    )
    assert [it["period"] for it in found] == [f"{year}-12-31" for year in range(2019, 2024)]
    assert [it["note"] for it in found][-2:] == ["54 of 226 companies", "76 of 289 companies"]
    cut = told(
        "indicators",
        "history",
        "companies.count",
        "--years",
        "2",
        "--registry",
        sample,
        "--as-of",
        "2022-12-31",
    )
    assert [it["value"] for it in cut] == ["1681", "1920"]


def test_what_was_not_known_yet_is_not_there(sample: str):
    given = ("--registry", sample, "--zone", "qianhai", "--as-of", "2023-12-31")
    early = {it["id"]: it for it in told("indicators", *given, "--known-by", "2024-03-26")}
    assert "returns.information_services.revenue" not in early
    assert early["revenue.total"]["value"]
    none = {it["id"]: it for it in told("indicators", *given, "--known-by", "2024-03-14")}
    assert none["revenue.total"]["value"] is None
    assert "not loaded" in none["revenue.total"]["note"]


def test_as_csv_it_is_the_same(sample: str, qianhai: dict[str, Any]):
    done = run("indicators", "--registry", sample, "--zone", "qianhai", *YEAR, "--csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert rows.keys() == qianhai.keys()
    assert all(row["value"] == (qianhai[id]["value"] or "") for id, row in rows.items())


def test_a_person_sees_a_table_and_that_it_is_invented(sample: str):
    done = run("indicators", "--registry", sample, "--zone", "qianhai", *YEAR)
    assert "221,300,000,000  CNY" in done.stdout
    assert "suppressed: fewer than 3 of them" in done.stdout
    assert "SYNTHETIC" in done.stderr


def test_cities_have_sources_or_are_not_loaded():
    found = {it["city"]: it for it in told("indicators", "cities")}
    assert list(found) == ["beijing", "shanghai", "shenzhen", "hangzhou", "hefei"]
    assert found["beijing"]["position"] == "research and development + capital"
    assert found["hefei"]["facts"] == found["hefei"]["position"] == "not loaded"
    assert all(fact["source"] for fact in found["shenzhen"]["facts"])
    shown = run("indicators", "cities").stdout
    assert "not loaded" in shown
    assert "0.081 1" not in shown


def test_the_same_seed_gives_the_same_files(sample: str, tmp_path: Path):
    again = tmp_path / "again"
    told("registry", "sample", str(again))
    for path in Path(sample).iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()
    assert "is not empty" in failed("registry", "sample", str(again)).detail
    told("registry", "sample", str(tmp_path / "other"), "--seed", "2")
    assert (tmp_path / "other" / "bodies.csv").read_bytes() != (again / "bodies.csv").read_bytes()


def test_every_invented_row_fits_the_plain_form_and_is_marked(sample: str):
    plain = read(Path(sample))
    assert plain.findings == []
    assert all(it.synthetic for it in plain.bodies)
    assert all(it.synthetic for it in plain.zones)
    assert all("synthetic" in it.source for it in plain.returns if it.body)


@pytest.mark.parametrize(
    ("file", "wrong", "says"),
    [
        ("addresses.csv", ("2019-", "2019/"), "addresses.csv"),
        ("returns.csv", ("CNY", "CNY,"), "returns.csv"),
        ("bodies.csv", ("founded", "begun"), "founded"),
        ("zones.json", ("coordinates", "points"), "zones.json"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    sample: str, tmp_path: Path, file: str, wrong: tuple[str, str], says: str
):
    for path in Path(sample).iterdir():
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace(*wrong, 1) if path.name == file else text, encoding="utf-8"
        )
    error = failed("indicators", "--registry", str(tmp_path))
    assert error.code == "bad-registry"
    assert says in error.detail
    assert error.cure


def test_what_is_not_there_is_told_with_what_is(sample: str, tmp_path: Path):
    assert "it has qianhai, shenzhen" in failed("indicators", "--registry", sample, "--zone", "futian").detail
    assert "there is no figure 'no'" in failed("indicators", "history", "no", "--registry", sample).detail
    assert "is not there" in failed("indicators", "--registry", str(tmp_path / "none")).detail
    assert "is no day" in failed("indicators", "--registry", sample, "--as-of", "31.12.2023").detail
