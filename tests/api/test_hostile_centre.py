"""A centre that lies, with a credential that is valid: each lie is refused with its reason, logged once,
counted, and changes nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from baygrid.app.declared import MAX_ATTEMPTS
from baygrid.app.plausible import CLOCK_MS
from baygrid.centres.keys import Key
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import AttemptReport
from tests.api.liar import DIGEST, HOUR, MIB, PREEMPTED, RUNNING, SUCCEEDED, Liar


def test_the_truth_is_taken(liar: Liar):
    """So that the refusals below are for what is said, not for what is always said."""
    answer = liar.send(liar.report(liar.item(RUNNING, started_at=liar.now - 60_000, raw="R"))).json()
    assert (answer["refused"], answer["closed"]) == ([], [])
    ended = liar.item(SUCCEEDED, started_at=liar.now - 60_000, ended_at=liar.now, exit_code=0)
    answer = liar.send(liar.report(replace(ended, usage=(liar.usage(),)))).json()
    assert (answer["refused"], answer["closed"]) == ([], [liar.mine.id])
    assert answer["usage_stored"] == [[liar.mine.id, 0]]
    assert liar.counted() == {}


@pytest.mark.parametrize("state", [RUNNING, SUCCEEDED, AttemptState.FAILED, AttemptState.UNKNOWN])
def test_attempts_of_another_centre(liar: Liar, state: AttemptState):
    theirs = liar.theirs
    item = AttemptReport(theirs.id, theirs.token, state, ended_at=liar.now if state.final else None)
    liar.refused("no such attempt", item, attempt=theirs.id)


def test_usage_of_another_centres_attempt(liar: Liar):
    theirs = liar.theirs
    usage = liar.usage(attempt=theirs.id, accelerator="H100", accelerators=1)
    item = AttemptReport(theirs.id, theirs.token, SUCCEEDED, ended_at=liar.now, usage=(usage,))
    liar.refused("no such attempt", item, attempt=theirs.id)


def test_an_attempt_that_there_is_not_and_one_with_another_token_read_alike(liar: Liar):
    answers = [
        liar.send(liar.report(liar.item(token="guessed"))).json()["refused"][0][1],
        liar.send(liar.report(AttemptReport(liar.theirs.id, "guessed", RUNNING))).json()["refused"][0][1],
        liar.send(liar.report(AttemptReport("att-none", "guessed", RUNNING))).json()["refused"][0][1],
    ]
    assert len(set(answers)) == 1


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ({"n": -1}, "is negative"),
        ({"start": 1, "end": 0}, "is negative"),
        ({"cpu_seconds": -0.5}, "is negative"),
        ({"peak_memory_mib": -1}, "is negative"),
        ({"peak_memory_mib": 1 << 31}, "more memory than any node"),
        ({"nodes": 2}, "the attempt was given"),
        ({"nodes": -1}, "the attempt was given"),
        ({"cpus": 10**12}, "the attempt was given"),
        ({"memory_mib": 1 << 40}, "the attempt was given"),
        ({"accelerator": "H100", "accelerators": 8}, "the attempt was given"),
        ({"accelerator": "\x1b[31m" * 10**4}, "the attempt was given"),
        ({"accelerator_share": 999_999}, "the attempt was given"),
        ({"cpu_seconds": 1e15}, "more processor time"),
        ({"attempt": "att-other"}, "belongs to attempt 'att-other'"),
        ({"start": 0}, "begins before the attempt was placed"),
        ({"start": -(2**62)}, "begins before the attempt was placed"),
        ({"end": 2**62}, "ends in the future"),
        ({"egress_bytes": -1}, "more bytes came than there can be"),
        ({"egress_bytes": 1 << 61}, "more bytes came than there can be"),
        ({"egress_bytes": 1}, "the files of its job have 0"),
    ],
)
def test_usage_that_cannot_be(liar: Liar, lie: dict[str, Any], why: str):
    liar.refused(why, liar.item(RUNNING, usage=(liar.usage(**lie),)))


def test_usage_longer_than_the_time_since_it_was_placed(liar: Liar):
    """Within what clocks may be off at either end: both together are more than time itself."""
    whole = liar.usage(start=liar.mine.placed_at - CLOCK_MS + 5_000, end=liar.now + CLOCK_MS - 60_000)
    liar.refused("ran for longer", liar.item(RUNNING, usage=(whole,)))


def test_usage_in_many_records_longer_than_time(liar: Liar):
    ends = range(liar.mine.placed_at - CLOCK_MS + 1_000, liar.now + CLOCK_MS, 600_000)
    records = [liar.usage(n=n, start=a, end=b) for n, (a, b) in enumerate(itertools.pairwise(ends))]
    liar.refused("ran for longer", liar.item(RUNNING, usage=tuple(records)))


def test_stretches_that_overlap(liar: Liar):
    first = liar.usage(start=liar.now - HOUR // 2, end=liar.now - HOUR // 4)
    second = liar.usage(n=1, start=liar.now - HOUR // 3, end=liar.now)
    liar.refused("overlap", liar.item(RUNNING, usage=(first, second)))


def test_a_stretch_that_overlaps_one_told_before(liar: Liar):
    first = liar.usage(start=liar.now - HOUR // 2, end=liar.now - HOUR // 4)
    assert liar.send(liar.report(liar.item(RUNNING, usage=(first,)))).json()["refused"] == []
    again = liar.usage(n=1, start=liar.now - HOUR // 2, end=liar.now)
    liar.refused("overlap", liar.item(RUNNING, usage=(again,)))


def test_one_number_twice(liar: Liar):
    liar.refused("overlap", liar.item(RUNNING, usage=(liar.usage(), liar.usage(cpu_seconds=2.0))))


def test_usage_after_the_end(liar: Liar):
    ended = liar.now - CLOCK_MS - 60_000
    item = liar.item(SUCCEEDED, started_at=ended - 60_000, ended_at=ended, exit_code=0)
    liar.refused("ends after the attempt", replace(item, usage=(liar.usage(),)))


@pytest.mark.parametrize("signature", ["", "00" * 64, "not hex", "\x1b[2J", "f" * 10**6])
def test_usage_that_nobody_signed(liar: Liar, signature: str):
    usage = replace(liar.usage(), signature=signature)
    liar.refused("is not signed by the key of this report", liar.item(RUNNING, usage=(usage,)))


def test_usage_signed_with_another_key(liar: Liar):
    liar.refused("not signed by the key", liar.item(RUNNING, usage=(liar.usage(Key.new()),)))


def test_usage_changed_after_it_was_signed(liar: Liar):
    usage = liar.usage()
    changed = replace(usage, usage=replace(usage.usage, end=usage.usage.end - 1))
    liar.refused("not signed by the key", liar.item(RUNNING, usage=(changed,)))


def test_what_is_stored_under_a_number_stays(liar: Liar):
    first = liar.usage()
    liar.send(liar.report(liar.item(RUNNING, usage=(first,))))
    before = liar.state_of_the_world()
    liar.send(liar.report(liar.item(RUNNING, usage=(liar.usage(start=liar.now - HOUR),))))
    assert liar.state_of_the_world() == before


@pytest.mark.parametrize(
    ("state", "lie", "why"),
    [
        (AttemptState.LOST, {}, "cannot say LOST"),
        (RUNNING, {"exit_code": 0}, "before it has"),
        (RUNNING, {"ended_at": 1}, "before it has"),
        (RUNNING, {"started_at": 0}, "before it was placed"),
        (RUNNING, {"started_at": -1}, "before it was placed"),
        (RUNNING, {"started_at": 2**62}, "in the future"),
        (SUCCEEDED, {"ended_at": 0}, "before it was placed"),
        (SUCCEEDED, {"ended_at": 2**63 - 1}, "in the future"),
        (SUCCEEDED, {"exit_code": 2**40}, "32 bits"),
        (SUCCEEDED, {"log_size": -1}, "log"),
        (SUCCEEDED, {"log_size": 2**62}, "log"),
        (AttemptState.FAILED, {"cause": "<b>\x1b[31m"}, "is no word"),
        (AttemptState.FAILED, {"cause": "c" * 10**6}, "is no word"),
        (RUNNING, {"raw": "r" * 7 * MIB}, "longer than 10000"),
        (RUNNING, {"detail": "\u9999" * 2 * MIB}, "longer than 10000"),
        (RUNNING, {"nodes": ("n" * 7 * MIB,)}, "printable characters"),
        (RUNNING, {"nodes": ("c0\x1b[31m",)}, "printable characters"),
        (RUNNING, {"nodes": ("c0",) * 10**5}, "names 100000 nodes"),
        (AttemptState.STAGING, {"staged_bytes": 2**62}, "more bytes"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_state_that_cannot_be(liar: Liar, state: AttemptState, lie: dict[str, Any], why: str):
    liar.refused(why, liar.item(state, **lie))


def test_escape_sequences_in_its_words_reach_no_terminal(liar: Liar):
    liar.send(liar.report(liar.item(RUNNING, raw="\x1b[2Jgone", detail="line\nnext\x1b]0;title\x07 \u202e")))
    (kept,) = liar.world.attempts(liar.mine.job)
    assert (kept.raw, kept.detail) == ("�[2Jgone", "line\nnext�]0;title� �")


@pytest.mark.parametrize("state", [SUCCEEDED, PREEMPTED])
@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        ({"result": "0" * 64}, "has not stored"),
        ({"result": DIGEST}, "has not stored"),
        ({"checkpoint": DIGEST}, "has not stored"),
        ({"result": "../../centre-hub/x"}, "has not stored"),
        ({"more": DIGEST}, "no output 'more'"),
        ({f"x{n}": DIGEST for n in range(10_000)}, "no output"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_outputs_that_are_not_its_own(liar: Liar, state: AttemptState, outputs: dict[str, str], why: str):
    """Else a centre could make anybody's content the result of its job, or a checkpoint that it may fetch."""
    liar.refused(why, liar.item(state, ended_at=liar.now, outputs=outputs))
    assert liar.client.get(f"/v1/blobs/{DIGEST}").status_code == 404


def test_outputs_of_what_has_not_ended(liar: Liar):
    liar.refused("before it has", liar.item(AttemptState.PUBLISHING, outputs={"result": DIGEST}))


def test_one_lie_does_not_silence_the_rest(liar: Liar):
    true = liar.item(RUNNING, started_at=liar.now)
    strange = [AttemptReport(f"att-{n}", "t", RUNNING) for n in range(MAX_ATTEMPTS - 1)]
    answer = liar.send(liar.report(*strange, true)).json()
    assert len(answer["refused"]) == MAX_ATTEMPTS - 1
    (kept,) = liar.world.attempts(liar.mine.job)
    assert kept.state is RUNNING


def test_lies_without_end_do_not_flood_the_log(liar: Liar):
    strange = [AttemptReport(f"att-{n}", "t", RUNNING) for n in range(500)]
    with capture_logs() as logs:
        for _ in range(3):
            liar.send(liar.report(*strange))
    assert len([line for line in logs if line["event"] == "refused"]) == 20
    assert liar.counted() == {"attempt": 1500}


def test_the_same_lie_is_logged_once(liar: Liar):
    with capture_logs() as logs:
        for _ in range(3):
            liar.send(liar.report(liar.item(AttemptState.LOST)))
    assert len([line for line in logs if line["event"] == "refused"]) == 1
