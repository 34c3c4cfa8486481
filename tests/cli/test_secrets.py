"""A secret from stdin to a job and away again, with a real server: where its value is, and where never."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_end_to_end import BAYGRID, TIMEOUT, Home

pytestmark = pytest.mark.slow
VALUE = "hf_only_the_job_reads_this"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    made.start()
    yield made
    made.stop()


def holders(folder: Path) -> set[str]:
    """The files that have it, by the last two parts of their names."""
    found = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {"/".join(path.parts[-2:]) for path in found if VALUE.encode() in path.read_bytes()}


def command_lines() -> bytes:
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(process.read_bytes())
        except OSError:  # it has just ended
            continue
    return b"\n".join(lines)


def test_nobody_but_the_job_has_it(home: Home, tmp_path: Path):
    said = subprocess.run(
        [BAYGRID, "secrets", "set", "TOKEN"], env=home.environ, input=f"{VALUE}\n", text=True,
        capture_output=True, timeout=TIMEOUT, check=True,
    )  # fmt: skip
    assert VALUE not in said.stdout + said.stderr
    assert [one["name"] for one in home.ask("secrets")] == ["TOKEN"]
    gate = tmp_path / "gate"
    subprocess.run(["mkfifo", gate], check=True)
    run = f'echo "it is $TOKEN"; echo ready; set -x; test -n "$TOKEN"; read -r _ <"{gate}"'
    file = home.job("reads", run, secrets=["TOKEN"])
    wrong = home.problem("run", home.job("wrong", "echo", secrets=["TOKNE"]))
    assert "did you mean 'TOKEN'" in str(wrong)
    running = home.popen("run", file)
    with gate.open("w") as opened:  # returns when the job has come to its last line
        assert VALUE.encode() not in command_lines()
        data = home.folder / ".baygrid"
        keys = {path.name for path in data.glob("centre/attempts/.masks/*")}
        assert len(keys) == 1
        assert holders(data) == {"secrets/TOKEN", f".masks/{keys.pop()}", f"{_key(data)}/log"}
        opened.write("go on\n")
    out, err = running.communicate(timeout=TIMEOUT)
    assert running.returncode == 0, out + err
    assert f"it is {'*' * len(VALUE)}" in out
    assert VALUE not in out + err
    (job,) = [one["id"] for one in home.ask("jobs")]
    for words in (("logs", job), ("jobs", job, "--json"), ("explain", job, "--json")):
        assert VALUE not in home.call(*words).stdout
    home.call("secrets", "delete", "TOKEN")
    assert holders(home.folder) == set()


def _key(data: Path) -> str:
    (mask,) = data.glob("centre/attempts/.masks/*")
    return mask.name
