"""The whole region in one thread, from a seed: real servers, scheduler and agents over a simulated clock,
network and centres, with crashes, and a checker that knows the truth."""

from __future__ import annotations

from baygrid.sim.results import Failure, Outcome
from baygrid.sim.runs import Summary, simulate

__all__ = ["Failure", "Outcome", "Summary", "simulate"]
