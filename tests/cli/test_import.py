"""`baygrid import`: a job file on stdout or in a new file, and what it could not carry over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from baygrid.client import jobfile
from baygrid.client.yamlfile import document_of
from tests.cli.conftest import Call

SCRIPT = "#!/bin/bash\n#SBATCH -J train -t 30 --mem=4G -p gpu\n\techo 'hello  '\npython train.py\n"
TASK = "name: '0100'\nenvs: {ON: 'on', N: '012'}\nresources: {ports: 80}\nrun: |\n  echo 岛: # no comment\n"


def test_a_job_file_on_stdout_says_first_what_it_lacks(call: Call, tmp_path: Path):
    (tmp_path / "train.sbatch").write_text(SCRIPT)
    code, out, error = call("import", "train.sbatch")
    assert code == 0, error
    assert out.startswith("# Of train.sbatch (sbatch), by `baygrid import`.\n# Assumed:\n")
    assert "# - --partition (line 2): a partition of that cluster" in out
    assert "not carried over: --partition (line 2): a partition" in error
    (tmp_path / "train.yaml").write_text(out)
    file = jobfile.read("train.yaml")
    assert (file.spec.name, file.spec.time, file.spec.resources.memory) == ("train", 1800, 4096)
    assert file.spec.run == "#!/bin/bash\n\techo 'hello  '\npython train.py\n"


@pytest.mark.parametrize(("name", "text"), [("train.sbatch", SCRIPT), ("task.yaml", TASK)])
def test_what_is_written_reads_back_as_what_programs_are_told(
    call: Call, tmp_path: Path, name: str, text: str
):
    (tmp_path / name).write_text(text)
    code, out, error = call("import", name, "--json", "--out", "job.yaml")
    assert code == 0, error
    told = json.loads(out)
    assert set(told) == {"format", "document", "left", "assumed"}
    assert all(set(note) == {"where", "line", "why"} for note in told["left"])
    written = (tmp_path / "job.yaml").read_text()
    assert document_of("job.yaml", written)[0] == told["document"]
    assert yaml.safe_load(written) == told["document"]


def test_a_file_that_is_there_is_never_replaced(call: Call, tmp_path: Path):
    (tmp_path / "task.yaml").write_text(TASK)
    code, out, error = call("import", "task.yaml", "--out", "task.yaml")
    assert (code, out) == (1, "")
    assert "there is a file task.yaml already" in error
    assert (tmp_path / "task.yaml").read_text() == TASK


def test_what_is_no_job_is_refused_with_the_cure(call: Call, tmp_path: Path):
    (tmp_path / "service.yaml").write_text("type: service\ncommands: [serve]\n")
    code, out, error = call("import", "service.yaml")
    assert (code, out) == (1, "")
    assert "service.yaml is a service of dstack: only tasks are jobs" in error
    assert "cure: " in error
    assert call("import", "service.yaml", "--from", "pbs")[0] == 2
    assert call("import", "nowhere.yaml")[0] == 1
