"""AN EXAMPLE, nobody's law: mechanisms of which no established text was found, with invented numbers."""
