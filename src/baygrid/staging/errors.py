"""How fetching ends other than well."""


class Broken(Exception):
    """The way to it failed; what came is good, and the rest may come later."""


class Failed(Exception):
    """It cannot be had, in one sentence."""


class Stopped(Exception):
    """Nobody wants it any more."""
