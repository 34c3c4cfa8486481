"""What folder, engine and our own word make together: every combination."""

import itertools

import pytest

from baygrid.centres.engine import NO_FOLDER, Sight, Stand
from baygrid.centres.folder.files import Exit
from baygrid.centres.queued.verdict import Told, verdict
from baygrid.core.jobs.lifecycle import AttemptState as State

BEGAN, ENDED = 1_000, 9_000
NOTHING, CLAIMED = Told(), Told(BEGAN)
OK, BAD, KILLED, SETUP, STOPPED_IN_SETUP = (
    Told(BEGAN, Exit(code, phase, ENDED, 1.5))
    for code, phase in ((0, "run"), (3, "run"), (143, "run"), (4, "setup"), (143, "setup"))
)
WHYS = (None, "cancelled", "preempted", "time-limit")
CAUSES = (
    None,
    "out-of-memory",
    "time-limit",
    "preempted",
    "interrupted",
    "cancelled",
    "unlaunched",
    "refused",
    "odd",
)


def sight(stand, **more):
    return Sight("bg-1", "7", stand, stand.value.upper(), **{"started_at": 2_000, **more})


def ended(cause=None, **more):
    return sight(Stand.ENDED, **{"cause": cause, "ended_at": 8_000, **more})


LIVE = [sight(stand) for stand in (Stand.WAITING, Stand.RUNNING, Stand.STOPPING, Stand.UNKNOWN)]

# Folder, engine, our word: the end that is told. None: no end.
ENDS = [
    # A line that says 0 is a success, unless the engine had told it to go: then it only left in good order.
    *[
        (OK, ended(cause), None, (State.SUCCEEDED, None))
        for cause in CAUSES
        if cause not in ("preempted", "time-limit", "cancelled", "unlaunched")
    ],
    # What we did to it is why it ended.
    *[(told, ended(), "cancelled", (State.CANCELLED, None)) for told in (OK, BAD, KILLED, CLAIMED)],
    *[(told, ended("cancelled"), "preempted", (State.PREEMPTED, None)) for told in (KILLED, CLAIMED)],
    *[(told, ended("cancelled"), "time-limit", (State.FAILED, "time-limit")) for told in (KILLED, CLAIMED)],
    (STOPPED_IN_SETUP, ended(), "cancelled", (State.CANCELLED, None)),
    # An exit code is the job's own, unless the engine knows better.
    (BAD, ended(), None, (State.FAILED, "exit-code")),
    (SETUP, ended(), None, (State.FAILED, "setup-failed")),
    *[
        (told, ended(cause), None, end)
        for told in (BAD, KILLED, CLAIMED)
        for cause, end in (
            ("out-of-memory", (State.FAILED, "out-of-memory")),
            ("time-limit", (State.FAILED, "time-limit")),
            ("interrupted", (State.FAILED, "interrupted")),
            ("odd", (State.FAILED, "interrupted")),
            ("preempted", (State.PREEMPTED, None)),
            ("cancelled", (State.CANCELLED, None)),
            ("unlaunched", (State.CANCELLED, None)),
        )
    ],
    (OK, ended("preempted"), None, (State.PREEMPTED, None)),
    (OK, ended("time-limit"), None, (State.FAILED, "time-limit")),
    (OK, ended("cancelled"), None, (State.CANCELLED, None)),
    # What had left long before the engine missed it was not interrupted by that.
    (BAD, ended("interrupted", ended_at=ENDED + 60_000), None, (State.FAILED, "interrupted")),
    (BAD, ended("interrupted", ended_at=ENDED + 60_001), None, (State.FAILED, "exit-code")),
    (CLAIMED, ended("interrupted", ended_at=ENDED + 60_001), None, (State.FAILED, "interrupted")),
    # No line: it was killed, whatever exit code the engine has seen.
    (CLAIMED, ended(), None, (State.FAILED, "interrupted")),
    (CLAIMED, ended(exit_code=0), None, (State.FAILED, "interrupted")),
    # It never began.
    (NOTHING, ended(), None, (State.FAILED, "interrupted")),
    (NOTHING, ended(exit_code=NO_FOLDER), None, (State.FAILED, "interrupted")),
    (NOTHING, ended("refused"), None, (State.FAILED, "refused")),
    (NOTHING, ended("preempted"), None, (State.PREEMPTED, None)),
    (NOTHING, ended("cancelled"), None, (State.CANCELLED, None)),
    (NOTHING, ended("unlaunched"), None, (State.FAILED, "interrupted")),
    # The line is enough where the engine knows nothing (any more).
    *[(OK, one, None, (State.SUCCEEDED, None)) for one in (None, *LIVE)],
    *[(BAD, one, None, (State.FAILED, "exit-code")) for one in (None, *LIVE)],
    *[(KILLED, one, "cancelled", (State.CANCELLED, None)) for one in (None, *LIVE)],
]


@pytest.mark.parametrize(("told", "seen", "why", "end"), ENDS)
def test_how_it_ended(told, seen, why, end):
    found = verdict(told, seen, why, patient=False)
    assert found is not None
    assert (found.state, found.cause) == end
    assert found.exit_code == (told.exit.code if told.exit is not None else None)
    assert found.detail or end[1] in (None, "exit-code"), "a failure that is not its own is explained"


def end_of(told, seen, *, patient=False):
    found = verdict(told, seen, None, patient=patient)
    assert found is not None
    return found


STANDING = [
    (NOTHING, sight(Stand.WAITING), None, State.WAITING),
    (NOTHING, sight(Stand.RUNNING), None, State.WAITING),  # the node is being made ready
    (CLAIMED, sight(Stand.WAITING), None, State.RUNNING),  # the list is older than the folder
    (CLAIMED, sight(Stand.RUNNING), None, State.RUNNING),
    (CLAIMED, sight(Stand.STOPPING), None, State.STOPPING),
    (CLAIMED, sight(Stand.RUNNING), "cancelled", State.STOPPING),
    (CLAIMED, sight(Stand.UNKNOWN), None, State.UNKNOWN),
    (NOTHING, sight(Stand.UNKNOWN), None, State.UNKNOWN),
    (CLAIMED, None, None, State.UNKNOWN),
    (CLAIMED, None, "cancelled", State.UNKNOWN),
    (NOTHING, None, None, State.UNKNOWN),
]


@pytest.mark.parametrize(("told", "seen", "why", "state"), STANDING)
def test_how_it_stands(told, seen, why, state):
    found = verdict(told, seen, why, patient=False)
    assert found is not None
    assert found.state is state
    assert found.raw == ("absent" if seen is None else seen.raw), "the engine's own word is kept"


def test_nothing_but_a_line_or_the_engines_word_is_an_end():
    every = itertools.product((NOTHING, CLAIMED), (None, *LIVE), WHYS, (True, False))
    for told, seen, why, patient in every:
        found = verdict(told, seen, why, patient=patient)
        assert found is None or not found.state.final, (told, seen, why, patient)


def test_while_a_better_word_may_come_only_what_is_wholly_known_is_an_end():
    both = itertools.product((OK, BAD, SETUP), [ended(cause) for cause in CAUSES], WHYS)
    assert all(_final(told, seen, why) for told, seen, why in both)
    lines = itertools.product((OK, BAD), (None, *LIVE), WHYS)
    assert not any(_final(told, seen, why) for told, seen, why in lines)
    assert not any(_final(CLAIMED, ended(cause), None) for cause in CAUSES)
    assert verdict(CLAIMED, None, None, patient=True) is None, "as before"


def _final(told, seen, why):
    found = verdict(told, seen, why, patient=True)
    return found is not None and found.state.final


def test_times_and_use_are_the_engines_where_it_has_them():
    seen = ended(cpu_seconds=7.0, peak_memory_mib=300, nodes=("a", "b"))
    found = end_of(OK, seen, patient=True)
    assert (found.started_at, found.ended_at) == (2_000, 8_000)
    assert (found.cpu_seconds, found.peak_memory_mib, found.nodes) == (7.0, 300, ("a", "b"))
    alone = end_of(OK, None)
    assert (alone.started_at, alone.ended_at, alone.cpu_seconds) == (BEGAN, ENDED, 1.5)


def test_it_never_ends_before_it_began():
    found = end_of(Told(9_500, Exit(0, "run", 9_000, 0.0)), None)
    assert found.ended_at == found.started_at == 9_500


def test_what_never_began_has_no_beginning_and_says_why():
    found = end_of(NOTHING, ended("refused", reason="no such image"))
    assert found.started_at is None
    assert "no such image" in found.detail
    assert "folder" in end_of(NOTHING, ended(exit_code=NO_FOLDER)).detail


def test_what_waits_says_when_it_is_expected():
    found = end_of(NOTHING, sight(Stand.WAITING, expected_at=5_000, reason="Priority"))
    assert (found.expected_at, found.detail) == (5_000, "Priority")
