"""Ray as an engine, without Ray: what is asked of it, and what its recorded answers mean."""

import json
import os
import shlex
import signal
import subprocess
from collections import deque
from pathlib import Path
from typing import Any

import httpx2
import pytest

from baygrid.centres.engine import EngineSilent, Stand, Submission, Task
from baygrid.centres.ray import RayEngine, answers
from baygrid.centres.ray.engine import APART_MS
from baygrid.centres.ray.requests import refusal, submission
from baygrid.ports.messages import NodeReport, PartitionReport
from tests.centres.site import order

RECORDED = Path(__file__).parent / "recorded"
VERSIONS = ("2.9.3", "2.60.0")
NOW = 1_795_370_000_000


@pytest.fixture(params=VERSIONS)
def recorded(request):
    """Answers of a real head (n1) and worker (n2). Later n2 came again as a node with A100, twice."""
    return json.loads((RECORDED / f"ray-{request.param}.json").read_text())


def of(sights):
    return {sight.name: sight for sight in sights}


def task(**change):
    one = order(nodes=(), count=change.pop("count", 1), **change)
    return Task("bg-1", Path("/shared/1"), Path("/shared/1/task.sh"), one, limit_s=120)


class Scripted:
    """A head that answers in turn what it was given, and remembers what it was asked."""

    def __init__(self, root=Path("/nowhere"), token=""):
        self.asked: list[tuple[str, str, str | None]] = []
        self.answers: deque[Any] = deque()
        self.now = NOW
        inner = httpx2.MockTransport(self._answer)
        self.engine = RayEngine("http://ray:8265/", root, lambda: self.now, token=token, inner=inner)

    def will(self, *several):
        """Each a body, a status with a text, or an error."""
        self.answers.extend(several)

    def _answer(self, request):
        self.asked.append((request.method, request.url.path, request.headers.get("Authorization")))
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, tuple):
            return httpx2.Response(answer[0], text=answer[1])
        return httpx2.Response(200, json=answer)


SESSION = {"ray_version": "2.60.0", "session_name": "first"}
LATER = {"ray_version": "2.60.0", "session_name": "second"}


def job(name, status, **more):
    return {"type": "SUBMISSION", "submission_id": name, "status": status, **more}


def test_every_state_of_a_job(recorded):
    seen = of(answers.sights(recorded["jobs"], answers.node_names(recorded["nodes"])))
    waits, runs, ok = seen["bg-waits"], seen["bg-runs"], seen["bg-ok"]
    assert (waits.stand, waits.raw, waits.nodes) == (Stand.WAITING, "PENDING", ())
    assert "waiting for resources" in waits.reason
    assert (runs.stand, runs.nodes, runs.ended_at) == (Stand.RUNNING, ("n1",), None)
    assert (ok.stand, ok.exit_code, ok.cause) == (Stand.ENDED, 0, None)
    assert ok.ended_at is not None
    assert (seen["bg-exit3"].exit_code, seen["bg-exit3"].cause) == (3, None)
    assert (seen["bg-killed"].exit_code, seen["bg-killed"].cause) == (137, None)
    stopped = seen["bg-stopped"]
    assert (stopped.stand, stopped.exit_code, stopped.cause) == (Stand.ENDED, None, "cancelled")
    assert stopped.nodes == ("n2",)


def test_why_a_job_failed_without_an_exit_code(recorded):
    seen = of(answers.sights(recorded["jobs_later"], answers.node_names(recorded["nodes_later"])))
    assert seen["bg-memory"].cause == "out-of-memory"
    assert (seen["bg-node"].cause, seen["bg-node"].nodes) == ("interrupted", ("n2",))
    assert all("\n" not in sight.reason and len(sight.reason) <= 300 for sight in seen.values())


def test_who_waited_too_long_for_ray_may_wait_elsewhere():
    recorded = json.loads((RECORDED / "ray-2.60.0.json").read_text())
    waited = of(answers.sights(recorded["jobs_later"], {}))["bg-waits"]
    assert (waited.cause, waited.raw) == ("preempted", "FAILED JOB_SUPERVISOR_ACTOR_START_TIMEOUT")


def test_a_job_s_own_words_are_no_reason(recorded):
    failed = of(answers.sights(recorded["jobs"], {}))["bg-exit3"]
    assert "failed with exit code 3" in failed.reason
    assert "lost" not in failed.reason


def test_a_program_that_joined_the_cluster_is_no_task():
    recorded = json.loads((RECORDED / "ray-2.60.0.json").read_text())
    assert any(job["type"] == "DRIVER" for job in recorded["jobs"])
    assert all(sight.name.startswith("bg-") for sight in answers.sights(recorded["jobs"], {}))


def test_an_unknown_word_is_of_that_job_alone():
    first, second = answers.sights([job("bg-1", "PONDERING"), job("bg-2", "RUNNING")], {})
    assert (first.stand, first.raw) == (Stand.UNKNOWN, "PONDERING")
    assert second.stand is Stand.RUNNING


def test_the_inventory_has_what_is_alive(recorded):
    node = {"cpus": 8, "memory_mib": 8192}
    n1, n2 = (
        NodeReport("n1", **node, accelerators={"H100": 8}),
        NodeReport("n2", **node, accelerators={"H100": 8}),
    )
    assert answers.inventory(recorded["nodes"], "main") == (PartitionReport("main", (n1, n2)),)
    assert answers.inventory(recorded["nodes_later"], "main") == (PartitionReport("main", (n1,)),)


def nodes_of(*several):
    listed = [
        {"node_id": id, "node_name": name, "state": state, "resources_total": resources}
        for id, name, state, resources in several
    ]
    return {"data": {"result": {"result": listed}}}


def test_nodes_that_name_no_model_or_no_cpu():
    answer = nodes_of(
        ("aaaaaaaaaa", "head", "ALIVE", {"memory": 1 << 30}),
        ("bbbbbbbbbb", "w", "ALIVE", {"CPU": 4.0, "GPU": 2.0, "memory": 2 << 30}),
    )
    assert answers.inventory(answer, "p")[0].nodes == (NodeReport("w", 4, 2048, {"GPU": 2}),)


def test_namesakes_are_told_apart():
    answer = nodes_of(*((f"{letter * 10}", "10.0.0.1", "ALIVE", {"CPU": 1.0}) for letter in "ab"))
    assert [node.name for node in answers.inventory(answer, "p")[0].nodes] == [
        "10.0.0.1-aaaaaaaa",
        "10.0.0.1-bbbbbbbb",
    ]


def test_a_submission_reserves_what_was_asked_for():
    body = submission(task(cpus=3, memory_mib=1024, accelerator="A100", accelerators=2, grace_s=10))
    assert (body["submission_id"], body["entrypoint_num_cpus"], body["entrypoint_memory"]) == (
        "bg-1",
        3,
        1 << 30,
    )
    assert (body["entrypoint_num_gpus"], body["entrypoint_resources"]) == (
        2,
        {"accelerator_type:A100": 0.001},
    )
    assert body["runtime_env"]["env_vars"] == {"RAY_JOB_STOP_WAIT_TIME_S": "70"}, (
        "beyond what the agent waits"
    )
    part = submission(task(accelerator="GPU", accelerators=1, accelerator_share=250))
    assert part["entrypoint_num_gpus"] == 0.25
    assert "entrypoint_resources" not in part
    assert "entrypoint_num_gpus" not in submission(task())


def test_a_submission_says_nothing_secret():
    one = task(envs={"HF_TOKEN": "hush"}, run="echo hush", setup="hush")
    assert "hush" not in json.dumps(submission(one))
    assert one.order.token not in json.dumps(submission(one))


def test_what_can_never_run_is_refused():
    assert "one node" in refusal(task(count=2).order, "main")
    assert "'elsewhere'" in refusal(task(partition="elsewhere").order, "main")
    assert refusal(task().order, "main") == ""


def test_what_became_of_a_submission(recorded):
    def outcome(name, kind):
        return answers.submitted(name, recorded[kind]["status"], recorded[kind]["text"])

    assert outcome("bg-ok", "submitted") == Submission(id="bg-ok")
    assert outcome("bg-ok", "again") == Submission(id="bg-ok"), "an earlier answer was lost"
    assert outcome("bg-other", "again") is None
    bad = outcome("bg-bad", "bad")
    assert bad is not None
    assert "entrypoint_num_cpus must be a number" in bad.refusal
    assert answers.submitted("bg-1", 500, "No available agent to submit job") is None
    assert answers.submitted("bg-1", 502, "") is None


def test_silence_amid_submissions_leaves_what_was_said():
    ray = Scripted()
    tasks = [task(), *(Task(f"bg-{n}", Path(), Path(), order(count=1, nodes=()), 1) for n in (2, 3))]
    ray.will(SESSION, {"submission_id": "bg-1"}, httpx2.ReadTimeout("late"))
    assert ray.engine.submit(tasks) == {"bg-1": Submission(id="bg-1")}
    ray.will(httpx2.ConnectError("gone"))
    with pytest.raises(EngineSilent):
        ray.engine.submit(tasks)


def test_a_look_is_one_request_unless_a_node_is_new(recorded):
    ray = Scripted()
    ray.will(recorded["jobs"], recorded["nodes"], recorded["jobs"])
    assert of(ray.engine.look())["bg-runs"].nodes == ("n1",)
    assert of(ray.engine.look())["bg-runs"].nodes == ("n1",)
    assert [path for _, path, _ in ray.asked] == ["/api/jobs/", "/api/v0/nodes", "/api/jobs/"]


def test_a_node_that_ray_forgot_is_asked_for_once(recorded):
    ray = Scripted()
    lost = [job("bg-1", "FAILED", driver_node_id="long gone")]
    ray.will(lost, recorded["nodes"], lost)
    assert ray.engine.look()[0].nodes == ()
    assert ray.engine.look()[0].nodes == ()
    assert len(ray.asked) == 3


def test_the_list_does_not_grow_with_what_has_ended():
    ray = Scripted()
    ended = [job("bg-old", "SUCCEEDED", end_time=NOW - 700_000), job("bg-new", "FAILED", end_time=NOW - 1000)]
    ray.will(ended)
    ray.engine.look()
    assert len(ray.asked) == 1, "an agent that was away must hear of it first"
    ray.will(ended, {"deleted": True})
    ray.engine.look()
    assert ray.asked[-1][:2] == ("DELETE", "/api/jobs/bg-old")
    ray.will(ended[1:])
    ray.engine.look()
    assert len(ray.asked) == 4


def test_jobs_of_others_are_left_alone():
    ray = Scripted()
    others = [
        job("train-7", "SUCCEEDED", end_time=1),
        {"type": "DRIVER", "submission_id": None, "status": "RUNNING"},
    ]
    ray.will(others, others)
    assert [ray.engine.look(), ray.engine.look()] == [[], []]
    assert len(ray.asked) == 2


@pytest.fixture
def taken(tmp_path):
    """A head that took bg-1, and is asked with what it says of itself."""
    ray = Scripted(tmp_path)
    (tmp_path / "1").mkdir()
    ray.will(SESSION, {"submission_id": "bg-1"})
    ray.engine.submit([Task("bg-1", tmp_path / "1", Path(), order(count=1, nodes=()), 1)])

    def account(session, jobs=()):
        ray.will(session, list(jobs))
        return ray.engine.account({"bg-1"}, 0)

    return ray, account


def test_a_job_that_its_own_head_does_not_list_has_not_ended(taken):
    ray, account = taken
    ray.now += 10 * APART_MS
    assert account(SESSION) == []


def test_a_head_that_restarted_has_ended_what_it_forgot_once_its_nodes_have_given_up(taken):
    ray, account = taken
    assert account(LATER) == []
    ray.now += APART_MS - 1
    assert account(LATER) == []
    ray.now += 1
    [gone] = account(LATER)
    assert (gone.name, gone.stand, gone.raw) == ("bg-1", Stand.ENDED, "forgotten")
    assert (gone.cause, gone.exit_code, gone.ended_at) == (None, None, None), "that knows the folder"


@pytest.mark.parametrize(
    ("code", "cause"), [(137, "interrupted"), (143, "interrupted"), (1, None), (0, None)]
)
def test_what_was_killed_when_its_nodes_gave_up_did_not_fail_by_itself(taken, tmp_path, code, cause):
    ray, account = taken
    (tmp_path / "1" / "claim").touch()
    (tmp_path / "1" / "exit").write_text(f"0m0.0s 0m0.0s\n0m0.0s 0m0.0s\nexit {code} run\n")
    account(LATER)
    ray.now += APART_MS
    assert account(LATER)[0].cause == cause


def test_a_head_that_restarted_and_kept_its_jobs_has_them(taken):
    ray, account = taken
    account(LATER)
    ray.now += APART_MS
    assert [sight.stand for sight in account(LATER, [job("bg-1", "RUNNING")])] == [Stand.RUNNING]


def test_what_was_forgotten_lived_until_it_was_last_seen(taken, tmp_path):
    ray, account = taken
    (tmp_path / "1" / "claim").touch()
    os.utime(tmp_path / "1" / "claim", (NOW / 1000 - 100, NOW / 1000 - 100))
    account(SESSION, [job("bg-1", "RUNNING")])
    seen = ray.now
    ray.now += 5_000
    account(LATER)
    ray.now += APART_MS
    assert account(LATER)[0].ended_at == seen
    (tmp_path / "1" / "exit").write_text("exit 3 run\n")
    assert account(LATER)[0].ended_at is None


def test_a_head_of_no_known_session_ends_nothing(taken):
    ray, account = taken
    old = {"ray_version": "2.9.3"}
    account(old)
    ray.now += APART_MS
    assert account(old) == []


def test_what_waits_and_was_withdrawn_is_not_heard_of_until_it_starts(tmp_path):
    ray = Scripted(tmp_path)
    ray.will([job("bg-1", "PENDING")], {"stopped": True}, [job("bg-1", "PENDING")], [job("bg-1", "RUNNING")])
    ray.engine.signal(ray.engine.look(), "KILL")
    assert ray.engine.look() == []
    assert [sight.stand for sight in ray.engine.look()] == [Stand.RUNNING]


@pytest.mark.parametrize(("text", "mib"), [(b"83000\n", 81), (b"", 0), (b"much", 0), (b"-5", 0)])
def test_what_a_job_used(tmp_path, text, mib):
    ray = Scripted(tmp_path)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "ray-use").write_bytes(text)
    ray.will([job("bg-1", "SUCCEEDED")])
    assert ray.engine.look()[0].peak_memory_mib == mib


def test_a_job_cannot_make_the_agent_wait_for_what_it_used(tmp_path):
    ray = Scripted(tmp_path)
    (tmp_path / "1").mkdir()
    os.mkfifo(tmp_path / "1" / "ray-use")
    ray.will([job("bg-1", "SUCCEEDED")])
    assert ray.engine.look()[0].peak_memory_mib == 0


def test_what_is_told_elsewhere_is_forgotten():
    ray = Scripted()
    ray.will({"deleted": True}, (404, "Job bg-2 does not exist"))
    ray.engine.forget(answers.sights([job("bg-1", "FAILED"), job("bg-2", "FAILED")], {}))
    assert [asked[:2] for asked in ray.asked] == [("DELETE", "/api/jobs/bg-1"), ("DELETE", "/api/jobs/bg-2")]


def test_signals(tmp_path):
    ray = Scripted(tmp_path)
    folder = tmp_path / "1"
    folder.mkdir()
    seen = answers.sights([job("bg-1", "RUNNING")], {})
    ray.engine.signal(seen, "USR1")
    assert (ray.asked, [file.name for file in folder.iterdir()]) == ([], ["ray-signal"])
    ray.will({"stopped": True})
    ray.engine.signal(seen, "TERM")
    assert ray.asked == [("POST", "/api/jobs/bg-1/stop", None)]
    assert not (folder / "ray-kill").exists()
    ray.will({"stopped": True}, (404, "Job bg-1 does not exist"))
    ray.engine.signal(seen, "KILL")
    ray.engine.signal(seen, "KILL")
    assert (folder / "ray-kill").exists()
    ray.will((500, "no agent"))
    with pytest.raises(EngineSilent):
        ray.engine.signal(seen, "TERM")


@pytest.mark.parametrize(
    "answer",
    [(401, "Unauthorized"), (500, "x"), (200, "<html>"), {"not": "a list"}, httpx2.ReadError("reset")],
    ids=lambda answer: str(answer)[:20],
)
def test_whatever_else_it_answers_is_silence(answer):
    ray = Scripted()
    ray.will(answer)
    with pytest.raises(EngineSilent):
        ray.engine.look()


@pytest.mark.parametrize("answer", [{}, {"data": None}, [], (503, "")])
def test_a_list_of_nodes_that_is_none(answer):
    ray = Scripted()
    ray.will(answer)
    with pytest.raises(EngineSilent):
        ray.engine.inventory()


def test_its_version(recorded):
    ray = Scripted()
    ray.will(recorded["version"])
    assert ray.engine.version() in VERSIONS


def test_the_token_goes_along(recorded):
    ray = Scripted(token="sesame")
    ray.will(recorded["nodes"])
    ray.engine.inventory()
    assert ray.asked == [("GET", "/api/v0/nodes", "Bearer sesame")]


# The command that Ray runs for a task, run as Ray does: by a shell that leads a session.


@pytest.fixture
def launched():
    started = []

    def launch(*arguments, **change):
        started.append(_launched(*arguments, **change))
        return started[-1]

    yield launch
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _launched(folder, text, **change):
    (folder / "task.sh").write_text(text)
    limit_s = change.pop("limit_s", 60)
    one = Task("bg-1", folder, folder / "task.sh", order(nodes=(), count=1, **change), limit_s)
    entry = submission(one)["entrypoint"]
    return subprocess.Popen(["/bin/sh", "-c", entry], start_new_session=True)


def ready(folder, process):
    while not (folder / "up").exists():
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)


STUBBORN = "trap 'echo told >>told' TERM; cd {}; : >up; while :; do sleep 0.05; done"


@pytest.mark.slow
class TestEntry:
    def test_its_exit_code_is_the_script_s(self, tmp_path, launched):
        folder = tmp_path / "it's"
        folder.mkdir()
        assert launched(folder, "exit 73").wait(20) == 73

    def test_a_kill_comes_through_the_folder_once_it_was_told_term(self, tmp_path, launched):
        process = launched(tmp_path, STUBBORN.format(shlex.quote(str(tmp_path))))
        ready(tmp_path, process)
        subprocess.run(["pkill", "-TERM", "--session", str(process.pid)], check=True)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.6)
        assert (tmp_path / "told").read_text() == "told\n"
        (tmp_path / "ray-kill").touch()
        assert process.wait(20) == -9

    def test_another_signal_comes_through_the_folder(self, tmp_path, launched):
        script = f"trap 'exit 5' USR1; cd {tmp_path}; : >up; while :; do sleep 0.05; done"
        process = launched(tmp_path, script, signal="USR1")
        ready(tmp_path, process)
        (tmp_path / "ray-signal").touch()
        assert process.wait(20) == 5

    def test_int_is_no_exception(self, tmp_path, launched):
        process = launched(tmp_path, STUBBORN.format(tmp_path).replace("TERM", "INT"), signal="INT")
        ready(tmp_path, process)
        (tmp_path / "ray-signal").touch()
        while not (tmp_path / "told").exists():
            assert process.poll() is None
        (tmp_path / "ray-kill").touch()
        assert process.wait(20) == -9

    def test_what_it_used_is_left(self, tmp_path, launched):
        assert launched(tmp_path, "python3 -c 'bytearray(80 << 20)'").wait(20) == 0
        assert 80 <= answers.peak_memory_mib((tmp_path / "ray-use").read_bytes()) < 300

    def test_the_limit_holds_without_an_agent(self, tmp_path, launched):
        process = launched(tmp_path, f"cd {tmp_path}; : >up; exec sleep 60", limit_s=1)
        assert process.wait(20) == 143
