"""`baygrid ray start`: a Ray cluster of a gang's nodes, for as long as its program runs."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.workloads.raycluster import host as hosting
from baygrid.workloads.raycluster.guest import Guest
from baygrid.workloads.raycluster.host import Host
from baygrid.workloads.raycluster.meeting import NobodyCame
from baygrid.workloads.raycluster.place import Cluster, NotInJob, Place, exports, start_head, start_node
from tests.centres.site import NODES, order, start, until, whole_log
from tests.centres.test_local import LocalSite

HERE = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
BAYGRID = Path(sys.executable).parent / "baygrid"
CLUSTER = Cluster("10.0.0.1:6001", "/tmp/a-session", "/data/carol/.ray-cluster/token")


def environ(folder, rank=0, nodes=2):
    return {
        "NODE_RANK": str(rank),
        "NNODES": str(nodes),
        "MASTER_ADDR": "127.0.0.1",
        "BAYGRID_WORKDIR": str(folder),
        "BAYGRID_CPUS": "3",
        "GPUS_PER_NODE": "2",
    }


def place(folder, rank=0, nodes=2):
    return Place.of(environ(folder, rank, nodes))


def test_a_place_is_read_from_the_environment_of_a_job(tmp_path):
    here = place(tmp_path, 1)
    assert (here.rank, here.nodes, here.first, here.cpus, here.accelerators) == (1, 2, "127.0.0.1", 3, 2)
    with pytest.raises(NotInJob, match="NODE_RANK, NNODES"):
        Place.of({"MASTER_ADDR": "x", "BAYGRID_WORKDIR": "/w", "BAYGRID_CPUS": "1"})
    with pytest.raises(NotInJob, match="not numbers"):
        Place.of(environ(tmp_path) | {"NNODES": "two"})


def test_a_cluster_has_no_more_than_the_job_and_no_door(tmp_path):
    head, node = start_head(place(tmp_path), CLUSTER, (7, 8)), start_node(place(tmp_path, 1), CLUSTER, (7,))
    for each in (head, node):
        assert {"--num-cpus=3", "--num-gpus=2", "--min-worker-port=0"} <= set(each)
    assert {"--node-ip-address=10.0.0.1", "--port=6001", "--include-dashboard=false"} <= set(head)
    assert "--address=10.0.0.1:6001" in node


def test_a_shell_is_told_the_address_and_where_the_secret_is():
    text = exports(Cluster("10.0.0.1:6001", "/tmp/x", "/a b/token"))
    shell = ["/bin/sh", "-c", f'{text}echo "$RAY_ADDRESS $RAY_AUTH_MODE $RAY_AUTH_TOKEN_PATH"']
    assert subprocess.check_output(shell, text=True) == "10.0.0.1:6001 token /a b/token\n"


class TestMeeting:
    @pytest.fixture
    def host(self, tmp_path):
        host = Host(place(tmp_path))
        host.invite(CLUSTER)
        yield host
        host.close()

    def guest(self, host, folder):
        """One that has joined, once the host has waited for it."""
        guest = Guest(place(folder, 1))
        guest.joined()
        host.wait(lambda: True)
        return guest

    def test_a_guest_learns_of_the_cluster_and_of_its_end(self, host, tmp_path):
        guest = self.guest(host, tmp_path)
        assert guest.cluster == CLUSTER
        over = threading.Thread(target=guest.wait)
        over.start()
        host.close()
        over.join(20)
        assert not over.is_alive()
        guest.close()

    def test_who_does_not_know_the_secret_is_nobody(self, host, tmp_path):
        for words in (b"guess 1\njoined\n", b"\n", b"\xff\xff"):
            with socket.create_connection(host._server.getsockname()) as stranger:
                stranger.sendall(words)
        self.guest(host, tmp_path).close()

    def test_a_stranger_that_resets_its_line_ends_nothing(self, host, tmp_path):
        for words in (b"", b"guess"):
            stranger = socket.create_connection(host._server.getsockname())
            stranger.sendall(words)
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stranger.close()  # a reset, by that option
        self.guest(host, tmp_path).close()

    def test_a_stranger_that_is_silent_holds_nobody_up(self, host, tmp_path, monkeypatch):
        monkeypatch.setattr(hosting, "SILENT_S", 0.0)
        with socket.create_connection(host._server.getsockname()) as stranger:
            meeting = threading.Thread(target=host.wait, args=[lambda: True], daemon=True)
            meeting.start()
            stranger.settimeout(20)
            assert stranger.recv(1) == b""
            guest = Guest(place(tmp_path, 1))
            guest.joined()
            meeting.join(20)
            assert not meeting.is_alive()
            guest.close()

    def test_a_stranger_that_never_ends_its_line_is_cut_off(self, host, tmp_path):
        meeting = threading.Thread(target=host.wait, args=[lambda: True], daemon=True)
        meeting.start()
        with socket.create_connection(host._server.getsockname()) as stranger:
            stranger.settimeout(20)
            with pytest.raises(OSError, match=r"reset|Broken pipe"):
                stranger.sendall(b"x" * (64 << 20))
        guest = Guest(place(tmp_path, 1))
        guest.joined()
        meeting.join(20)
        guest.close()

    def test_a_guest_that_takes_its_time_holds_no_other_up(self, tmp_path):
        host = Host(place(tmp_path, nodes=3))
        host.invite(CLUSTER)
        slow, quick = Guest(place(tmp_path, 1)), Guest(place(tmp_path, 2))
        meeting = threading.Thread(target=host.wait, args=[lambda: True], daemon=True)
        meeting.start()
        quick.joined()
        quick.close()  # after it has joined its end is for nobody to wait for
        slow.joined()
        meeting.join(20)
        assert not meeting.is_alive()
        slow.close()
        host.close()

    def test_a_guest_that_ends_before_it_has_joined_ends_all(self, host, tmp_path):
        Guest(place(tmp_path, 1)).close()
        with pytest.raises(NobodyCame, match="rank 1"):
            host.wait(lambda: True)

    def test_a_program_that_ended_waits_for_nobody(self, host):
        with pytest.raises(NobodyCame, match="rank 1 of 2"):
            host.wait(lambda: False)

    def test_only_the_owner_reads_it(self, host, tmp_path):
        folder = tmp_path / ".ray-cluster"
        assert folder.stat().st_mode & 0o077 == 0
        assert (folder / "meeting.json").stat().st_mode & 0o077 == 0


# The command, with a `ray` that leaves one process behind, as Ray's leaves some.

FAKE = """#!/bin/sh
echo "$@" >>"{log}"
[ -e "{folder}/broken" ] && {{ echo "port taken"; exit 1; }}
setsid sleep 600 &
echo $! >>"{folder}/pids"
"""


class Gang:
    """Two ranks on this machine."""

    def __init__(self, folder):
        self.folder, self.ranks = folder, []
        (folder / "bin").mkdir()
        (folder / "bin" / "ray").write_text(FAKE.format(folder=folder, log=folder / "asked"))
        (folder / "bin" / "ray").chmod(0o700)

    def rank(self, rank, script, nodes=2):
        path = f"{self.folder / 'bin'}:{BAYGRID.parent}:/usr/bin:/bin"
        where = {**os.environ, **environ(self.folder, rank, nodes), "PATH": path}
        process = subprocess.Popen(
            ["/bin/sh", "-c", script], env=where, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.ranks.append(process)
        return process

    def left(self):
        """What `ray` left behind and still runs."""
        pids = (self.folder / "pids").read_text().split() if (self.folder / "pids").exists() else []
        return [pid for pid in pids if Path(f"/proc/{pid}").exists() and _state(pid) != "Z"]

    def close(self):
        for process in self.ranks:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        for pid in self.left():
            os.kill(int(pid), signal.SIGKILL)


def _state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


@pytest.fixture
def gang(tmp_path):
    gang = Gang(tmp_path)
    yield gang
    gang.close()


@pytest.mark.slow
class TestCommand:
    @pytest.mark.parametrize(
        "script",
        [
            'eval "$(baygrid ray start)"; echo "$NODE_RANK $RAY_ADDRESS"; exit 4',
            "baygrid ray start -- sh -c 'echo \"$NODE_RANK $RAY_ADDRESS\"; exit 4'",
        ],
        ids=["eval", "command"],
    )
    def test_the_program_runs_on_the_first_and_the_cluster_ends_with_it(self, gang, script):
        first, second = gang.rank(0, script), gang.rank(1, script)
        said = first.communicate(timeout=60)[0]
        assert (first.returncode, said[:12]) == (4, "0 127.0.0.1:")
        assert (second.communicate(timeout=60)[0], second.returncode) == ("", 0)
        while gang.left():
            pass  # the keeper is at it
        asked = (gang.folder / "asked").read_text().splitlines()
        assert ("--head" in asked[0], f"--address={said.split()[1]}" in asked[1]) == (True, True)

    def test_a_signal_to_the_program_leaves_it_its_cluster(self, gang):
        script = "trap 'exit 6' TERM; eval \"$(baygrid ray start)\"; echo up; while :; do sleep 0.05; done"
        first, second = gang.rank(0, script), gang.rank(1, script)
        assert first.stdout.readline() == "up\n"
        os.killpg(second.pid, signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(0.5)
        os.killpg(first.pid, signal.SIGTERM)
        assert first.wait(60) == 6
        second.wait(60)

    def test_a_ray_that_does_not_start_ends_the_script(self, gang):
        (gang.folder / "broken").touch()
        first = gang.rank(0, 'eval "$(baygrid ray start)" 2>/dev/null; echo not reached', nodes=1)
        assert (first.communicate(timeout=60)[0], first.returncode) == ("", 1)

    def test_outside_a_job(self):
        done = subprocess.run([BAYGRID, "ray", "start"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "exit 1\n")
        assert "not inside a job" in done.stderr
        assert "cure:" in done.stderr

    def test_without_ray(self, tmp_path):
        where = {**os.environ, **environ(tmp_path), "PATH": "/nowhere"}
        done = subprocess.run(
            [BAYGRID, "ray", "start", "--", "true"], env=where, capture_output=True, check=False
        )
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"no `ray` on PATH" in done.stderr


PROGRAM = """
import time, ray
ray.init(log_to_driver=False)

@ray.remote(num_cpus=1)
def where():
    time.sleep(1)
    return ray.get_runtime_context().get_node_id()

print(len(set(ray.get([where.remote() for _ in range(4)]))), "nodes worked")
"""


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("ray")
def test_a_real_program_runs_on_both_nodes_of_a_gang(tmp_path, ray, monkeypatch):
    path = f"{ray.bin}:{BAYGRID.parent}:/usr/bin:/bin"
    monkeypatch.setattr("tests.centres.test_local.PATH", path)
    monkeypatch.setattr("tests.centres.test_local.PATIENCE_S", 300)
    site = LocalSite(tmp_path / "root")
    two = order(
        f'eval "$(baygrid ray start)"\npython - <<"P"{PROGRAM}P\n', nodes=NODES, cpus=2, time_s=300, envs=HERE
    )
    start(site, two)
    seen = until(site, two)
    log = whole_log(site, two).decode()
    assert (seen.state, "2 nodes worked" in log) == (AttemptState.SUCCEEDED, True), log
    site.centre.close()
