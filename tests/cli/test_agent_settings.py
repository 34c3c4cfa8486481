"""What an agent's operator says now, over what it joined with."""

import json
from types import SimpleNamespace
from typing import Any

from baygrid.cli.commands.agent import _settings


def test_whom_jobs_run_as_is_said_anew_as_a_whole(tmp_path):
    joined = {"driver": "local", "centre": "here", "server": "http://127.0.0.1:1", "as_me": True}
    (tmp_path / "agent.json").write_text(json.dumps(joined | {"nodes": ["n1:cpus=1"]}))
    session: Any = SimpleNamespace(server=None)
    kept = _settings(session, None, tmp_path, {}, "", "local")
    assert (kept.as_me, kept.run_as, kept.nodes) == (True, "", ("n1:cpus=1",))
    other = _settings(session, None, tmp_path, {"run_as": "nobody"}, "", "local")
    assert (other.as_me, other.run_as, other.nodes) == (False, "nobody", ("n1:cpus=1",))
