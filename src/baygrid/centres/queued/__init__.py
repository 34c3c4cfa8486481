"""A centre whose own scheduler decides: Slurm, Kubernetes, Ray, each behind a `centres.engine.Engine`."""

from baygrid.centres.queued.attempt import Pace
from baygrid.centres.queued.centre import QueuedCentre

__all__ = ["Pace", "QueuedCentre"]
