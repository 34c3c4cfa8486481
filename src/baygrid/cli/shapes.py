"""How values of the API are shown on a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import typer

from baygrid.client.wire import Attempt, count, money, size

__all__ = ["EACH", "UNITS", "count", "local", "money", "size", "span", "staged", "time_of"]

UNITS: Final = {"images": "images", "audio_hours": "audio hours", "km": "km"}
EACH: Final = {"images": "million images", "audio_hours": "audio hour", "km": "km"}
"""For how much of a unit of work a price is told."""


def staged(attempt: Attempt | None) -> str:
    """How much of its inputs has come, while they come: 12.0 MiB of 3.1 GiB."""
    if attempt is None or attempt["state"] != "STAGING":
        return ""
    done, total = attempt["staged_bytes"], attempt["staging_bytes"]
    if total is None:
        return size(done) if done else ""
    return f"{size(done)} of {size(total)}"


def local(instant: str | None) -> str:
    """A time as the user's clock shows it."""
    return datetime.fromisoformat(instant).astimezone().strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def time_of(text: str | None) -> str | None:
    """A day or a time of the user's clock as the API wants it."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().isoformat(timespec="milliseconds")
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time: write for example 2026-11-01 or 2026-11-01T08:00"
        ) from None


def span(length: float) -> str:
    """A length of time as people say it: 4s, 3m05s, 2h07m."""
    whole = max(0, round(length))
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"
