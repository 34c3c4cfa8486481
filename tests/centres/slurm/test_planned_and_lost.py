"""What sacct says, and what it means."""

import pytest

from baygrid.centres.engine import Sight, Stand
from baygrid.centres.slurm import parse

MARK = "\x1f"


def accounted(id: str, word: str, start: str, end: str, nodes: str) -> Sight:
    """What a row of sacct's says of a job without steps."""
    cells = [id, word, start, end, "0:0", nodes, "1024M", "00:00:00", "", "None", "bg-1"]
    (sight,) = parse.accounted(MARK.join(cells) + "\n", MARK)
    return sight


@pytest.mark.parametrize(("word", "cause"), [("CANCELLED by 1001", "cancelled"), ("CANCELLED", None)])
def test_what_slurm_lost_with_its_state_was_cancelled_by_nobody(word, cause):
    """Such rows has a slurmctld made that was killed before it had saved its first job, and began anew."""
    sight = accounted("7", word, "Unknown", "1795374594", "None assigned")
    assert (sight.stand, sight.cause) == (Stand.ENDED, cause)


@pytest.mark.parametrize(("nodes", "cause"), [("None assigned", "cancelled"), ("n1", "unlaunched")])
def test_what_was_cancelled_on_a_node_may_be_what_the_node_could_not_launch(nodes, cause):
    """A slurmd that had launched another job 34 before its slurmctld forgot it."""
    sight = accounted("34", "CANCELLED by 0", "1795405355", "1795405355", nodes)
    assert (sight.stand, sight.cause) == (Stand.ENDED, cause)


def test_the_nodes_that_are_planned_for_what_waits_are_not_yet_its_own():
    """Backfill had planned n2 for such a job, and then it ran on n1."""
    rows = [["7", word, "1795374594", "n2", "None", "bg-1"] for word in ("PENDING", "RUNNING")]
    text = "".join(MARK.join(cells) + "\n" for cells in rows)
    assert [sight.nodes for sight in parse.listed(text, MARK)] == [(), ("n2",)]
