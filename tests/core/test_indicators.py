"""Figures that carry what they are of, the ratios that they make, and those that are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.indicators import formulas
from baygrid.core.indicators.figure import Figure, Population, part_of, rounded, trimmed
from baygrid.core.indicators.formulas import Refused, ratio
from baygrid.core.indicators.period import Period

HERE = Population("ai_companies", "qianhai", within=("shenzhen",))
CITY = Population("ai_companies", "shenzhen")
LAND, LAND_CITY = replace(HERE, of="land"), replace(CITY, of="land")
YEAR = Period.year(2023)
KNOWN = date(2024, 4, 1)


def figure(
    id: str, value: str | int, population: Population = HERE, unit: str = "companies", **changed
) -> Figure:
    made = Figure(id, Decimal(value), unit, population, YEAR, KNOWN, "a source", Decimal(1))
    return replace(made, **changed)


COUNT = figure("companies.count", 289)
COUNT_CITY = figure("companies.count", 2267, CITY)
REVENUE = figure(
    "returns.information_services.revenue", 221_300_000_000,
    replace(HERE, of="information_services"), "CNY", coverage=None,
)  # fmt: skip


def value(found: Figure | Refused) -> Decimal:
    assert isinstance(found, Figure), found
    assert found.value is not None
    return found.value


def reason(found: Figure | Refused) -> str:
    assert isinstance(found, Refused), found
    return found.reason


def test_the_share_of_companies_is_one_eighth_of_the_city():
    share = ratio(COUNT, COUNT_CITY, "companies.share_of_city")
    assert value(share).quantize(Decimal("0.0001")) == Decimal("0.1275")
    assert isinstance(share, Figure)
    assert (share.unit, share.population, share.note) == ("1", HERE, "289 of 2,267 companies")


def test_as_a_share_of_revenue_it_is_refused_with_both_populations():
    for top in (COUNT, ratio(COUNT, COUNT_CITY, "companies.share_of_city")):
        assert isinstance(top, Figure)
        said = reason(ratio(top, REVENUE, "share"))
        assert "different populations" in said
        assert "ai_companies in qianhai" in said
        assert "221,300,000,000 CNY, of information_services in qianhai" in said
        assert "289" in said


@pytest.mark.parametrize(
    ("top", "bottom", "says"),
    [
        (COUNT, replace(COUNT_CITY, vintage=date(2024, 5, 1)), "one vintage"),
        (COUNT, replace(COUNT_CITY, period=Period.year(2022)), "one period"),
        (COUNT_CITY, COUNT, "no part of"),
        (COUNT, replace(COUNT_CITY, population=replace(CITY, part="base layer")), "no part of"),
        (COUNT, replace(COUNT_CITY, population=replace(CITY, zone="beijing")), "no part of"),
        (COUNT.withheld("suppressed: few"), COUNT_CITY, "companies.count has no value: suppressed: few"),
        (COUNT, COUNT_CITY.withheld("not loaded"), "companies.count has no value: not loaded"),
        (COUNT, replace(COUNT_CITY, value=Decimal(0)), "is 0"),
        (COUNT, replace(COUNT_CITY, unit="1"), "a ratio already"),
    ],
)
def test_what_is_of_another_part_period_or_vintage_is_refused(top: Figure, bottom: Figure, says: str):
    assert says in reason(ratio(top, bottom, "share"))


def test_a_ratio_is_as_well_covered_as_the_worse_of_its_two_and_synthetic_if_one_is():
    found = ratio(replace(COUNT, coverage=Decimal("0.9")), replace(COUNT_CITY, synthetic=True), "share")
    assert isinstance(found, Figure)
    assert (found.coverage, found.synthetic) == (Decimal("0.9"), True)
    per_company = ratio(figure("revenue.total", 578, unit="CNY"), COUNT, "revenue.per_company")
    assert isinstance(per_company, Figure)
    assert (per_company.unit, value(per_company)) == ("CNY/companies", Decimal(2))


def test_the_published_vector_of_the_location_quotient():
    """REAT's example of Farhauer and Kroell."""
    of_figures = formulas.location_quotient(
        "lq.base",
        figure("base", 1714, replace(HERE, part="base layer")), figure("all", 79006),
        figure("base", 879213, replace(CITY, part="base layer")), figure("all", 15593224, CITY),
    )  # fmt: skip
    assert value(of_figures) == Decimal("0.3847623")


def test_a_quotient_of_another_part_is_refused():
    base = figure("base", 39, replace(HERE, part="base layer"))
    technology = figure("technology", 392, replace(CITY, part="technology layer"))
    assert "no part of" in reason(formulas.location_quotient("lq", base, COUNT, technology, COUNT_CITY))


def test_qianhai_is_twice_as_dense():
    here, city = figure("land", "120.56", LAND, "km2"), figure("land", 1997, LAND_CITY, "km2")
    found = formulas.density_ratio("density", COUNT, COUNT_CITY, here, city)
    assert value(found).quantize(Decimal("0.01")) == Decimal("2.11")
    assert value(ratio(here, city, "land.share")).quantize(Decimal("0.0001")) == Decimal("0.0604")
    # Of an older map: each of the two ratios is of one vintage still.
    older = [replace(it, vintage=date(2010, 1, 1), period=Period.year(2010)) for it in (here, city)]
    assert value(formulas.density_ratio("density", COUNT, COUNT_CITY, *older)) == value(found)
    assert "one period" in reason(formulas.density_ratio("density", COUNT, COUNT_CITY, here, older[1]))
    elsewhere = replace(here, population=replace(LAND, zone="futian"))
    assert "qianhai" in reason(formulas.density_ratio("density", COUNT, COUNT_CITY, elsewhere, city))
    assert value(formulas.density("density", COUNT, here)) == rounded(Fraction(28900, 12056), "1")


def test_revenue_before_it_grew():
    grown = replace(REVENUE, id="growth", value=Decimal("0.515"), unit="1")
    before = formulas.before_growth("before", REVENUE, grown)
    assert value(before) == Decimal("146072607260.73")
    assert isinstance(before, Figure)
    assert (str(before.period), before.population) == ("2022", REVENUE.population)
    back = formulas.growth("growth", REVENUE, before)
    assert value(back) == Decimal("0.515")
    other = replace(grown, population=COUNT.population)
    assert "differ" in reason(formulas.before_growth("before", REVENUE, other))
    assert "more than all" in reason(
        formulas.before_growth("before", REVENUE, replace(grown, value=Decimal(-1)))
    )


def test_growth_over_a_revision_or_another_population_is_refused():
    last = replace(REVENUE, period=Period.year(2022), value=Decimal(140_000_000_000))
    assert isinstance(formulas.growth("growth", REVENUE, last), Figure)
    assert "revised" in reason(formulas.growth("growth", REVENUE, replace(last, vintage=date(2023, 4, 1))))
    assert "one population" in reason(formulas.growth("growth", REVENUE, replace(last, population=HERE)))
    assert "not the year before" in reason(formulas.growth("growth", REVENUE, replace(last, period=YEAR)))
    assert "nothing grows" in reason(formulas.growth("growth", REVENUE, replace(last, value=Decimal(0))))


def test_concentration():
    equal = [Decimal(5)] * 4
    assert formulas.hhi(equal) == Fraction(1, 4)
    assert formulas.hhi([Decimal(7)]) == 1
    assert formulas.largest_share([Decimal(1), Decimal(6), Decimal(3)], 2) == Fraction(9, 10)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2023", (2023, 1, 1), (2023, 12, 31)),
        ("2023Q1", (2023, 1, 1), (2023, 3, 31)),
        ("2023Q4", (2023, 10, 1), (2023, 12, 31)),
        ("2024-02", (2024, 2, 1), (2024, 2, 29)),
        ("2023-12-31", (2023, 12, 31), (2023, 12, 31)),
    ],
)
def test_periods(text: str, first: tuple[int, int, int], last: tuple[int, int, int]):
    period = Period.parse(text)
    assert period == Period(date(*first), date(*last))
    assert str(period) == text
    assert Period.parse("2024-02").before.last == date(2023, 2, 28)


@pytest.mark.parametrize("text", ["2023Q5", "2023-13", "2023-02-30", "23", "0000", "2023Q", ""])
def test_no_periods(text: str):
    with pytest.raises(ValueError, match="is no period: write 2023"):
        Period.parse(text)


@given(st.fractions(), st.sampled_from(["1", "CNY", "JPY", "companies"]))
def test_rounding_is_to_the_nearest_and_half_goes_away_from_zero(exact: Fraction, unit: str):
    step = Fraction(1, 10 ** {"1": 7, "CNY": 2, "JPY": 0, "companies": 0}[unit])
    error = Fraction(rounded(exact, unit)) - exact
    assert abs(error) <= step / 2
    assert abs(error) < step / 2 or error * exact > 0
    assert Fraction(rounded(exact, unit)) % step == 0


def test_zeros_go_and_digits_never_do():
    long = Decimal("12345678901234567890123456789012.120000")
    assert str(trimmed(long)) == "12345678901234567890123456789012.12"
    assert str(trimmed(Decimal("280.000"))) == "280"
    assert part_of(99_999, 100_000) == Decimal("0.9999")
    assert part_of(3, 3) == 1
    assert part_of(0, 0) is None


def test_a_figure_as_json_has_texts_for_numbers():
    assert figure("companies.count", 289, synthetic=True).to_json() == {
        "id": "companies.count",
        "value": "289",
        "unit": "companies",
        "population": "ai_companies in qianhai",
        "period": "2023",
        "vintage": "2024-04-01",
        "source": "a source",
        "coverage": "1",
        "note": "",
        "synthetic": True,
    }
    gone = COUNT.withheld("suppressed").to_json()
    assert (gone["value"], gone["coverage"], gone["note"]) == (None, None, "suppressed")
