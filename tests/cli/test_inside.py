"""A command, a shell and a port inside a running job, through a real server and its agent."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import h11
import pytest

from tests.cli.test_end_to_end import BAYGRID, TIMEOUT, Home
from tests.services import free_port

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("inside"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def job(home: Home, tmp_path: Path, port: int) -> Iterator[str]:
    """One that runs until its gate is opened, and serves its folder on a port of its own."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    serve = f"{sys.executable} -m http.server --bind 127.0.0.1 {port} >serving 2>&1 &"
    waits = f'until curl -s -o /dev/null 127.0.0.1:{port}; do sleep 0.1; done; read -r _ <"{gate}"'
    run = f"echo found >mark.txt; {serve} {waits}; kill %1; exit 0"
    id = home.call("submit", home.job("inside", run, envs={"WHO": "me"})).stdout.strip()
    opened = os.open(gate, os.O_WRONLY)  # returns when the job has come there
    yield id
    with contextlib.suppress(BrokenPipeError):  # it has been cancelled
        os.write(opened, b"go\n")
    os.close(opened)
    home.popen("wait", id).communicate(timeout=TIMEOUT)


def test_a_command_has_the_jobs_folder_and_environment_and_passes_its_code_on(home: Home, job: str):
    found = home.call(
        "exec", job, "--", "sh", "-c", "cat mark.txt; echo $WHO $BAYGRID_JOB; echo no >&2; exit 7", code=7
    )
    assert found.stdout == f"found\nme {job}\n"
    assert found.stderr == "no\n"
    missing = home.call("exec", job, "--", "no-such-command", code=1)
    assert "there is no command 'no-such-command'" in missing.stderr


def test_what_is_sent_arrives_whole(home: Home, job: str):
    data = os.urandom(3_000_000)
    done = subprocess.run(
        [BAYGRID, "exec", job, "--", "cat"], env=home.environ, input=data, capture_output=True,
        timeout=TIMEOUT, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout == data) == (0, True), done.stderr


def test_it_ends_with_the_attempt_and_with_the_user(home: Home, job: str):
    first = home.popen("exec", job, "--", "sh", "-c", "echo begun; sleep 1000 & sleep 1001")
    assert first.stdout is not None
    assert first.stdout.readline() == "begun\n"
    assert _sleeping("1001")
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=TIMEOUT)
    _until(lambda: not _sleeping("1001") and not _sleeping("1000"))
    second = home.popen("exec", job, "--", "sh", "-c", "echo begun; sleep 1002")
    assert second.stdout is not None
    assert second.stdout.readline() == "begun\n"
    home.call("cancel", job)
    _, err = second.communicate(timeout=TIMEOUT)
    assert second.returncode == 137
    assert "the attempt has ended" in err
    assert not _sleeping("1002")
    assert "is not running" in home.call("exec", job, "--", "true", code=1).stderr


def test_a_shell_has_a_terminal_of_the_users_size(home: Home, job: str):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(BAYGRID, [BAYGRID, "ssh", job], home.environ)
    _resize(terminal, 33, 101)
    with contextlib.closing(_Typist(terminal)) as typist:
        typist.says("echo be'gun'; stty size; cat mark.txt\n", "found")
        assert "33 101" in typist.seen
        _resize(terminal, 20, 55)
        typist.says("until [ \"$(stty size)\" = '20 55' ]; do sleep 0.1; done; echo re'sized'\n", "resized")
        typist.says("sh -c \"echo slee'ping'; exec sleep 1000\"\n", "sleeping")
        typist.says("\x03echo interr'upted'\n", "interrupted")
        typist.says("exit 5\n", "")
        typist.rest()
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 5, typist.seen


def test_without_a_terminal_a_shell_reads_its_commands_and_ends_with_them(home: Home, job: str):
    for typed, said in ((b"", b""), (b"cat mark.txt; test -t 0 || echo none; exit 3", b"found\nnone\n")):
        done = subprocess.run(
            [BAYGRID, "ssh", job], env=home.environ, input=typed, capture_output=True, timeout=TIMEOUT,
            check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (3 if typed else 0, said), done.stderr


def test_a_port_of_the_job_and_no_other(home: Home, job: str, port: int):
    with socket.create_server(("127.0.0.1", 0)) as foreign, _forwarding(home, job, f"{port}:0") as address:
        for _ in range(3):
            with urllib.request.urlopen(f"http://{address}/mark.txt", timeout=TIMEOUT) as answer:
                assert answer.read() == b"found\n"
        theirs = foreign.getsockname()[1]
        with _forwarding(home, job, f"{theirs}:0") as other:
            host, _, number = other.partition(":")
            with socket.create_connection((host, int(number)), timeout=TIMEOUT) as refused:
                assert refused.recv(1) == b""
        foreign.settimeout(0.2)
        with pytest.raises(TimeoutError):
            foreign.accept()


def test_a_protocol_that_both_sides_speak_at_once_goes_through_a_port(home: Home, tmp_path: Path):
    """As a notebook's kernel does by websockets: HTTP first, then another protocol on the same connection."""
    port = free_port()
    (tmp_path / "server.py").write_text(UPGRADING)
    id = home.call(
        "submit", home.job("upgrading", f"exec {sys.executable} {tmp_path}/server.py {port}")
    ).stdout
    id = id.strip()
    _until(lambda: "up" in home.popen("logs", id).communicate(timeout=TIMEOUT)[0])
    with _forwarding(home, id, f"{port}:0") as address, contextlib.ExitStack() as stack:
        host, _, number = address.partition(":")
        users = []
        for _ in range(3):
            connection = socket.create_connection((host, int(number)), timeout=TIMEOUT)
            users.append(stack.enter_context(connection))
            _upgrade(connection)
        for said in (b"one\n", b"two\n", os.urandom(200_000).replace(b"\n", b".") + b"\n"):
            for connection in users:
                connection.sendall(said)
            for connection in users:
                assert _exactly(connection, len(said)) == said
        for connection in users:
            connection.shutdown(socket.SHUT_WR)
            assert _exactly(connection, 4) == b"bye\n"
            assert connection.recv(1) == b""
    home.call("cancel", id)


def _upgrade(connection: socket.socket) -> None:
    client = h11.Connection(h11.CLIENT)
    headers = [("Host", "job"), ("Connection", "upgrade"), ("Upgrade", "lines")]
    connection.sendall(client.send(h11.Request(method="GET", target="/", headers=headers)) or b"")
    connection.sendall(client.send(h11.EndOfMessage()) or b"")
    while (answer := client.next_event()) is h11.NEED_DATA:
        client.receive_data(connection.recv(4096))
    assert isinstance(answer, h11.InformationalResponse)
    assert answer.status_code == 101


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := connection.recv(size - len(data))):
        data += piece
    return data


UPGRADING = """
import socket, sys, threading, h11

def served(connection):
    server = h11.Connection(h11.SERVER)
    while (event := server.next_event()) is h11.NEED_DATA or isinstance(event, h11.Request):
        if event is h11.NEED_DATA:
            server.receive_data(connection.recv(4096))
    headers = [("Connection", "upgrade"), ("Upgrade", "lines")]
    connection.sendall(server.send(h11.InformationalResponse(status_code=101, headers=headers)))
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.sendall(b"bye\\n")
    connection.close()

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
while True:
    threading.Thread(target=served, args=(listener.accept()[0],)).start()
"""


def test_each_is_an_event_without_what_went_through(home: Home, job: str):
    home.call("exec", job, "--", "echo", "not for the record")
    events = home.ask("jobs", job)
    assert "not for the record" not in str(events)


@contextlib.contextmanager
def _forwarding(home: Home, job: str, ports: str) -> Iterator[str]:
    process = home.popen("port-forward", job, ports)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)


def _ends_with(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=TIMEOUT)
    return process.returncode


def _sleeping(seconds: str) -> bool:
    wanted = f"sleep\0{seconds}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return wanted in found


def _until(what) -> None:
    for _ in range(TIMEOUT * 10):
        if what():
            return
        select.select([], [], [], 0.1)
    raise AssertionError("it did not happen")


def _resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class _Typist:
    """Somebody at a terminal."""

    def __init__(self, terminal: int) -> None:
        self._terminal, self.seen = terminal, ""

    def says(self, text: str, until: str) -> None:
        os.write(self._terminal, text.encode())
        seen = ""
        while until not in seen:
            try:
                seen += os.read(self._terminal, 4096).decode()
            except OSError:
                raise AssertionError(f"it has ended: {self.seen}{seen}") from None
        self.seen += seen

    def rest(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._terminal, 4096):
                self.seen += data.decode()

    def close(self) -> None:
        os.close(self._terminal)


def test_through_an_agent_of_its_own(home: Home, tmp_path: Path):
    made = home.ask("centres", "create", "far", "-j", "HK", "--with-offers")
    token = made["join_token"] if "join_token" in made else made["token"]
    with (tmp_path / "agent.log").open("w") as log:
        agent = subprocess.Popen(
            [BAYGRID, "agent", "join", "--server", f"http://127.0.0.1:{home.port}", "--centre", "far",
             "--driver", "local", "--node", "f1:cpus=2,memory=4", "--as-me", "--yes", "--cpu-hour", "1",
             "--gib-hour", "0"],
            env=home.environ | {"BAYGRID_JOIN_TOKEN": token}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _until(lambda: any(offer["centre"] == "far" for offer in home.ask("offers")))
        gate = tmp_path / "gate"
        os.mkfifo(gate)
        file = home.job("outside", f'read -r _ <"{gate}"', infra="far")
        id = home.call("submit", file).stdout.strip()
        opened = os.open(gate, os.O_WRONLY)
        _until(lambda: _ends_with(home.popen("exec", id, "--", "true")) == 0)
        found = home.call("exec", id, "--", "sh", "-c", "echo $BAYGRID_CENTRE; exit 3", code=3)
        assert found.stdout == "far\n"
        running = home.popen("exec", id, "--", "sh", "-c", "echo begun; sleep 1003")
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        running.kill()
        running.communicate(timeout=TIMEOUT)
        _until(lambda: not _sleeping("1003"))
        os.write(opened, b"go\n")
        os.close(opened)
        home.call("wait", id)
    finally:
        agent.terminate()
        agent.wait(TIMEOUT)
