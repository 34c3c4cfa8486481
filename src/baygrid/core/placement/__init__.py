"""The image of a region, the queue and a policy to a plan: who runs where, and why."""
