"""Where models come from and what runs them: installed packages, a cache of conversions, ONNX Runtime."""

from __future__ import annotations

from baygrid.workloads.application import ApplicationError


class ModelMissing(ApplicationError):
    """A model that is not on this machine, with what brings it."""


class ModelRefused(ApplicationError):
    """A model's file that is not what it should be, or that asks for more than numbers."""
