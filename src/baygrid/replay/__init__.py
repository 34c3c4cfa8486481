"""Published traces, and the platform's own history, through the placement core under a simulated clock."""
