"""Whose turn it is: the jobs that wait, the order of turns, fair shares, quotas."""
