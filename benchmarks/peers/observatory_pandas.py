"""The observatory's counts by pandas, as somebody writes them in a notebook: the registry's files in, the
same numbers out as of `baygrid.observatory.frames`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import shapely
from shapely.geometry import shape

DAYS = ("since", "until", "founded", "dissolved", "received")


class Notebook:
    """All files, and for each address the zones that it lies in."""

    def __init__(self, folder: Path) -> None:
        self.bodies = _read(folder / "bodies.csv", "id", "kind", "founded", "dissolved")
        self.addresses = _read(folder / "addresses.csv", "body", "since", "until", "lon", "lat")
        self.labels = _read(folder / "labels.csv", "body", "kind", "value", "since", "until", "by")
        self.returns = _read(
            folder / "returns.csv", "body", "population", "period", "measure", "value", "unit", "received"
        )
        self.addresses["spell"] = self.addresses.index
        inside = {}
        for feature in json.loads((folder / "zones.json").read_text())["features"]:
            polygon = shape(feature["geometry"])
            shapely.prepare(polygon)
            zone = feature["properties"]["id"]
            inside[zone] = shapely.contains_xy(polygon, self.addresses["lon"], self.addresses["lat"])
        inside["shenzhen/rest"] = inside["shenzhen"] & ~inside["qianhai"]
        self.places = pd.concat(
            [self.addresses.loc[here, ["spell"]].assign(zone=zone) for zone, here in inside.items()]
        )

    def standing(self, day: date) -> pd.DataFrame:
        """A row for each body and zone on a day, with its layer."""
        at = pd.Timestamp(day)
        here = _held(self.addresses, at).sort_values("since").drop_duplicates("body", keep="last")
        alive = self.bodies[
            ~(self.bodies["founded"] > at)
            & (self.bodies["dissolved"].isna() | (self.bodies["dissolved"] > at))
        ]
        layers = _held(self.labels[self.labels["kind"] == "layer"], at)
        layers = layers.assign(person=layers["by"] != "classifier").sort_values(["person", "since", "value"])
        layers = layers.drop_duplicates("body", keep="last")[["body", "value"]]
        joined = alive.merge(here[["body", "spell"]], left_on="id", right_on="body")
        joined = joined.merge(layers.rename(columns={"value": "layer"}), on="body", how="left")
        return joined.merge(self.places, on="spell")

    def counts(self, standing: pd.DataFrame) -> dict[Any, int]:
        sizes = standing.groupby(["zone", "kind", "layer"], dropna=False).size()
        return {
            (zone, kind, None if pd.isna(layer) else layer): int(n)
            for (zone, kind, layer), n in sizes.items()
        }

    def fields(self, standing: pd.DataFrame, day: date) -> dict[Any, int]:
        told = _held(self.labels[self.labels["kind"] == "field"], pd.Timestamp(day))
        told = told.assign(person=told["by"] != "classifier")
        told = told[told["person"] == told.groupby("body")["person"].transform("max")]
        joined = standing[standing["kind"] == "company"].merge(told[["body", "value"]], on="body")
        found = joined.drop_duplicates(["zone", "body", "value"]).groupby(["zone", "value"]).size()
        return {key: int(n) for key, n in found.items()}

    def flows(self, was: pd.DataFrame, now: pd.DataFrame, first: date, day: date) -> dict[Any, int]:
        columns = ["zone", "body", "spell"]
        here = now.loc[now["kind"] == "company", [*columns, "founded"]]
        there = was.loc[was["kind"] == "company", [*columns, "dissolved"]]
        joined = here.merge(there, on=["zone", "body"], how="outer", suffixes=("", "_was"))
        joined["what"] = "stayed"
        joined.loc[joined["spell"] != joined["spell_was"], "what"] = "within"
        came, went = joined["spell_was"].isna(), joined["spell"].isna()
        joined.loc[came, "what"] = "moved_in"
        joined.loc[came & (joined["founded"] > pd.Timestamp(first)), "what"] = "founded"
        joined.loc[went, "what"] = "moved_out"
        joined.loc[went & (joined["dissolved"] <= pd.Timestamp(day)), "what"] = "dissolved"
        return {key: int(n) for key, n in joined.groupby(["zone", "what"]).size().items()}

    def reported(self, standing: pd.DataFrame, year: str, known: date) -> dict[str, tuple[int, int]]:
        """By zone how many companies reported, and their revenue in fen."""
        rows = self.returns[
            (self.returns["period"] == year)
            & (self.returns["population"] == "ai_companies")
            & (self.returns["measure"] == "revenue")
            & (self.returns["unit"] == "CNY")
            & (self.returns["received"] <= pd.Timestamp(known))
            & self.returns["body"].notna()
        ]
        rows = rows.sort_values("received").drop_duplicates("body", keep="last")
        joined = standing[standing["kind"] == "company"].merge(rows[["body", "value"]], on="body")
        fen = (joined["value"].astype(float) * 100).round().astype("int64")
        grouped = fen.groupby(joined["zone"]).agg(["size", "sum"])
        return {str(zone): (int(row["size"]), int(row["sum"])) for zone, row in grouped.iterrows()}


def _held(frame: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    return frame[~(frame["since"] > at) & (frame["until"].isna() | (frame["until"] > at))]


def _read(path: Path, *columns: str) -> pd.DataFrame:
    days: Iterable[str] = [name for name in columns if name in DAYS]
    text = {name: "str" for name in columns if name not in (*DAYS, "lon", "lat")}
    return pd.read_csv(path, usecols=list(columns), dtype=text, parse_dates=list(days), engine="pyarrow")
