"""What was found against what is true: boxes, identities, scenarios, the own way."""
