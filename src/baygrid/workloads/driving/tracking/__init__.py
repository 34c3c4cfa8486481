"""Things followed from frame to frame, smoothed, and seen by cameras, too."""
