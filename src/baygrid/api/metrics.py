"""What a server counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from baygrid.core.jobs.lifecycle import JobState

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """One registry for each server, so that several can live in one process. `cycle` is the scheduler's."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "baygrid_requests_total",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "baygrid_request_seconds",
            "From the request to the beginning of its answer; parked requests include their wait.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.refusals = Counter(
            "baygrid_centre_refusals_total",
            "What centres said and was not taken: attempts of a report, or whole requests by their problem.",
            ("centre", "kind"),
            registry=self.registry,
        )
        self._jobs = Gauge("baygrid_jobs", "Jobs by state.", ("state",), registry=self.registry)
        self._leader = Gauge(
            "baygrid_leader", "1 where this server plans for the region.", registry=self.registry
        )
        self._term = Gauge("baygrid_term", "The term of the region's leader.", registry=self.registry)
        self.cycle = Histogram(
            "baygrid_scheduler_cycle_seconds",
            "How long the scheduler's cycles took.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._known: dict[tuple[str, str, int], Counter] = {}
        self._known_latency: dict[tuple[str, str], Histogram] = {}

    def saw(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request is answered. Children are kept: looking them up by label costs more than counting."""
        counter = self._known.get((method, route, status))
        if counter is None:
            counter = self._known[method, route, status] = self._requests.labels(method, route, str(status))
            self._known_latency[method, route] = self._latency.labels(method, route)
        counter.inc()
        self._known_latency[method, route].observe(seconds)

    def render(self, jobs: Mapping[JobState, int], role: str, term: int) -> bytes:
        for state in JobState:
            self._jobs.labels(state.value).set(jobs.get(state, 0))
        self._leader.set(role == "leader")
        self._term.set(term)
        return generate_latest(self.registry)
