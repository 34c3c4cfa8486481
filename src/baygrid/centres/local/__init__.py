"""This machine as a centre."""

from baygrid.centres.local.driver import LocalCentre
from baygrid.centres.local.nodes import BadNode, parse_nodes, this_machine

__all__ = ["BadNode", "LocalCentre", "parse_nodes", "this_machine"]
