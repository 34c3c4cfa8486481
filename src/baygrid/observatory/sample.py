"""An invented registry, marked as such in every row, whose year 2023 has the published figures of the
region: 2,267 companies, 289 of them in Qianhai (39 base, 37 technology, 213 application). The same seed
gives the same files.

Published aggregates and areas in it are real figures with their sources; no company, code or address is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Final, TypeVar

from baygrid.core.region.bodies import FIELDS, LAYERS
from baygrid.core.region.codes import ALPHABET, check_character
from baygrid.core.region.rows import COLUMNS, ZONES
from baygrid.observatory.invented import HERE, REST, Company, Targets, companies
from baygrid.observatory.zones import schematic, to_geojson

Row = tuple[str, ...]
T = TypeVar("T")

TARGETS: Final[Targets] = {
    2019: {HERE: (9, 8, 79), REST: (79, 192, 873)},
    2020: {HERE: (13, 12, 103), REST: (95, 228, 999)},
    2021: {HERE: (19, 18, 133), REST: (111, 267, 1133)},
    2022: {HERE: (28, 26, 172), REST: (128, 306, 1260)},
    2023: {HERE: (39, 37, 213), REST: (145, 355, 1478)},
}
"""Companies by layer at the end of each year. The city's 1,920 of 2022 and their layers are published (White
Paper 2023), its 1,681 of 2021 follow from the growth there; the others but 2023's are invented."""

CITY: Final = "shenzhen"
_LETTER: Final = "Greater Bay Area letter Vol. 77 (2024-03-27)"
_AREA: Final = "as commonly stated, not confirmed by a primary text"
_AGGREGATES: Final[tuple[Row, ...]] = (
    ("", "information_services", HERE, "2023", "revenue", "221300000000", "CNY", _LETTER, "2024-03-27"),
    ("", "information_services", HERE, "2023", "revenue_growth", "0.515", "1", _LETTER, "2024-03-27"),
    ("", "land", HERE, "2023", "land_km2", "120.56", "km2", _AREA, "2024-01-01"),
    ("", "land", CITY, "2023", "land_km2", "1997", "km2", _AREA, "2024-01-01"),
)
_BEGUN: Final = "2005-09-01"
_INSIDE: Final = {"university": (2, 6), "institute": (5, 9)}
"""Other bodies in Qianhai and elsewhere in the city."""
_SOURCE: Final = "synthetic sample"
_WORDS: Final = {
    "machine_vision": ("机器视觉", "機器視覺", "Machine Vision", "マシンビジョン"),
    "data_mining": ("数据挖掘", "數據挖掘", "Data Mining", "データマイニング"),
    "smart_finance": ("智能金融", "智能金融", "Smart Finance", "スマート金融"),
    "smart_logistics": ("智慧物流", "智慧物流", "Smart Logistics", "スマート物流"),
    "intelligent_connected_vehicles": (
        "智能网联汽车",
        "智能網聯汽車",
        "Connected Vehicles",
        "コネクテッドカー",
    ),
    "large_models": ("大模型", "大模型", "Large Models", "大規模モデル"),
    "speech_language": ("语音", "語音", "Speech", "音声"),
    "robotics": ("机器人", "機器人", "Robotics", "ロボット"),
    "medical": ("医疗", "醫療", "Medical", "医療"),
    "other": ("智能", "智能", "Intelligence", "知能"),
    "university": ("大学", "大學", "University", "大学"),
    "institute": ("研究院", "研究院", "Institute", "研究院"),
}
_REPORTED_YEARS: Final = 3
_REPORTS: Final = 0.85
_REPORTS_AI: Final = 0.9


def write(folder: Path, targets: Targets = TARGETS, seed: int = 1) -> int:
    """The registry in its plain form; how many companies stand at its end. Raises FileExistsError where the
    folder is not empty."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: name a new folder")
    found = companies(targets, Random(seed))
    for it in found:
        it.fields = _fields(it, Random(f"{seed}-{it.number}"))
    others = [(kind, n) for kind, counts in _INSIDE.items() for n in range(1, 1 + sum(counts))]
    points = _Points(Random(seed + 1))
    amounts = Random(seed + 2)
    tables: dict[str, Iterable[Row]] = {
        "bodies": [*map(_body, found), *(_other(kind, n) for kind, n in others)],
        "addresses": [
            *(row for it in found for row in _addresses(it, points)),
            *(_other_address(kind, n, points) for kind, n in others),
        ],
        "labels": [row for it in found for row in _labels(it)],
        "returns": [*(row for it in found for row in _returns(it, max(targets), amounts)), *_AGGREGATES],
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS[name])
            writer.writerows(rows)
    zones = json.dumps(to_geojson(schematic()), ensure_ascii=False, indent=1)
    (folder / ZONES).write_text(zones + "\n", encoding="utf-8")
    return sum(it.dissolved is None for it in found)


class _Points:
    """Places inside Qianhai's rectangle, or in the city's and not in that."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._boxes: dict[str, tuple[float, float, float, float]] = {}
        for zone in schematic():
            (ring,) = zone.geometry["coordinates"]
            lons, lats = zip(*ring, strict=True)
            self._boxes[zone.id] = (min(lons), max(lons), min(lats), max(lats))

    def one(self, place: str) -> tuple[str, str]:
        west, east, south, north = self._boxes[HERE if place == HERE else CITY]
        while True:
            lon, lat = (
                round(self._random.uniform(west, east), 5),
                round(self._random.uniform(south, north), 5),
            )
            if self._in(HERE, lon, lat) == (place == HERE) and self._in(CITY, lon, lat):
                return str(lon), str(lat)

    def _in(self, zone: str, lon: float, lat: float) -> bool:
        west, east, south, north = self._boxes[zone]
        return west < lon < east and south < lat < north


def _body(it: Company) -> Row:
    funded = "true" if it.number % 8 == 0 else "false"
    days = str(it.founded), str(it.dissolved or "")
    names = _names(it.fields[0], f"{it.number:06}", ("有限公司", "有限公司", " Ltd", "有限公司"))
    return (_id(it), "company", "uscc", _code("91", it.number), *names, *days, funded, "true", "")


def _other(kind: str, number: int) -> Row:
    names = _names(kind, f"{number:02}", ("", "", "", ""))
    code = _code("12", number + (100 if kind == "institute" else 0))
    return (f"{kind}-{number}", kind, "uscc", code, *names, _BEGUN, "", "", "true", "")


def _names(about: str, number: str, ends: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    hans, hant, english, japanese = _WORDS[about]
    return (
        f"合成样本{hans}{number}{ends[0]}", f"合成樣本{hant}{number}{ends[1]}",
        f"Synthetic Sample {english} {number}{ends[2]}", f"合成サンプル{japanese}{number}{ends[3]}",
    )  # fmt: skip


def _id(it: Company) -> str:
    return f"s{it.number:06}"


def _code(kind: str, number: int) -> str:
    """A unified social credit code with a right check character, of a district that there is not: nobody has
    it."""
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    first = f"{kind}990000{digits}"
    return first + check_character(first)


def _fields(it: Company, random: Random) -> list[str]:
    """One, and of every third company two. Of medicine there is hardly any in Qianhai: a small cell."""
    found = random.sample(FIELDS, 1 + (it.number % 3 == 0))
    here = it.moves[-1][1] == HERE
    return [
        "other" if here and each == "medical" and it.number % 16 else each for each in dict.fromkeys(found)
    ]


def _addresses(it: Company, points: _Points) -> Iterator[Row]:
    for number, (since, until, place) in enumerate(_spells(it.moves), 1):
        text = f"synthetic address {it.number}-{number}"
        yield (_id(it), since, until, text, *points.one(place), "")


def _other_address(kind: str, number: int, points: _Points) -> Row:
    place = HERE if number <= _INSIDE[kind][0] else REST
    return (f"{kind}-{number}", _BEGUN, "", f"synthetic address {kind} {number}", *points.one(place), "")


def _labels(it: Company) -> Iterator[Row]:
    by = "a reviewer (synthetic)" if it.number % 33 == 0 else "classifier"
    for since, until, layer in _spells(it.layers):
        yield (_id(it), "layer", LAYERS[layer], since, until, "invented", _SOURCE, by)
    for each in dict.fromkeys(it.fields):
        yield (_id(it), "field", each, str(it.founded), "", "invented", _SOURCE, by)


def _spells(begun: list[tuple[date, T]]) -> Iterator[tuple[str, str, T]]:
    ends = [*(since for since, _ in begun[1:]), ""]
    for (since, value), until in zip(begun, ends, strict=True):
        yield str(since), str(until), value


def _returns(it: Company, last: int, random: Random) -> Iterator[Row]:
    """Of the last years that it saw the end of; not all companies report, and not all say what of it is
    AI."""
    revenue = random.lognormvariate(17, 1.4)
    share = random.betavariate(2, 2 + 2 * it.layers[-1][1])
    for year in range(last - _REPORTED_YEARS + 1, last + 1):
        revenue *= random.lognormvariate(0.15, 0.2)
        ended = it.dissolved is not None and it.dissolved.year <= year
        if ended or it.founded.year > year or random.random() > _REPORTS:
            continue
        row = (_id(it), "ai_companies", "", str(year))
        end = ("CNY", _SOURCE, f"{year + 1}-03-15")
        yield (*row, "revenue", f"{revenue:.2f}", *end)
        if random.random() < _REPORTS_AI:
            yield (*row, "ai_revenue", f"{revenue * share:.2f}", *end)
