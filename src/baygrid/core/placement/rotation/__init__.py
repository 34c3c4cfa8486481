"""Whose turn it is among jobs that may be interrupted: orders by remaining or attained service."""
