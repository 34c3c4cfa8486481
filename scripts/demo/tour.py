"""The end of the demo: one line for each system that the newsletter names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from scripts.demo.border import Shared
from scripts.demo.observing import Observed
from scripts.demo.placing import TRACE, Replayed
from scripts.demo.region import Region
from scripts.demo.scenes import CENTRES, PEOPLE, Exchange, Money
from scripts.demo.show import Screen, shown_path
from scripts.demo.support import INSTITUTE, START_UP, UNIVERSITY, Support
from scripts.demo.texts import Texts
from scripts.demo.yardsticks import Measured


def rows(
    say: Texts,
    rates: Mapping[str, Measured],
    replayed: Replayed,
    links: Exchange,
    money: Money,
    support: Support,
    shared: Shared,
    observed: Observed,
) -> list[list[str]]:
    """System, what happened, figure, file or address."""
    happened = say("tour_platform", organisations=len(PEOPLE), centres=len(CENTRES), jobs=money.jobs)
    charged = say("tour_platform_figure", charged=money.charged, differences=money.differences)
    images, speech, driving = (rates[unit] for unit in ("images", "audio_hours", "km"))
    rate = say(
        "tour_centre_figure", images=f"{images.per_hour:,.0f}", images_share=f"{images.share:.4%}",
        hours=f"{speech.per_hour:,.1f}", hours_share=f"{speech.share:.4%}",
        km=f"{driving.per_hour:,.1f}", km_share=f"{driving.share:.4%}",
    )  # fmt: skip
    report = driving.picture.with_name("report.html")
    evidence = say("tour_driving_figure", **_evidence(driving.picture.with_name("statistics.json")))
    waits = say("tour_placement_figure", easy=f"{replayed.easy_s:,.0f}", fifo=f"{replayed.fifo_s:,.0f}")
    speed = say("tour_exchange_figure", speed=f"{links.mbit_s:,.0f}", latency=f"{links.latency_ms:.1f}")
    bills = say(
        "tour_measures", university=support.paid[UNIVERSITY], institute=support.paid[INSTITUTE],
        start_up=support.paid[START_UP],
    )  # fmt: skip
    read = say("tour_data_figure", rows=f"{shared.rows:,}", article=shared.refused)
    voucher = say("tour_measures_figure", paid=support.voucher, clause=support.clause)
    counted = say(
        "tour_statistics_figure", companies=f"{observed.companies:,}", city=f"{observed.of_city:,}",
        share=f"{observed.share:.2%}",
    )  # fmt: skip
    mix = say("tour_cities_figure", mix=f"{observed.mix:.1%}", cities=observed.cities)
    return [
        [say("system_platform"), happened, charged, shown_path(money.bill)],
        [say("system_placement"), say("tour_placement"), waits, shown_path(TRACE)],
        [say("system_exchange"), say("tour_exchange", members=links.members), speed, "baygrid exchange"],
        [say("system_centre"), say("tour_centre"), rate, shown_path(images.picture)],
        [say("system_data"), say("tour_data"), read, shown_path(shared.evidence)],
        [say("system_measures"), bills, voucher, "baygrid vouchers"],
        [say("system_statistics"), say("tour_statistics"), counted, shown_path(observed.registry)],
        [say("system_cities"), say("tour_cities"), mix, "baygrid indicators cities"],
        [say("system_driving"), say("tour_driving"), evidence, shown_path(report)],
        [say("system_letter"), say("tour_letter"), say("tour_letter_figure"), shown_path(observed.letter)],
    ]


def _evidence(statistics: Path) -> dict[str, str]:
    """Of the synthetic drive, where all that there is to find is known."""
    told = json.loads(statistics.read_text(encoding="utf-8"))
    kinds = [kind for each in told["each"] for kind in each["truth"]["scenarios"]["by_kind"].values()]
    counts = {what: str(sum(kind[what] for kind in kinds)) for what in ("found", "planted", "false")}
    return {"km": f"{told['km']:.2f}", **counts}


def show(
    screen: Screen,
    say: Texts,
    rates: Mapping[str, Measured],
    replayed: Replayed,
    links: Exchange,
    money: Money,
    support: Support,
    shared: Shared,
    observed: Observed,
) -> None:
    screen.scene(say("scene_tour"))
    heads = [say("tour_system"), say("tour_happened"), say("tour_figure"), say("tour_where")]
    screen.table(heads, rows(say, rates, replayed, links, money, support, shared, observed), whole=(3,))


def how_to_go_on(screen: Screen, say: Texts, out: str) -> None:
    """After the region has stopped."""
    screen.scene(say("scene_next"))
    screen.say(say("next_stopped", folder=out))
    screen.command([".venv/bin/baygrid", "serve"], say("next_serve"))
    screen.command([".venv/bin/baygrid", "run", "examples/hello.yaml"], say("next_run"))
    screen.command([".venv/bin/baygrid", "explain", "examples/train-h100.yaml"], say("next_explain"))
    screen.command([".venv/bin/baygrid", "bill", "--project", "default", "--recompute"], say("next_bill"))
    screen.command(["make", "demo", "DEMO_KEEP=1"], say("next_keep"))


def still_running(region: Region, say: Texts) -> None:
    """What to do beside a region that goes on."""
    region.screen.scene(say("scene_next"))
    region.screen.say(say("next_running"))
    region.screen.command(["export", f"BAYGRID_SERVER={region.server}"])
    region.screen.command(["export", f"BAYGRID_TOKEN={region.tokens['operator']}"])
    region.screen.command([".venv/bin/baygrid", "jobs"])
    region.screen.command([".venv/bin/baygrid", "run", "examples/hello.yaml", "--project", PEOPLE[0][1]])
