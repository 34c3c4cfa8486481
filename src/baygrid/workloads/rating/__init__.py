"""Measures what this machine does in an hour with a profile: a fixed model, input and quality gate."""
