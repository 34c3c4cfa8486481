"""Sources as streams of Arrow batches, each format in its own file; `opened` finds which."""
