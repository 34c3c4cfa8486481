"""What is wrong with an agent, asked in the order in which one thing needs the other; nothing is changed."""

from baygrid.wiring.doctor.check import Check
from baygrid.wiring.doctor.examination import examine

__all__ = ["Check", "examine"]
