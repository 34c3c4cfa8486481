"""The observatory and the letter in the demo: companies by registered address, a figure that is refused, one
that is misread, and the letter's first issue."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from scripts.demo.region import ROOT, Region, expect
from scripts.demo.texts import LANGUAGES, Texts

DAY: Final = "2023-12-31"
MISREAD: Final = "1秒間に500億兆回"
ISSUE: Final = "letters/001"


@dataclass(frozen=True, slots=True)
class Observed:
    """Companies of the zone and of the city (invented), the zone's share of them, its base and technology
    layers' share; what is known of how many cities; where the letter's archive is."""

    companies: int
    of_city: int
    share: Decimal
    mix: Decimal
    cities: int
    registry: Path
    letter: Path


def observing(region: Region, say: Texts, out: Path) -> Observed:
    region.screen.scene(say("scene_observing"))
    region.screen.say(say("observing_about"))
    registry = out / "registry"
    shutil.rmtree(registry, ignore_errors=True)  # of an earlier demo
    region.show(None, "registry", "sample", registry.name, cwd=out)
    count, city = "companies.count@qianhai", "companies.count@shenzhen"
    said = ("--as-of", DAY, "--registry", registry.name)
    region.show(None, "indicators", "compare", count, city, *said, cwd=out)
    _refused(
        region, "indicators", "compare", count, "returns.information_services.revenue@qianhai", *said, out=out
    )
    region.show("operator", "registry", "import", registry.name, cwd=out)
    region.show(None, "figure", "read", MISREAD, "--lang", "ja")
    zone, whole = (_figures(region, of, registry) for of in ("qianhai", "shenzhen"))
    letter = out / "letter"
    region.show(None, "letter", "build", ISSUE, "--out", os.path.relpath(letter, ROOT), cwd=ROOT)
    for language in LANGUAGES:
        for made in ("index.html", "letter.pdf", "feed.xml"):
            expect((letter / language / made).stat().st_size > 0, f"the letter lacks {language}/{made}")
    cities = {each["city"] for each in json.loads(region.run(None, "indicators", "cities", "--json"))}
    return Observed(
        int(zone["companies.count"]), int(whole["companies.count"]), zone["companies.share_of_city"],
        zone["mix.base_technology.share"], len(cities), registry, letter / "index.html",
    )  # fmt: skip


def _refused(region: Region, *argv: str, out: Path) -> None:
    region.screen.command(["baygrid", *argv])
    done = region.attempt(None, *argv, cwd=out)
    region.screen.output(done.stdout)
    expect(done.returncode != 0, "a share of companies in revenue should be refused")


def _figures(region: Region, zone: str, registry: Path) -> dict[str, Any]:
    told = region.run(
        None, "indicators", "--json", "--zone", zone, "--as-of", DAY, "--registry", str(registry)
    )
    return {it["id"]: Decimal(it["value"]) for it in json.loads(told) if it["value"] is not None}
