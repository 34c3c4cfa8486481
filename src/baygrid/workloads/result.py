"""A run for programs: what `--json` prints and `result.json` holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from baygrid.workloads.application import Application, Outcome, Totals
from baygrid.workloads.whole import write_text

FILE: Final = "result.json"


def result(application: Application, totals: Totals, outcome: Outcome) -> dict[str, Any]:
    """`stages`: CPU seconds by stage, of all shards; `seconds`: wall-clock time of this start's work."""
    return {
        "units": round(totals.units, 6),
        "unit": application.unit,
        "units_per_hour": totals.units_per_hour,
        "failed": [{"input": failed.input, "reason": failed.reason} for failed in totals.failed],
        "quality": dict(outcome.quality),
        "outputs": {what: str(path) for what, path in outcome.outputs.items()},
        "stages": {stage: round(spent, 3) for stage, spent in totals.seconds.items()},
        "seconds": round(totals.wall, 3),
        "workers": totals.workers,
        "engine": totals.engine,
        "shards": totals.shards,
        "shards_resumed": totals.resumed,
    }


def write(path: Path, whole: dict[str, Any]) -> None:
    write_text(path, json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
