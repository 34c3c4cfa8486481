"""See `rulebook.yaml`."""
