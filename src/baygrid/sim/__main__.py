"""python -m baygrid.sim: one line a seed; the story of each failure."""

from __future__ import annotations

import argparse
import sys

from baygrid.sim.results import Outcome
from baygrid.sim.runs import simulate


def main() -> int:
    """0 when every seed held."""
    parser = argparse.ArgumentParser(prog="python -m baygrid.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    summary = simulate(arguments.seeds, arguments.jobs, arguments.first, _tell)
    write = sys.stdout.write
    write(f"{summary.seeds} seeds, {summary.jobs} jobs, {summary.steps} steps, ")
    write(f"{len(summary.failures)} failures\n")
    return 1 if summary.failures else 0


def _tell(outcome: Outcome) -> None:
    write = sys.stdout.write
    verdict = "ok" if outcome.failure is None else f"VIOLATES {outcome.failure.invariant}"
    write(
        f"seed {outcome.seed}: {verdict} ({outcome.jobs} jobs, {outcome.steps} steps, "
        f"{outcome.simulated_ms / 1000:.0f} s, {outcome.sha256[:12]})\n"
    )
    if outcome.failure is not None:
        write(f"  {outcome.failure.subject} {outcome.failure.detail}\n")
        for line in outcome.failure.events:
            write(f"    {line}\n")


if __name__ == "__main__":
    sys.exit(main())
