"""Public support: a folder for each text, with what is established of it. What is not is "not loaded"."""
