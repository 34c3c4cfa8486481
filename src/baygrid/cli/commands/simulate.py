"""The whole region in one thread."""

from typing import Annotated

import typer

from baygrid.cli.session import Session, command, settle


def register(app: typer.Typer) -> None:
    command(app, "simulate")(simulate)


def simulate(
    session: Session,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many histories.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Jobs in each.")] = 100,
    first: Annotated[int, typer.Option("--first", min=0, help="The first seed.")] = 0,
) -> None:
    """Run the whole region in one thread under simulated time and faults, and check what must hold."""
    from dataclasses import asdict

    from baygrid.sim import Outcome
    from baygrid.sim import simulate as run_seeds

    def tell(outcome: Outcome) -> None:
        found = outcome.failure
        verdict = f"VIOLATES {found.invariant}: {found.subject} {found.detail}" if found else "holds"
        session.out.note(f"seed {outcome.seed}: {outcome.jobs} jobs, {outcome.steps} steps, {verdict}")

    settle()
    summary = run_seeds(seeds, jobs, first, tell)
    if session.json:
        failures = [asdict(failure) for failure in summary.failures]
        session.out.json(
            {"seeds": summary.seeds, "jobs": summary.jobs, "steps": summary.steps, "failures": failures}
        )
    else:
        session.out.line(f"{summary.seeds} histories, {summary.jobs} jobs: {len(summary.failures)} failures")
    raise typer.Exit(1 if summary.failures else 0)
