"""Reference application: labels, tracks, scenarios and road-test evidence from recorded drives."""
