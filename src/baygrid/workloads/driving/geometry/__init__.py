"""Outlines that overlap, and places on the earth."""
