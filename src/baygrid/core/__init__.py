"""Decisions as functions of values: no clock, chance, file, network or log."""
