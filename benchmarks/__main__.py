"""`make bench`: everything, on SQLite and PostgreSQL, as a table and as docs/benchmarks.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import starts, submissions
from tests import services

RESULT = Path("docs/benchmarks.json")
QUIET = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure Baygrid beside a bare subprocess and HyperQueue.")
    parser.add_argument("--no-postgres", action="store_true", help="only SQLite")
    parser.add_argument("--part", choices=["hyperqueue"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        print(json.dumps(starts.hyperqueue()))
        return
    figures: dict[str, Any] = {"machine": _machine()}
    _measure(figures, "sqlite", None)
    if not chosen.no_postgres:
        with services.postgres(durable=True) as server:
            for part in PARTS:
                _measure(figures, "postgresql", server.url(server.create()), (part,))
    figures["bare_subprocess"] = _said("bare_subprocess", starts.bare_subprocess())
    figures["hyperqueue"] = _said("hyperqueue", _hyperqueue())
    figures["machine"]["load_after"] = os.getloadavg()[0]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")
    loud = figures["machine"]["load_before"]
    if loud > QUIET:
        print(
            f"the machine was not quiet when this began (load {loud:.1f}): take the ratios, not the figures"
        )
    print(f"written to {RESULT}")


PARTS: dict[str, Callable[[str | None], dict[str, Any]]] = {
    "submissions": submissions.measure,
    "embedded": lambda database: starts.measure(database, embedded=True),
    "separate_agent": lambda database: starts.measure(database, embedded=False),
}


def _measure(
    figures: dict[str, Any], name: str, database: str | None, parts: tuple[str, ...] = tuple(PARTS)
) -> None:
    for part in parts:
        figures.setdefault(name, {})[part] = _said(f"{name} {part}", PARTS[part](database))


def _said(name: str, result: dict[str, Any]) -> dict[str, Any]:
    print(f"{name:28}", "  ".join(f"{key} {value}" for key, value in result.items()), flush=True)
    return result


def _hyperqueue() -> dict[str, Any]:
    """In a process of its own: it writes progress bars and banners to its output."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--part", "hyperqueue"],
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main()
