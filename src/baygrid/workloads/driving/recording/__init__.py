"""Recorded drives as they lie on disk: MCAP of ROS 2, and the numpy layout of comma2k19."""
