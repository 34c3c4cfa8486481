"""Words that the server knows, at Tab: in a real bash, for the other shells, and never an error."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.api.acting import submit
from tests.api.world import World, serving

BIN = Path(sys.executable).parent
PATIENCE_S = 60.0


@contextmanager
def logged_in(folder: Path) -> Iterator[tuple[dict[str, str], str]]:
    """An environment whose commands ask a real server as a team, and the id of the team's job."""
    folder.joinpath("home").mkdir()
    world = World(folder)
    try:
        with serving(world.app) as address:
            kept = {k: v for k, v in os.environ.items() if not k.startswith(("BAYGRID_", "XDG_"))}
            environ = kept | {
                "HOME": str(folder / "home"),
                "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
                "BAYGRID_SERVER": address,
                "BAYGRID_TOKEN": world.secrets["team"],
                "TERM": "dumb",
                "PS1": "> ",
            }
            with httpx2.Client(base_url=address, headers=world.headers("team")) as team:
                id = submit(team)
                team.post(
                    "/v1/datasets",
                    json={"name": "photos", "uri": "s3://bay/photos/", "jurisdiction": "CN-QH"},
                ).raise_for_status()
            yield environ, id
    finally:
        world.close()


def offered(environ: dict[str, str], *words: str, **more: str) -> list[str]:
    """What bash's function gets for a line whose last word is being typed."""
    asked = {"COMP_WORDS": " ".join(("baygrid", *words)), "COMP_CWORD": str(len(words))}
    done = subprocess.run(
        [str(BIN / "baygrid")], env=environ | asked | {"_BAYGRID_COMPLETE": "complete_bash"} | more,
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.slow
def test_ids_and_names_come_from_the_server(tmp_path: Path):
    with logged_in(tmp_path) as (environ, job):
        assert offered(environ, "logs", "") == [job]
        assert offered(environ, "cancel", "job-") == [job]
        assert offered(environ, "cancel", "array-") == []
        assert offered(environ, "explain", "job-") == [job]
        assert offered(environ, "explain", "jo") == []  # the shell's own files
        assert offered(environ, "bill", job[:-3]) == [job]
        assert offered(environ, "centres", "show", "") == ["far", "hub"]
        assert offered(environ, "offers", "tariff", "h") == ["hub-gpu"]
        assert offered(environ, "datasets", "show", "") == ["photos"]
        assert offered(environ, "run", "job.yaml", "--project", "d") == ["demo"]
        assert "logs" in offered(environ, "lo")
        # Another server's, or none's, are nobody's: quickly, and without a word.
        began = time.monotonic()
        assert offered(environ, "logs", "", BAYGRID_SERVER="http://127.0.0.1:9") == []
        assert offered(environ, "logs", "", BAYGRID_TOKEN="nonsense") == []
        assert offered(environ, "logs", "--server", "ftp://nowhere", "") == []
        assert time.monotonic() - began < PATIENCE_S / 2
        for shell, said in (("zsh", f'"{job}":"hello, QUEUED"'), ("fish", f"{job}\thello, QUEUED")):
            asked = {"_BAYGRID_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "baygrid logs "}
            more = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
            done = subprocess.run(
                [str(BIN / "baygrid")], env=environ | asked | more, capture_output=True, text=True, check=True
            )
            assert said in done.stdout, shell


@pytest.mark.slow
def test_in_a_real_bash_tab_writes_the_id(tmp_path: Path):
    with logged_in(tmp_path) as (environ, job):
        # A second command: a shell that has but one replaces itself by it, and would not be found.
        install = ["bash", "--norc", "-c", "baygrid --install-completion; true"]
        done = subprocess.run(
            install, env=environ, check=True, capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert "bash completion installed" in done.stdout, done.stdout + done.stderr
        with terminal(["bash", "--rcfile", environ["HOME"] + "/.bashrc", "-i"], environ, tmp_path) as typed:
            assert f"{job} is cancelled" in typed("baygrid cancel job-\t\n", " is cancelled")


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_their_script(tmp_path: Path, shell: str):
    if shutil.which(shell) is None:
        pytest.skip(f"needs a shell that few have: {shell}")
    environ = os.environ | {"HOME": str(tmp_path), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [shell, "-c", "baygrid --install-completion; true"], env=environ, capture_output=True, text=True,
        check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert f"{shell} completion installed" in done.stdout, done.stdout + done.stderr
    (script,) = (path for path in tmp_path.rglob("*baygrid*") if path.is_file())
    subprocess.run([shell, "-n", str(script)], check=True, timeout=PATIENCE_S)
    if shell == "fish":
        asked = [shell, "-c", f"source {script}; complete -C 'baygrid expl'"]
        words = subprocess.run(
            asked, env=environ, capture_output=True, text=True, check=True, timeout=PATIENCE_S
        )
        assert words.stdout.startswith("explain\t")


@contextmanager
def terminal(argv: list[str], environ: dict[str, str], folder: Path):
    """A program on a terminal: types a line and reads until a word is there."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(argv[0], argv, environ)

    def typed(line: str, until: str) -> str:
        os.write(master, line.encode())
        said, end = b"", time.monotonic() + PATIENCE_S
        while until.encode() not in said:
            assert time.monotonic() < end, said.decode(errors="replace")
            ready, _, _ = select.select([master], [], [], 1.0)
            said += os.read(master, 65_536) if ready else b""
        return said.decode(errors="replace")

    try:
        yield typed
    finally:
        os.write(master, b"exit\n")
        os.close(master)
        os.waitpid(pid, 0)
