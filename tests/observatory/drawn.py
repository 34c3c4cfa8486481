"""Charts for tests, of figures that nobody counted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from baygrid.observatory.charts import Chart, Kind, Row, Words, same

TITLE: Words = {
    "en": "AI companies of Qianhai",
    "zh-Hans": "前海人工智能企业",
    "zh-Hant": "前海人工智能企業",
    "ja": "前海のAI企業",
}
AXIS: Words = {"en": "companies", "zh-Hans": "单位：家", "zh-Hant": "單位：家", "ja": "単位：社"}
LAYERS: tuple[Words, ...] = (
    {"en": "Base <layer>", "zh-Hans": "基础层", "zh-Hant": "基礎層", "ja": "基礎層"},
    {"en": "Technology layer", "zh-Hans": "技术层", "zh-Hant": "技術層", "ja": "技術層"},
    {"en": "Application layer", "zh-Hans": "应用层", "zh-Hant": "應用層", "ja": "応用層"},
)
SOURCE: Words = {"en": "Registry", "zh-Hans": "企业名录", "zh-Hant": "企業名錄", "ja": "企業台帳"}


def figure(value: str | None, **other: Any) -> dict[str, Any]:
    return {
        "id": "companies.count",
        "value": value,
        "unit": "companies",
        "population": "ai_companies in qianhai",
        "period": "2023-12-31",
        "vintage": "2024-03-27",
        "source": "registry",
        "coverage": "1",
        "note": "" if value else "fewer than 3",
        "synthetic": False,
        **other,
    }


def by_layer(kind: Kind = Kind.BARS, **other: Any) -> Chart:
    """39, 37 and one that is not shown, for a year that all languages write alike."""
    values = ("39", "37.25", None)
    rows = tuple(Row(figure(it), same("2023"), layer) for it, layer in zip(values, LAYERS, strict=True))
    return chart(rows, kind, **other)


def chart(rows: tuple[Row, ...], kind: Kind = Kind.BARS, **other: Any) -> Chart:
    return Chart(
        **({"id": "layers", "title": TITLE, "axis": AXIS, "source": SOURCE} | other), kind=kind, rows=rows
    )


BILLIONS = {"en": Decimal(10**9), "zh-Hans": Decimal(10**8), "zh-Hant": Decimal(10**8), "ja": Decimal(10**8)}
