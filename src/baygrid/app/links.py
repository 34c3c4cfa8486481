"""What agents measured of their centres' links, as it is kept and as planning knows it."""

from __future__ import annotations

from collections.abc import Mapping

from baygrid.app.changes import Changes
from baygrid.app.plausible import odd_sample
from baygrid.core.placement.links import KEPT, Measured, summary
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Report
from baygrid.ports.records import EXCHANGE, Event, LinkRecord
from baygrid.ports.store import Tx

MEASURED = "link-measured"
"""The event by which every server hears of it."""


def measured(tx: Tx) -> Mapping[str, Measured]:
    """Of the link from the exchange to each centre that has measured it."""
    return {row.target: summary(row.samples) for row in tx.exchange.links() if row.source == EXCHANGE}


def take_links(tx: Tx, changes: Changes, centre: str, report: Report, now: Instant) -> dict[str, str]:
    """What an agent measured of its own link. It may come twice. Returns why what cannot be true is left
    out, as for attempts."""
    wrong: dict[str, str] = {}
    row = tx.exchange.link(EXCHANGE, centre) if report.links else None
    samples = list(row.samples) if row is not None else []
    before = len(samples)
    for sample in report.links[:KEPT]:
        why = odd_sample(sample, now)
        if why is not None:
            wrong["link"] = f"a measurement of its link cannot be true: {why}"
        elif all(known.at != sample.at for known in samples):
            samples.append(sample)
    if len(samples) > before:
        tx.exchange.put_link(LinkRecord(EXCHANGE, centre, tuple(samples[-KEPT:])))
        changes.events.append(Event(now, MEASURED, centre=centre))
    return wrong
