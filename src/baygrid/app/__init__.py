"""One function per use case: load, decide (core), apply (ports)."""
