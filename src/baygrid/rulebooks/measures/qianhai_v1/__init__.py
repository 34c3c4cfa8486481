"""Qianhai's measures, Document No. 1 of 2024."""
