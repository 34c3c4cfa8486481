"""The law itself: dated, cited data, each clause with the cases that prove how it is read."""
