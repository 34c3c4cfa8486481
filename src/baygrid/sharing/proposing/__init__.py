"""What columns may be in law, proposed by their names and by what values look like. A person decides."""
