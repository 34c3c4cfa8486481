"""What a run leaves: tables, an index, a map, statistics, and the evidence of a road test."""
