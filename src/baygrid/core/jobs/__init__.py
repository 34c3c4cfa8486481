"""The job file and the life of jobs and attempts."""
