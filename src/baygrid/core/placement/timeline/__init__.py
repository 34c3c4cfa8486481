"""When: what is free in future, reservations and the holes before them, and how long a job will run."""
