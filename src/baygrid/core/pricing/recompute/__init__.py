"""What a bundle for offline recomputation holds, how it is read, and each kind of check on it."""
