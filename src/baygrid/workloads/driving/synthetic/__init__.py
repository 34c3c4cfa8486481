"""Drives that never were, of which all is known: to test and to rate what is found in real ones.

A street of boxes: cars, people, cyclists, walls, poles; nothing of it is anyone's data. `drive.drive(seed,
seconds)` makes one, `writing` writes it as MCAP."""
