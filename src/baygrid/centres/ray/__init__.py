"""A Ray cluster as a centre, by its Jobs API."""

from baygrid.centres.ray.engine import RayEngine

__all__ = ["RayEngine"]
