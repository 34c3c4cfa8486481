"""The demo: real processes, real jobs, real money of a sample region, told in four languages."""
