"""Pictures as they are drawn. Slow: the drawer starts for a second or two."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from baygrid.observatory.charts import LANGUAGES, Kind, Row, same
from baygrid.observatory.drawing import COLOURS, INK, svg
from tests.observatory.drawn import LAYERS, TITLE, by_layer, chart, figure

pytestmark = pytest.mark.slow

SVG = "{http://www.w3.org/2000/svg}"


def _texts(picture):
    return ["".join(it.itertext()) for it in ET.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_speaks_its_readers_language_with_their_glyphs(language):
    picture = svg(by_layer(), language)
    root = ET.fromstring(picture)
    face = {"en": "SC", "zh-Hans": "SC", "zh-Hant": "HK", "ja": "JP"}[language]
    fonts = {it.get("font-family") for it in root.iter(f"{SVG}text")}
    assert [str(it).split(",")[0].strip("'") for it in fonts] == [f"Noto Sans CJK {face}"]
    assert root.get("lang") == language
    texts = _texts(picture)
    assert {TITLE[language], *(it[language] for it in LAYERS)} <= {*texts}


def test_who_hears_a_picture_hears_its_title_and_every_value():
    root = ET.fromstring(svg(by_layer(), "en"))
    named = root.get("aria-labelledby", "").split()
    said = [it.text for it in root if it.get("id") in named]
    assert root.get("role") == "img"
    assert said == [
        "AI companies of Qianhai",
        "companies: 2023 Base <layer>: 39; 2023 Technology layer: 37.3; 2023 Application layer: not shown",
    ]


@pytest.mark.parametrize("kind", Kind)
def test_values_are_written_and_what_is_not_shown_is_said(kind):
    texts = _texts(svg(by_layer(kind), "en"))
    hidden = "not shown" if kind is Kind.BARS else "Source: RegistryNot shown: 2023 Application layer"
    assert hidden in texts
    assert ("37.3" in texts) is (kind is not Kind.LINE)


def test_lengths_of_bars_are_as_their_values():
    root = ET.fromstring(svg(chart((Row(figure("39"), same("a")), Row(figure("78"), same("b")))), "en"))
    bars = [it.get("d", "") for it in root.iter(f"{SVG}path") if it.get("fill") == COLOURS[0]]
    short, long = (abs(float(it.split("h")[1].split("v")[0])) for it in bars)
    assert long == pytest.approx(2 * short)


def test_what_is_made_up_says_so_in_the_picture_and_to_who_hears_it():
    rows = (Row(figure("1"), same("a")), Row(figure("2", synthetic=True), same("b")))
    picture = svg(chart(rows), "ja")
    assert picture.count("合成データ（実在しない）") >= 2
    assert "合成データ" not in svg(by_layer(), "ja")


def test_texts_turn_light_on_a_dark_page_and_two_pictures_on_one_page_do_not_mix():
    one, other = svg(by_layer(), "en"), svg(by_layer(), "ja")
    assert "prefers-color-scheme: dark" in one
    assert f"#chart-layers-en text[fill='{INK}']" in one
    assert {it.get("id") for it in ET.fromstring(one).iter() if it.get("id")}.isdisjoint(
        it.get("id") for it in ET.fromstring(other).iter() if it.get("id")
    )


def test_the_same_chart_gives_the_same_bytes_in_any_process():
    picture = svg(by_layer(Kind.LINE), "zh-Hant")
    assert svg(by_layer(Kind.LINE), "zh-Hant") == picture
    code = (
        "import sys; from baygrid.observatory.charts import Kind;"
        "from baygrid.observatory.drawing import svg;"
        "from tests.observatory.drawn import by_layer;"
        "sys.stdout.buffer.write(svg(by_layer(Kind.LINE), 'zh-Hant').encode())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=100)
    assert other.stdout.decode() == picture
