"""Baygrid: a region's AI compute and data as one place."""

__version__ = "0.1.0"
