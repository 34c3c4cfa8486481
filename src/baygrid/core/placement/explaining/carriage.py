"""How a job's data gets to a place, in words and figures: over which link, as of when, for how much."""

from __future__ import annotations

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import CentreView
from baygrid.core.placement.links import Origin, Speed, speed
from baygrid.core.placement.policy import Policy
from baygrid.core.reading import format_instant
from baygrid.core.reasons import JSON
from baygrid.core.units import format_duration


def said(demand: Demand, centre: CentreView | None, policy: Policy, currency: str) -> str:
    """To be put after what else is said of a place; "" for a job that brings nothing."""
    if not demand.input_bytes or centre is None:
        return ""
    link = speed(centre.link, policy.centre(centre.name))
    time = format_duration(link.transfer_s(demand.input_bytes))
    text = f"; its data comes in {time} over {centre.name}'s link to the exchange ({link}, {_known(link)})"
    if link.origin is Origin.UNKNOWN:
        text = f"; the link from the exchange to {centre.name} is unknown, and taken as instant"
    price = policy.centre(centre.name).gib_price
    return text + (f", at {currency} {float(price):.4g} per GiB" if price else "")


def figures(centre: CentreView, policy: Policy) -> JSON:
    """Of the link that `said` names."""
    link = speed(centre.link, policy.centre(centre.name))
    return {
        "mbit_s": link.bit_s / 1e6 if link.bit_s else None,
        "origin": link.origin.value,
        "measured_ms": link.measured_at,
        "gib_price": float(policy.centre(centre.name).gib_price),
    }


def _known(link: Speed) -> str:
    at = "" if link.measured_at is None else f" at {format_instant(link.measured_at)}"
    return f"{link.origin.value}{at}"
