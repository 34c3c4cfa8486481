"""Watching a job: what arrives becomes one picture, on a terminal and in a pipe."""

import io
import threading
import time
from typing import Any

import pytest
from rich.console import Console

from baygrid.cli.errors import CliError, Unreachable
from baygrid.cli.explained import BRIEF, rows
from baygrid.cli.live import view
from baygrid.cli.output import Output
from baygrid.cli.plain import PlainDisplay
from baygrid.cli.shapes import size, span, staged
from baygrid.client.follow import follow
from baygrid.client.watch import Watch
from baygrid.client.wire import seconds


def cny(minor: int) -> dict:
    return {"minor": minor, "currency": "CNY", "text": f"{minor / 100:.2f} CNY"}


def at(second: int) -> str:
    return f"2026-11-22T10:00:{second:02}.000Z"


WHY = {
    "subject": "job-1",
    "outcome": "placed",
    "text": "hub/main is the cheapest place that is free",
    "chosen": {"centre": "hub", "partition": "main", "offer": "hub-main", "cost": cny(3600)},
    "candidates": [
        {"name": "edge/gpu", "centre": "edge", "partition": "gpu", "offer": "edge-gpu", "accelerator": "H100",
         "verdict": "no", "cost": None,
         "reasons": [{"code": "too-few", "text": "it has 4 cpus of 8", "data": {}}]},
        {"name": "hub/main", "centre": "hub", "partition": "main", "offer": "hub-main", "accelerator": None,
         "verdict": "chosen", "cost": cny(3600), "reasons": []},
    ],
}  # fmt: skip


def attempt(**more: Any) -> dict:
    return {
        "id": "att-1", "n": 0, "centre": "hub", "partition": "main", "offer": "hub-main", "nodes": ["n1"],
        "count": 1, "state": "RUNNING", "raw": "", "placed_at": at(1), "started_at": at(2), "ended_at": None,
        "exit_code": None, "cause": None, "detail": "", "log_size": 0, "outputs": {},
        "cost_so_far": cny(0), **more,
    }  # fmt: skip


def job(state: str = "QUEUED", **more: Any) -> Any:
    placed = state != "QUEUED"
    return {
        "id": "job-1", "project": "demo", "name": "images", "state": state, "submitted_at": at(0),
        "ended_at": None, "cause": None, "detail": "", "exit_code": None, "hold": cny(5000), "charge": cny(0),
        "overrun": cny(0), "spec": {"time": "1h", "outputs": {}}, "centre": "hub" if placed else None,
        "partition": "main" if placed else None, "offer": "hub-main" if placed else None,
        "reasons": WHY if placed else None, "attempts": [attempt()] if placed else [], **more,
    }  # fmt: skip


def event(second: int, kind: str, attempt: str | None = None) -> Any:
    return {"cursor": f"0-{second}", "at": at(second), "kind": kind, "project": "demo", "job": "job-1",
            "attempt": attempt, "centre": None, "data": {}}  # fmt: skip


LIFE = [
    event(0, "job-submitted"),
    event(1, "job-placed", "att-1"),
    event(1, "attempt-staging", "att-1"),
    event(2, "attempt-running", "att-1"),
    event(3, "charge-posted", "att-1"),
    event(4, "attempt-publishing", "att-1"),
    event(5, "job-succeeded", "att-1"),
]


class FakeClient:
    """Hands out events and log parts as the real one does, from threads."""

    def __init__(self, events, log=(b"hello\n",), final=None):
        self._events, self._log = events, log
        self.final = final or job("SUCCEEDED", charge=cny(123), hold=cny(0), ended_at=at(5), exit_code=0)
        self.asked = 0

    def events(self, id, after=None, lost=None):
        for each in self._events:
            if isinstance(each, bool):
                lost(each)
            elif isinstance(each, Exception):
                raise each
            else:
                yield each

    def log(self, id, *, attempt=None, offset=0, follow=False):
        assert follow
        for each in self._log if attempt == "att-1" else [f"log of {attempt}\n".encode()]:
            if isinstance(each, Exception):
                raise each
            yield each

    def job(self, id):
        self.asked += 1
        return self.final

    def explain_job(self, id):
        return {**WHY, "outcome": "waiting", "text": "all nodes are busy", "chosen": None}


class Recorder:
    ticks = False

    def __init__(self):
        self.stages, self.data, self.said = [], b"", []

    def stage(self, watch, stage, at):
        self.stages.append(stage)

    def log(self, watch, data, lines):
        self.data += data
        self.said += lines

    def waiting(self, watch):
        self.said.append(watch.why["text"])

    def staging(self, watch):
        self.said.append(staged(watch.last_attempt))

    def lost(self, watch):
        self.said.append(f"lost {watch.lost}")

    def refresh(self, watch):
        pass


def watched(client, display=None) -> tuple[Watch, Any]:
    watch, display = Watch(job()), display or Recorder()
    follow(client, watch, display)
    return watch, display


def test_a_life():
    watch, display = watched(FakeClient(LIFE, [b"hel", b'lo\nBAYGRID_PROGRESS {"done": 1}\n', b"bye"]))
    assert display.stages == ["submitted", "placed", "staging", "running", "publishing", "done"]
    assert display.data == b'hello\nBAYGRID_PROGRESS {"done": 1}\nbye'
    assert list(watch.tail) == ["hello", "bye"]
    assert watch.job["state"] == "SUCCEEDED"
    assert watch.exit_code() == 0
    assert watch.held == cny(5000)
    assert watch.log.throughput == {"images_per_hour": None, "done": 1, "total": None, "rate_per_hour": None}


def test_a_job_that_goes_back_to_the_queue_is_followed_on():
    preempted = [event(3, "attempt-preempted", "att-1"), event(3, "job-requeued", "att-1")]
    again = [event(6, "job-placed", "att-2"), event(7, "attempt-running", "att-2")]
    late = [event(8, "attempt-fenced", "att-1"), event(9, "job-succeeded", "att-2")]
    watch, display = watched(FakeClient([*LIFE[:4], *preempted, *again, *late]))
    assert display.stages == [
        "submitted", "placed", "staging", "running", "queued again", "placed", "running", "done",
    ]  # fmt: skip
    assert sorted(display.data.splitlines()) == [b"hello", b"log of att-2"], "each log once"
    assert list(watch.stages) == ["submitted", "queued again", "placed", "running", "done"]


def test_a_job_that_ended_before_it_ran_has_no_log():
    end = job("CANCELLED", attempts=[], cause="cancelled")
    watch, display = watched(FakeClient([event(0, "job-submitted"), event(1, "job-cancelled")], [], end))
    assert display.stages == ["submitted", "cancelled"]
    assert watch.exit_code() == 1
    assert watch.verdict() == "job-1 was cancelled"


def test_a_log_that_cannot_be_read_does_not_end_the_watching():
    watch, display = watched(FakeClient(LIFE, [b"x\n", CliError("the log is gone")]))
    assert watch.job["state"] == "SUCCEEDED"
    assert "(the log cannot be read: the log is gone)" in display.said


def test_a_refusal_ends_the_watching():
    with pytest.raises(CliError, match="revoked"):
        watched(FakeClient([event(0, "job-submitted"), CliError("the token was revoked")]))


def test_a_server_that_is_away_is_told_and_waited_for():
    _, display = watched(FakeClient([LIFE[0], True, False, *LIFE[1:]]))
    assert display.said[:2] == ["lost True", "lost False"]


def test_a_job_that_waits_says_why(monkeypatch):
    monkeypatch.setattr("baygrid.client.follow.ASK_WHY", 0.01)

    class Slow(FakeClient):
        def events(self, id, after=None, lost=None):
            yield LIFE[0]
            deadline = time.monotonic() + 5
            while not display.said and time.monotonic() < deadline:
                time.sleep(0.005)
            yield from LIFE[1:]

    display = Recorder()
    watched(Slow(LIFE), display)
    assert display.said[0] == "all nodes are busy"


def test_a_restart_between_two_events_is_survived():
    class Away(FakeClient):
        def job(self, id):
            if self.asked < 2:
                self.asked += 1
                raise Unreachable("http://test", "connection refused")
            return super().job(id)

    watch, _ = watched(Away(LIFE))
    assert watch.job["state"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [("SUCCEEDED", 0, 0), ("FAILED", 3, 3), ("FAILED", None, 1), ("FAILED", 0, 1), ("CANCELLED", None, 1),
     ("CANCELLED", 143, 1), ("FAILED", 300, 128 + 300 % 128), ("FAILED", -9, 137)],
)  # fmt: skip
def test_the_exit_code_is_the_jobs(state, code, expected):
    assert Watch(job(state, exit_code=code)).exit_code() == expected


def test_the_verdict_says_what_happened():
    failed = Watch(job("FAILED", exit_code=3, cause="exit-code", detail=""))
    assert failed.verdict() == "job-1 failed with exit code 3: exit-code"
    lost = Watch(job("FAILED", cause="lost", detail="an operator decided so"))
    assert lost.verdict() == "job-1 failed, without an exit code: lost, an operator decided so"


def test_the_cost_so_far_is_the_quoted_price_for_the_time_that_passed():
    watch = Watch(job("ACTIVE"))
    assert watch.cost(seconds(at(2)) + 900) == "about 9.00 CNY"
    assert watch.cost(seconds(at(2)) + 7200) == "about 36.00 CNY"
    watch.update(job("ACTIVE", charge=cny(1000)))
    assert watch.cost(seconds(at(2)) + 900) == "about 10.00 CNY"
    watch.update(job("SUCCEEDED", charge=cny(1234)))
    assert watch.cost(0) == "12.34 CNY"


def drawn(watch: Watch, width: int, now: float | None = None) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, color_system=None)
    with console.capture() as captured:
        console.print(view(watch, seconds(at(9)) if now is None else now))
    return captured.get()


def test_the_picture_has_everything():
    watch = Watch(job("ACTIVE"))
    for each in LIFE[:4]:
        watch.hear(each)
    watch.read(b'line one\nBAYGRID_PROGRESS {"done": 250, "total": 1000, "rate_per_hour": 45678}\n')
    text = drawn(watch, 120)
    for part in (
        "images", "job-1", "hub/main is the cheapest place", "edge", "it has 4 cpus of 8", "36.00 CNY",
        "staging", "running", "publishing", "line one", "250 of 1,000", "25%", "45,678 an hour", "cost about",
        "held 50.00 CNY",
    ):  # fmt: skip
        assert part in text, part
    assert text.index("hub-main") < text.index("edge-gpu")  # the chosen one first


@pytest.mark.parametrize("width", [20, 40, 80])
def test_the_picture_fits_every_terminal(width):
    watch = Watch(job("ACTIVE", name="名前" * 30))
    for each in LIFE:
        watch.hear(each)
    watch.read("很长的一行 \x1b[31m".encode() * 40 + b"\n")
    for line in drawn(watch, width).splitlines():
        assert len(line) <= width
    assert "\x1b" not in drawn(watch, width)


def test_on_a_low_terminal_the_cost_stays_in_sight():
    watch = Watch(job("ACTIVE"))
    for each in LIFE[:4]:
        watch.hear(each)
    watch.read("".join(f"line {n}\n" for n in range(20)).encode())
    console = Console(file=io.StringIO(), width=100, color_system=None)
    with console.capture() as captured:
        console.print(view(watch, seconds(at(9)), height=24))
    lines = captured.get().splitlines()
    assert len(lines) <= 24
    assert "line 19" in captured.get()
    assert lines[-1].startswith("cost about")


def test_the_tail_keeps_the_last_lines():
    watch = Watch(job("ACTIVE"))
    watch.read("".join(f"line {n}\n" for n in range(100)).encode())
    assert list(watch.tail) == [f"line {n}" for n in range(92, 100)]


def test_a_centre_that_never_joined_is_not_told_at_every_turn():
    reason = {"code": "no-offer", "text": "badu has never joined", "data": {"centre": "badu", "silent_s": 0}}
    why: Any = WHY
    badu: Any = {**why["candidates"][0], "name": "badu", "centre": "badu", "reasons": [reason]}
    told: Any = {**why, "candidates": [badu, *why["candidates"]]}
    alone: Any = {**why, "candidates": [badu]}
    assert [row[0] for row in rows(told, BRIEF)] == ["hub", "edge"]
    assert [row[0] for row in rows(told)] == ["hub", "badu", "edge"]
    assert [row[0] for row in rows(alone, BRIEF)] == ["badu"], "there is no other"


def test_in_a_pipe_the_log_is_stdout_and_the_rest_stderr():
    err, log = io.StringIO(), io.BytesIO()
    follow(
        FakeClient(LIFE, [b"a\n", b"b"]),  # type: ignore[arg-type]
        Watch(job()),
        PlainDisplay(Output(out=io.StringIO(), err=err), log),
    )
    assert log.getvalue() == b"a\nb"
    text = err.getvalue()
    assert "placed at hub/main, offer hub-main" in text
    assert "hub/main is the cheapest place that is free" in text
    assert "it has 4 cpus of 8" in text
    assert text.rstrip().endswith("done")


@pytest.mark.parametrize(
    ("length", "text"), [(0, "0s"), (59.4, "59s"), (60, "1m00s"), (3599, "59m59s"), (7320, "2h02m")]
)
def test_spans(length, text):
    assert span(length) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5120.0 GiB")]
)
def test_sizes(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("state", "done", "total", "said"),
    [
        ("STAGING", 3 << 20, 12 << 20, "3.0 MiB of 12.0 MiB"),
        ("STAGING", 3 << 20, None, "3.0 MiB"),
        ("STAGING", 0, None, ""),
        ("RUNNING", 3 << 20, 12 << 20, ""),
    ],
)
def test_how_much_of_the_inputs_has_come(state, done, total, said):
    one: Any = attempt(state=state, staged_bytes=done, staging_bytes=total)
    assert staged(one) == said
    watch = Watch(job("ACTIVE", attempts=[one]))
    watch.hear(event(1, "attempt-staging", "att-1"))
    out, err = io.StringIO(), io.StringIO()
    display = PlainDisplay(Output(out=out, err=err), io.BytesIO())
    display.staging(watch)
    display.staging(watch)  # said once
    assert err.getvalue() == (f"staging: {said}\n" if said else "")
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(view(watch, seconds(at(2))))
    assert said in console.export_text()


def test_while_it_stages_it_is_asked_how_far_it_is(monkeypatch):
    monkeypatch.setattr("baygrid.client.follow.ASK_WHY", 0.0)
    going = threading.Event()

    class Client(FakeClient):
        def events(self, id, after=None, lost=None):
            yield from LIFE[:3]
            assert going.wait(20)
            yield from LIFE[3:]

        def job(self, id):
            if self.asked >= 5:
                going.set()
            self.asked += 1
            one = attempt(state="STAGING", staged_bytes=self.asked, staging_bytes=1000)
            return self.final if going.is_set() else job("ACTIVE", attempts=[one])

    _, display = watched(Client(LIFE))
    assert "3 B of 1000 B" in display.said or "4 B of 1000 B" in display.said
