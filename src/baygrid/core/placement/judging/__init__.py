"""Which offers can run a job, and which of them is best, whatever is free just now."""
