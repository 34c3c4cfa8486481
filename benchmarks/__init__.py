"""Figures, and what they are compared with, measured in one run: `make bench`."""
