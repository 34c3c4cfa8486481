"""One queue over a real Slurm, a real Ray and this machine: `make demo-region`."""
