"""What a centre does in an hour of each unit of work, and what follows from it."""
