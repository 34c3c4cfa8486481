"""Why a job does not run here and now, when it may, and what would help."""
