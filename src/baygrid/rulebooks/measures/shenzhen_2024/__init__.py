"""Shenzhen's municipal measures for artificial intelligence, of 2024-12-18."""
