"""The Python of docs/python.md is run, as one program, against a real `baygrid serve`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import free_port

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BIN = Path(sys.executable).parent
PATIENCE_S = 240.0


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_its_blocks_are_python():
    assert len(blocks()) >= 5
    compile("\n".join(blocks()), PAGE.name, "exec")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_the_page_shows_can_be_done(tmp_path):
    port = free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("BAYGRID_", "XDG_"))}
    environ = {**kept, "HOME": str(tmp_path)}
    serve = [str(BIN / "baygrid"), "serve", "--port", str(port), "--node", "n1:cpus=8,memory=16"]
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(
            serve, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert server.stdout is not None
        assert f":{port}" in server.stdout.readline(), (tmp_path / "server.log").read_text()
        made = subprocess.run(
            [str(BIN / "baygrid"), "tokens", "create", "--project", "default", "--json"],
            env=environ, check=True, capture_output=True, timeout=PATIENCE_S,
        )  # fmt: skip
        environ["BAYGRID_TOKEN"] = json.loads(made.stdout)["token"]
        environ["BAYGRID_SERVER"] = f"http://127.0.0.1:{port}"
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(blocks())], env=environ, cwd=tmp_path, text=True,
            capture_output=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "done 1.0" in done.stdout or "done None" in done.stdout, done.stdout
    assert "time" in done.stdout  # the field that the bad job lacks
