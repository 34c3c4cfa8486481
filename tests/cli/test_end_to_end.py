"""The command line against a real `baygrid serve` with its embedded centre, both as users start them."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services import free_port

pytestmark = pytest.mark.slow

BAYGRID = str(Path(sys.executable).parent / "baygrid")
TIMEOUT = 60


class Home:
    """A user's machine: a home folder, a folder to work in, a server that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("BAYGRID_", "XDG_"))}
        self.environ = {**kept, "HOME": str(folder), "COLUMNS": "100", "TERM": "xterm"}
        self.port = free_port()
        self.server: subprocess.Popen[str] | None = None

    def start(self) -> None:
        with (self.folder / "server.log").open("a") as log:
            self.server = subprocess.Popen(
                [BAYGRID, "serve", "--port", str(self.port), "--node", "n1:cpus=8,memory=16"],
                env=self.environ, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.server.stdout is not None
        ready = self.server.stdout.readline()
        assert f"http://127.0.0.1:{self.port}" in ready, (self.folder / "server.log").read_text()

    def stop(self) -> None:
        assert self.server is not None
        self.server.terminate()
        self.server.communicate(timeout=TIMEOUT)

    def popen(self, *arguments: str, **more) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BAYGRID, *arguments], env=self.environ | more, cwd=self.work, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def call(self, *arguments: str, code: int = 0, **more) -> subprocess.CompletedProcess[str]:
        process = self.popen(*arguments, **more)
        out, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == code, f"{arguments} -> {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def ask(self, *arguments: str, code: int = 0, **more):
        return json.loads(self.call(*arguments, "--json", code=code, **more).stdout)

    def problem(self, *arguments: str, **more):
        """What a command that fails says: the last line of stderr, after any progress."""
        return json.loads(self.call(*arguments, "--json", code=1, **more).stderr.splitlines()[-1])

    def job(self, name: str, run: str, **more) -> str:
        """A job file, in its own folder as its workdir."""
        folder = self.work / name
        folder.mkdir(exist_ok=True)
        document: dict[str, Any] = {
            "name": name,
            "project": "default",
            "time": "10m",
            "workdir": ".",
            "run": run,
        }
        document |= {"resources": {"cpus": 1, "memory": 1}, **more}
        (folder / "job.yaml").write_text(json.dumps(document, indent=1))  # JSON is YAML
        return f"{name}/job.yaml"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("home"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A pipe: a job that reads it stands still until the test writes, or the other way round."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def test_run_and_get_everything(home: Home):
    file = home.job(
        "images",
        'cat data.txt; ls "$BAYGRID_INPUTS/photos"\n'
        'echo \'BAYGRID_PROGRESS {"done": 5, "total": 10, "rate_per_hour": 100.0}\'\n'
        "echo 'BAYGRID_RESULT {\"images_per_hour\": 120.5}'\n"
        'echo label > "$BAYGRID_OUTPUTS/labels/labels.csv"\n',
        inputs={"photos": "photos"},
        outputs={"labels": "results/labels"},
    )
    (home.work / "images" / "data.txt").write_text("from the workdir\n")
    (home.work / "images" / "photos").mkdir()
    (home.work / "images" / "photos" / "cat.jpg").write_text("cat")
    done = home.call("run", file, "--json")
    result = json.loads(done.stdout)
    assert set(result) >= {
        "id", "state", "centre", "partition", "offer", "reasons", "throughput", "charge", "hold", "exit_code",
        "outputs", "submitted_at", "started_at", "ended_at",
    }  # fmt: skip
    assert (result["state"], result["exit_code"], result["centre"]) == ("SUCCEEDED", 0, "local")
    assert result["throughput"]["images_per_hour"] == 120.5
    assert result["hold"]["minor"] > 0
    assert result["submitted_at"] <= result["started_at"] <= result["ended_at"]
    assert [output["path"] for output in result["outputs"]] == ["results/labels"]
    assert (home.work / "results" / "labels" / "labels.csv").read_text() == "label\n"
    assert {"from the workdir", "cat.jpg"} <= set(done.stderr.splitlines())  # among the stages
    assert "placed on local/main" in done.stderr

    again = home.call("run", file)
    # In a pipe, stdout is the job's own log and nothing else.
    assert again.stdout == home.call("logs", result["id"]).stdout
    assert again.stdout.startswith("from the workdir\ncat.jpg\nBAYGRID_PROGRESS")
    assert "unchanged, the server has it" in again.stderr
    assert home.ask("outputs", result["id"], "--to", "elsewhere")[0]["path"] == "elsewhere/labels"
    assert (home.work / "elsewhere" / "labels" / "labels.csv").exists()


def test_the_exit_code_of_the_job_is_that_of_the_command(home: Home):
    file = home.job("seven", "echo before; exit 7")
    done = home.call("run", file, "--json", code=7)
    assert json.loads(done.stdout)["exit_code"] == 7
    assert "failed with exit code 7" in done.stderr


def test_ctrl_c_leaves_the_job_running_and_says_how_to_come_back(home: Home, gate: Path):
    file = home.job("detach", f"echo started; read line < {gate}; echo $line")
    process = home.popen("run", file)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    back = re.search(r"`baygrid wait (job-\w+)`", err)
    assert back, err
    job = back[1]
    assert f"`baygrid cancel {job}`" in err
    assert home.ask("jobs", job)["state"] == "ACTIVE"
    waiting = home.popen("wait", job)
    gate.write_text("released\n")
    out, _ = waiting.communicate(timeout=TIMEOUT)
    assert waiting.returncode == 0
    assert out == "started\nreleased\n"


def test_a_log_is_followed_while_it_grows(home: Home, gate: Path):
    job = home.call(
        "run", home.job("log", f"echo one; read line < {gate}; echo $line"), "--no-wait"
    ).stdout.strip()
    following = home.popen("logs", "-f", job)
    assert following.stdout is not None
    assert following.stdout.readline() == "one\n"
    gate.write_text("two\n")
    assert following.communicate(timeout=TIMEOUT)[0] == "two\n"
    assert following.returncode == 0
    assert home.call("logs", job, "--offset", "4").stdout == "two\n"
    assert home.ask("logs", job)["text"] == "one\ntwo\n"


def test_a_cancelled_job_ends_and_says_so(home: Home, gate: Path):
    job = home.call("submit", home.job("cancelled", f"echo up; cat {gate}")).stdout.strip()
    waiting = home.popen("wait", job)
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "up\n"
    home.call("cancel", job)
    _, err = waiting.communicate(timeout=TIMEOUT)
    assert waiting.returncode == 1
    assert f"{job} was cancelled" in err
    problem = home.problem("cancel", job)
    assert (problem["code"], problem["status"]) == ("conflict", 409)


def test_a_restart_of_the_server_is_survived_by_whoever_watches(home: Home, gate: Path):
    file = home.job("restart", f"echo before; read line < {gate}; echo $line; exit 3")
    process = home.popen("run", file)
    assert process.stdout is not None
    assert process.stdout.readline() == "before\n"
    home.stop()
    gate.write_text("after\n")
    home.start()
    out, err = process.communicate(timeout=TIMEOUT)
    assert out == "after\n"
    assert process.returncode == 3, err


def test_explain(home: Home):
    file = home.job("why", "true")
    found = home.ask("explain", file)
    assert found["outcome"] == "would-place"
    assert found["chosen"]["centre"] == "local"
    job = home.call("run", file, "--no-wait").stdout.strip()
    home.call("wait", job)
    text = home.call("explain", job).stdout
    assert text.startswith("placed on local/main")
    assert re.search(r"^local +main +local-main +chosen +0s +now +0s +[0-9.]+ CNY +none", text, re.MULTILINE)
    impossible = home.job("impossible", "true", resources={"accelerators": "H100:8"})
    assert home.ask("explain", impossible)["outcome"] == "impossible"
    problem = home.problem("submit", impossible)
    assert problem["code"] == "impossible"


def test_the_bill_adds_up(home: Home):
    home.call("run", home.job("billed", "true"))
    done = home.call("bill", "--recompute")
    assert "no difference" in done.stderr
    bill = home.ask("bill", "--recompute")
    assert bill["recomputed"]["differences"] == []
    assert bill["total"]["minor"] == sum(line["amount"]["minor"] for line in bill["lines"])
    job = bill["lines"][-1]["job"]
    assert {line["job"] for line in home.ask("bill", job)["lines"]} == {job}
    rows = home.call("bill", "--format", "csv").stdout.splitlines()
    assert len(rows) == 1 + len(bill["lines"])
    assert 'option "title"' in home.call("bill", "--format", "beancount").stdout
    assert home.ask("bill", "--to", "2020-01-01")["lines"] == []
    home.call("bill", "--format", "pdf", code=2)
    home.call("bill", "bundle", "-o", "bundle.json")
    key = home.call("bill", "key").stdout.strip()
    told = home.ask("bill", "verify", "bundle.json", "--key", key)
    assert (told["good"], told["lines"]) == (True, len(bill["lines"]))
    assert home.ask("ledger")
    assert sum(account["balance"]["minor"] for account in home.ask("ledger", "--balances")) == 0


def test_the_same_key_never_makes_a_second_job(home: Home):
    file, other = home.job("keyed", "true"), home.job("keyed-other", "false")
    first = home.call("submit", file, "--idempotency-key", "k").stdout
    assert home.call("submit", file, "--idempotency-key", "k").stdout == first
    problem = home.problem("submit", other, "--idempotency-key", "k")
    assert problem["code"] == "idempotency-mismatch"


def test_several_files_are_one_batch_or_nothing(home: Home):
    good, bad = home.job("batch", "true"), home.job("batch-bad", "true", resources={"cpus": 10_000})
    assert len(home.call("submit", good, good).stdout.split()) == 2
    before = len(home.ask("jobs", "--all"))
    home.call("submit", good, bad, code=1)
    assert len(home.ask("jobs", "--all")) == before


def test_an_array_and_who_waits_for_it(home: Home):
    run = 'echo "$BAYGRID_ARRAY_INDEX of $BAYGRID_ARRAY_COUNT" >"$BAYGRID_OUTPUTS/labels/part"'
    file = home.job(
        "sweep", run, array={"range": "3-5", "parallel": 1}, outputs={"labels": "swept"}, workdir=None
    )
    array = home.call("run", "--no-wait", file).stdout.strip()
    after = home.job("sum", 'cat "$BAYGRID_INPUTS"/*', after=[array], workdir=None)
    waiting = home.call("run", "--no-wait", after).stdout.strip()
    done = home.ask("wait", array)
    assert (done["state"], done["size"], done["left"], done["states"]["SUCCEEDED"]) == ("SUCCEEDED", 3, 0, 3)
    assert [part["index"] for part in sorted(done["outputs"], key=lambda part: part["index"])] == [3, 4, 5]
    assert (home.work / "swept" / "4" / "part").read_text() == "4 of 3\n"
    home.call("wait", waiting, code=1)  # it found nothing to add up
    listed = home.call("jobs").stdout
    assert f"{array}  sweep" in listed
    assert "3 SUCCEEDED of 3" in listed
    assert listed.count("sweep") == 1, "elements are listed only when asked for"
    assert home.call("jobs", "--array", array).stdout.count("sweep") == 3
    assert "elements: 3 SUCCEEDED of 3" in home.call("jobs", array).stdout


def test_an_array_is_cancelled_whole(home: Home):
    file = home.job("endless", "exec sleep 600", array={"range": "0-9", "parallel": 2}, workdir=None)
    array = home.call("run", "--no-wait", file).stdout.strip()
    held = home.ask("jobs", "--array", array, "--state", "held")
    assert {(job["cause"], job["hold"]["minor"]) for job in held} == {("array", 0)}
    assert "is cancelled" in home.call("cancel", array).stdout
    done = home.ask("wait", array, code=1)
    assert (done["state"], done["left"], done["failed"]) == ("CANCELLED", 0, 10)


def test_the_operators_nouns(home: Home):
    home.call("organisations", "create", "uni", "--kind", "university", "--title", "大学")
    assert {row["name"] for row in home.ask("organisations")} == {"local", "uni"}
    home.call("projects", "create", "lab", "--organisation", "uni", "--grant", "10 CNY")
    assert home.call("projects", "grant", "lab", "5 CNY").stdout == "lab has 15.00 CNY free\n"
    made = home.ask("tokens", "create", "--project", "lab", "--label", "me")
    team = {"BAYGRID_TOKEN": made["token"], "BAYGRID_SERVER": f"http://127.0.0.1:{home.port}"}
    assert [row["name"] for row in home.ask("projects", **team)] == ["lab"]
    assert home.ask("bill", **team)["project"] == "lab"
    assert home.ask("jobs", **team) == []
    assert home.problem("tokens", **team)["code"] == "forbidden"
    home.call("tokens", "revoke", made["id"])
    refused = home.call("jobs", code=1, **team)
    assert "baygrid login" in refused.stderr

    joining = home.call("centres", "create", "far", "--jurisdiction", "HK").stdout.split()
    assert joining[0].startswith("BAYGRID_JOIN_TOKEN=")
    assert joining[1:4] == ["baygrid", "agent", "join"]
    assert joining[-2:] == ["--centre", "far"]
    offer = [
        "--centre",
        "far",
        "--partition",
        "gpu",
        "--currency",
        "CNY",
        "--cpu-hour",
        "1",
        "--gib-hour",
        "0.1",
    ]
    made = home.ask("offers", "create", *offer, "--accelerator", "H100", "--accelerator-hour", "20.00")
    home.call(
        "offers", "tariff", made["id"], "--cpu-hour", "2", "--gib-hour", "0.2", "--accelerator-hour", "30"
    )
    after = next(row for row in home.ask("offers") if row["id"] == made["id"])
    assert after["accelerator_hour"] == "20", "a new price is announced before it begins"
    assert after["tariffs"][-1]["accelerator_hour"] == "30"
    home.call("centres", "drain", "far")
    assert re.search(r"^far +HK +- +drained +never seen", home.call("centres").stdout, re.MULTILINE)
    home.call("centres", "open", "far")
    assert home.ask("centres", "show", "local")["partitions"][0]["node_list"][0]["cpus"] == 8


def test_mistakes_are_told_with_their_lines(home: Home):
    (home.work / "bad.yaml").write_text("name: x\nproject: default\ntime: soon\nrun: true\n")
    done = home.call("run", "bad.yaml", code=1)
    assert "line 3, time: " in done.stderr
    assert "line 4, run: " in done.stderr
    problem = home.problem("run", "bad.yaml")
    assert {flaw["line"] for flaw in problem["problems"]} == {3, 4}
    home.call("run", code=2)
    home.call("jobs", "--state", "WRONG", code=1)
    home.call("wait", "job-none", code=1)
    (home.work / "leak").mkdir()
    home.job("leak", "true")
    (home.work / "leak" / "secret").symlink_to("/etc/hostname")
    assert "the link secret leaves the folder" in home.call("run", "leak/job.yaml", code=1).stderr


def test_a_server_that_is_not_there(home: Home, tmp_path: Path):
    nobody = {"BAYGRID_SERVER": f"http://127.0.0.1:{free_port()}"}
    done = home.call("jobs", code=1, **nobody)
    assert "no Baygrid server answers" in done.stderr
    assert "`baygrid serve`" in done.stderr
    assert home.problem("jobs", **nobody)["code"] == "unreachable"
    assert "is running on" in home.call("serve", "--port", "0", code=1).stderr
    taken = home.call("serve", "--port", str(home.port), "--data", str(tmp_path), code=1)
    assert "something else listens" in taken.stderr


def test_login(home: Home, tmp_path: Path):
    token = (home.folder / ".baygrid" / "operator.token").read_text()
    server = f"http://127.0.0.1:{home.port}"
    elsewhere: dict[str, Any] = {"XDG_CONFIG_HOME": str(tmp_path)}
    done = home.call("login", "--server", server, "--token", token, **elsewhere)
    assert done.stdout == f"logged in at {server} as operator\n"
    assert (tmp_path / "baygrid" / "config.json").stat().st_mode & 0o777 == 0o600
    assert home.ask("centres", **elsewhere)
    home.call("login", "--server", server, "--token", "wrong", code=1, **elsewhere)
    assert home.ask("centres", **elsewhere)  # a login that fails changes nothing


def on_a_terminal(home: Home, *arguments: str, until: bytes | None = None, **more: str) -> tuple[int, str]:
    """Runs a command on a terminal of 100 columns; presses Ctrl-C once `until` was seen."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(home.work)
        os.execve(BAYGRID, [BAYGRID, *arguments], home.environ | more)
    seen = b""
    while select.select([terminal], [], [], TIMEOUT)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side has closed
            break
        seen += data
        if until is not None and until in seen:
            os.write(terminal, b"\x03")
            until = None
        if not data:
            break
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen.decode()


def test_the_live_view(home: Home):
    file = home.job(
        "live", 'echo hello; echo \'BAYGRID_PROGRESS {"done": 1, "total": 4, "rate_per_hour": 9}\''
    )
    code, text = on_a_terminal(home, "run", file)
    assert code == 0, text
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    for part in (
        "placed on local/main",
        "✓  submitted",
        "✓  running",
        "✓  done",
        "hello",
        "25%",
        "cost ",
        "succeeded",
    ):
        assert part in plain, part
    assert "\x1b[?25h" in text  # the cursor is back
    assert "BAYGRID_PROGRESS" not in text


def test_the_live_view_without_colour_and_with_ctrl_c(home: Home, gate: Path):
    file = home.job("live-gate", f"echo hello; cat {gate}")
    code, text = on_a_terminal(home, "run", file, until=b"hello", NO_COLOR="1")
    assert code == 130, text
    assert "goes on. Come back with `baygrid wait job-" in text
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", text)
    gate.write_text("")


def test_help_and_version_load_nothing_heavy(home: Home):
    listed = "import sys; import baygrid.cli.entry; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    heavy = {"httpx2", "rich", "fastapi", "sqlalchemy", "pydantic", "numpy", "yaml", "uvicorn", "structlog"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}
    assert "Commands:" in home.call("--help").stdout
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", home.call("version").stdout)
