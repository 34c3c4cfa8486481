"""Boxes of a lidar's sweeps: the ground away, clusters, what they fit, what they are."""
