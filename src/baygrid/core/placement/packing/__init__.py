"""Which nodes, and which accelerators on them: scores over all nodes of a partition at once."""
