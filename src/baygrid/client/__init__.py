"""Baygrid for programs: what a user can ask of a server, over its API. The command line stands on it, too."""
