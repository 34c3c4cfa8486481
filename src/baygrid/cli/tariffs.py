"""A tariff on the command line: what besides rates it has, as options and in a few words."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import typer

from baygrid.core.units import UnitError, format_duration, parse_duration

HOURS: Final = 24
_SPAN: Final = re.compile(r"([0-9]{1,2})-([0-9]{1,2})=([0-9.]+)")

Minimum = Annotated[
    str, typer.Option("--minimum", metavar="TIME", help="Charged at least for an attempt, for example 1m.")
]
RoundUp = Annotated[
    str, typer.Option("--round-up", metavar="TIME", help="An attempt's time is rounded up to whole ones.")
]
EgressGib = Annotated[
    str, typer.Option("--egress-gib", metavar="AMOUNT", help="For a GiB of inputs that comes over a link.")
]
EnergyPrice = Annotated[
    str | None,
    typer.Option(
        "--energy-price",
        metavar="PRICES",
        help="For a kWh: 0.65, or by hours of the day 0-8=0.32,8-22=1.05,22-24=0.32.",
    ),
]
UtcOffset = Annotated[
    str,
    typer.Option("--utc-offset", metavar="OFFSET", help="Of the clock of those hours, for example +08:00."),
]
WattsCpu = Annotated[int, typer.Option("--watts-cpu", help="What a cpu counts as.")]
WattsAccelerator = Annotated[int, typer.Option("--watts-accelerator", help="What an accelerator counts as.")]


def terms(
    minimum: str,
    round_up: str,
    egress_gib: str,
    energy_price: str | None,
    utc_offset: str,
    watts_cpu: int,
    watts_accelerator: int,
) -> dict[str, Any]:
    """As the API takes them. Raises BadParameter."""
    found: dict[str, Any] = {
        "minimum_s": _seconds(minimum, "--minimum"),
        "round_up_s": _seconds(round_up, "--round-up"),
        "egress_gib": egress_gib,
    }
    if energy_price is None:
        if watts_cpu or watts_accelerator:
            raise typer.BadParameter("say what a kWh costs, too", param_hint="--energy-price")
        return found
    energy = {
        "price_kwh": by_hour(energy_price),
        "utc_offset": utc_offset,
        "watts_cpu": watts_cpu,
        "watts_accelerator": watts_accelerator,
    }
    return found | {"energy": energy}


def by_hour(text: str) -> list[str]:
    """24 prices from "0.65", or from spans of hours that together are the day. Raises BadParameter."""
    if "=" not in text:
        return [text] * HOURS
    prices: list[str | None] = [None] * HOURS
    for part in text.split(","):
        found = _SPAN.fullmatch(part.strip())
        if found is None or not int(found[1]) < int(found[2]) <= HOURS:
            raise typer.BadParameter(f"{part!r} is no span such as 8-22=1.05", param_hint="--energy-price")
        for hour in range(int(found[1]), int(found[2])):
            if prices[hour] is not None:
                raise typer.BadParameter(f"hour {hour} is there twice", param_hint="--energy-price")
            prices[hour] = found[3]
    missing = [str(hour) for hour, price in enumerate(prices) if price is None]
    if missing:
        raise typer.BadParameter(f"hours without a price: {', '.join(missing)}", param_hint="--energy-price")
    return [price for price in prices if price is not None]


def besides(tariff: dict[str, Any]) -> str:
    """What it has besides rates: "at least 1m, by 1m, 0.5 a GiB in, 0.3 to 1.2 a kWh"; "" for nothing."""
    said = []
    if tariff["minimum_s"]:
        said.append(f"at least {format_duration(tariff['minimum_s'])}")
    if tariff["round_up_s"]:
        said.append(f"by {format_duration(tariff['round_up_s'])}")
    if tariff["egress_gib"] != "0":
        said.append(f"{tariff['egress_gib']} a GiB in")
    if tariff["energy"]:
        prices = sorted(set(tariff["energy"]["price_kwh"]), key=float)
        said.append(f"{' to '.join(sorted({prices[0], prices[-1]}, key=float))} a kWh")
    return ", ".join(said)


def _seconds(text: str, option: str) -> int:
    try:
        return parse_duration(text)
    except UnitError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
