"""`make bench`: everything, as lines and as docs/benchmarks.json: jobs on SQLite and PostgreSQL beside peers,
200 centres on one core, a real Slurm (as root), placement on published traces (in ../shared), charges,
measures and the law, a shared table, a registry of companies, people at pages and logs, and the
reference applications beside other ways to the same rows."""

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

from benchmarks import (
    agents,
    applications,
    law,
    money,
    observatory,
    people,
    placement,
    sharing,
    slurm,
    starts,
    submissions,
)
from tests import services

RESULT = Path("docs/benchmarks.json")
QUIET = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure Baygrid beside a bare subprocess and HyperQueue.")
    parser.add_argument("--no-postgres", action="store_true", help="only SQLite")
    parser.add_argument(
        "--only",
        choices=[
            "jobs", "agents", "slurm", "placement", "money", "law", "sharing", "observatory", "people",
            "applications", *applications.PARTS,
        ],
        help="the others stay as they were (an application's name: that one of the applications)",
    )  # fmt: skip
    parser.add_argument("--part", choices=["hyperqueue", "agents", *placement.PARTS], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        parts = {**placement.PARTS, "hyperqueue": starts.hyperqueue, "agents": agents.measure}
        print(json.dumps(parts[chosen.part]()))
        return
    figures: dict[str, Any] = json.loads(RESULT.read_text()) if chosen.only else {}
    if chosen.only in (None, "jobs"):
        _jobs(figures, postgres=not chosen.no_postgres)
    if chosen.only in (None, "agents"):
        figures["agents"] = {"machine": _machine()} | _said("agents", _in_a_process("agents"))
    if chosen.only == "slurm" or (chosen.only is None and os.geteuid() == 0):
        figures["slurm"] = {"machine": _machine()} | _said("slurm", slurm.measure())
    if chosen.only in (None, "placement"):
        figures["placement"] = {"machine": _machine()}
        for part in placement.PARTS:
            figures["placement"][part] = _said(f"placement {part}", placement.measure(part))
    if chosen.only in (None, "money"):
        figures["money"] = {"machine": _machine()}
        for name, sides in money.measure(postgres=not chosen.no_postgres).items():
            figures["money"][name] = _said(f"money {name}", sides)
    if chosen.only in (None, "law"):
        figures["law"] = {"machine": _machine()} | _said("law", law.measure(postgres=not chosen.no_postgres))
    if chosen.only in (None, "sharing"):
        figures["sharing"] = {"machine": _machine()} | _said("sharing", sharing.measure())
    if chosen.only in (None, "observatory"):
        figures["observatory"] = {"machine": _machine()} | _said("observatory", observatory.measure())
    if chosen.only in (None, "people"):
        figures["people"] = {"machine": _machine()} | _said("people", people.measure())
    if chosen.only in (None, "applications", *applications.PARTS):
        parts = (chosen.only,) if chosen.only in applications.PARTS else applications.PARTS
        figures.setdefault("applications", {})["machine"] = _machine()
        for name, sides in applications.measure(parts):
            figures["applications"][name] = sides
            for side, said in sides.items():
                print(f"{name + ' ' + side:28}", said, flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"written to {RESULT}")


def _jobs(figures: dict[str, Any], *, postgres: bool) -> None:
    figures["machine"] = _machine()
    _measure(figures, "sqlite", None)
    if postgres:
        with services.postgres(durable=True) as server:
            for part in PARTS:
                _measure(figures, "postgresql", server.url(server.create()), (part,))
    figures["bare_subprocess"] = _said("bare_subprocess", starts.bare_subprocess())
    figures["hyperqueue"] = _said("hyperqueue", _in_a_process("hyperqueue"))
    figures["machine"]["load_after"] = os.getloadavg()[0]
    loud = figures["machine"]["load_before"]
    if loud > QUIET:
        print(
            f"the machine was not quiet when this began (load {loud:.1f}): take the ratios, not the figures"
        )


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


def _in_a_process(part: str) -> dict[str, Any]:
    """Of its own: HyperQueue writes progress bars and banners to its output, the agents keep to one core."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--part", part],
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
