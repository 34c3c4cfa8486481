"""Words for what rows have as codes: states, causes, roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baygrid.portal.language import N_

LABELS: Final[Mapping[str, str]] = {
    "HELD": N_("Held"),
    "QUEUED": N_("Queued"),
    "ACTIVE": N_("In progress"),
    "SUCCEEDED": N_("Succeeded"),
    "FAILED": N_("Failed"),
    "CANCELLED": N_("Cancelled"),
    "PLACED": N_("Placed"),
    "STAGING": N_("Bringing in data"),
    "WAITING": N_("Waiting at the centre"),
    "RUNNING": N_("Running"),
    "STOPPING": N_("Stopping"),
    "PUBLISHING": N_("Saving results"),
    "UNKNOWN": N_("Unknown"),
    "PREEMPTED": N_("Made way"),
    "LOST": N_("Lost"),
    "team": N_("Team"),
    "centre": N_("Centre"),
    "operator": N_("Platform operator"),
    "images": N_("images"),
    "audio_hours": N_("hours of speech"),
    "km": N_("km driven"),
    "measured": N_("measured"),
    "stale": N_("measured long ago"),
    "planned": N_("planned"),
    "CN": N_("Mainland China"),
    "CN-QH": N_("Qianhai, Shenzhen"),
    "HK": N_("Hong Kong"),
    "MO": N_("Macao"),
}
"""By code. A code that is not here is shown as it is."""
