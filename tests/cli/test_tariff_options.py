"""A tariff's options, and how offers show it in a few words."""

from __future__ import annotations

import pytest
import typer

from baygrid.cli.tariffs import besides, by_hour, terms

PLAIN = {"minimum_s": 0, "round_up_s": 0, "egress_gib": "0", "energy": None}


def test_a_price_for_all_hours_or_for_spans_of_them():
    assert by_hour("0.65") == ["0.65"] * 24
    assert by_hour("0-8=0.32,8-22=1.05, 22-24=0.32") == ["0.32"] * 8 + ["1.05"] * 14 + ["0.32"] * 2
    assert by_hour("22-24=2,0-22=1") == ["1"] * 22 + ["2"] * 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0-8=1", "hours without a price: 8, 9"),
        ("0-24=1,3-4=2", "hour 3 is there twice"),
        ("8-8=1", "no span"),
        ("0-25=1", "no span"),
        ("night=1", "no span"),
    ],
)
def test_spans_that_are_no_day(text: str, why: str):
    with pytest.raises(typer.BadParameter, match=why):
        by_hour(text)


def test_options_as_the_api_takes_them():
    energy = {"price_kwh": ["1"] * 24, "utc_offset": "+08:00", "watts_cpu": 5, "watts_accelerator": 700}
    assert terms("1m", "30s", "0.5", "1", "+08:00", 5, 700) == {
        "minimum_s": 60,
        "round_up_s": 30,
        "egress_gib": "0.5",
        "energy": energy,
    }
    assert "energy" not in terms("0s", "0s", "0", None, "+08:00", 0, 0)
    with pytest.raises(typer.BadParameter, match="what a kWh costs"):
        terms("0s", "0s", "0", None, "+08:00", 5, 0)
    with pytest.raises(typer.BadParameter, match="length of time"):
        terms("soon", "0s", "0", None, "+08:00", 0, 0)


def test_in_a_few_words():
    assert besides(PLAIN) == ""
    prices = ["0.32"] * 8 + ["1.05"] * 16
    full = {"minimum_s": 60, "round_up_s": 30, "egress_gib": "0.5", "energy": {"price_kwh": prices}}
    assert besides(full) == "at least 1m, by 30s, 0.5 a GiB in, 0.32 to 1.05 a kWh"
    assert besides(PLAIN | {"energy": {"price_kwh": ["0.65"] * 24}}) == "0.65 a kWh"
