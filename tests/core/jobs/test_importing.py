"""Files of other systems: what they mean here, and that nothing of them is lost in silence."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.jobs.importing import formats, sbatch_options
from baygrid.core.jobs.importing.draft import Draft, Imported, Unreadable
from baygrid.core.jobs.spec import JobSpec, parse

SCRIPT = """#!/bin/bash
#SBATCH --job-name=train
#SBATCH -N 2 --ntasks-per-node=1 -c16   # two nodes
#SBATCH --gres=gpu:a100:4
#SBATCH --mem=128G
#SBATCH -t 1-12:00:00
#SBATCH --array=0-15%4
#SBATCH -p gpu -A "some project"
#SBATCH --signal=B:USR1@120 --requeue
module load cuda
srun python train.py $SLURM_NODEID ${SLURM_ARRAY_TASK_ID} $SLURM_JOB_NODELIST
#SBATCH --exclusive
"""


def spec(made: Imported) -> JobSpec:
    return parse({**made.document, "project": "some"})


def left(made: Imported) -> dict[str, str]:
    return {note.where: note.why for note in made.left}


def script(*options: str, body: str = "echo hello\n") -> Imported:
    lines = "".join(f"#SBATCH {option}\n" for option in options)
    return formats.of_script(f"#!/bin/sh\n{lines}{body}", "job")


def sky(**fields: Any) -> Imported:
    return formats.of_document({"run": "echo hello\n", **fields}, "job")[1]


def dstack(**fields: Any) -> Imported:
    return formats.of_document({"type": "task", "commands": ["echo hello"], **fields}, "job")[1]


def test_a_batch_script():
    made = formats.of_script(SCRIPT, "job")
    job = spec(made)
    assert (job.name, job.nodes, job.time, job.workdir) == ("train", 2, 36 * 3600, ".")
    assert (job.resources.cpus, job.resources.memory) == (16, 128 * 1024)
    assert [str(one) for one in job.resources.accelerators] == ["A100:4"]
    assert (job.array, job.retry.most) == (parse({**made.document, "project": "x"}).array, 10)
    assert made.document["array"] == {"range": "0-15", "parallel": 4}
    assert (job.checkpoint.signal, job.checkpoint.grace) == ("USR1", 120)
    assert job.run == (
        '#!/bin/bash\nexport SLURM_NODEID="$NODE_RANK"\nexport SLURM_ARRAY_TASK_ID="$BAYGRID_ARRAY_INDEX"\n'
        "module load cuda\nsrun python train.py $SLURM_NODEID ${SLURM_ARRAY_TASK_ID} $SLURM_JOB_NODELIST\n"
    )
    told = {(note.where, note.line) for note in made.left}
    assert told == {
        ("--partition", 8), ("--account", 8), ("module", 10), ("srun", 11), ("the script", None),
        ("#SBATCH --exclusive", 12),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15", 900), ("15:30", 930), ("2:00:00", 7200), ("1-2", 93_600), ("1-0:30", 88_200),
        ("1-0:0:5", 86_405),
    ],
)  # fmt: skip
def test_times_of_slurm(text: str, seconds: int):
    assert spec(script(f"--time={text}")).time == seconds


@pytest.mark.parametrize("text", ["0", "UNLIMITED", "soon", "1:2:3:4", ""])
def test_without_a_time_one_is_assumed_and_told(text: str):
    made = script(f"--time={text}")
    assert made.document["time"] == "24h"
    assert "time" in {note.where for note in made.assumed}
    assert ("--time" in left(made)) == (text not in ("0", "UNLIMITED"))


@pytest.mark.parametrize(
    ("options", "nodes", "cpus", "accelerators"),
    [
        (["-n 4", "-c 2"], 1, 8, []),
        (["-n 7 --ntasks-per-node=2"], 4, 2, []),
        (["-N 3", "-n 7"], 3, 3, []),
        (["--nodes=2-4"], 4, 1, []),
        (["-N2", "-G h100:8"], 2, 1, ["H100:4"]),
        (["--gpus-per-node=4 --cpus-per-gpu=8"], 1, 32, ["GPU:4"]),
        (["-n2", "--gpus-per-task=l40s:1"], 1, 2, ["L40S:2"]),
        (["--gres=gpu", "--gres=nvme:1"], 1, 1, []),
        (["--gres=gpu:2,nvme:1"], 1, 1, ["GPU:2"]),
        (["--gres=shard:3"], 1, 1, ["GPU:1"]),
        (["--gpus=0"], 1, 1, []),
    ],
)
def test_sizes_of_slurm(options: list[str], nodes: int, cpus: int, accelerators: list[str]):
    job = spec(script(*options))
    assert (job.nodes, job.resources.cpus) == (nodes, cpus)
    assert [str(one) for one in job.resources.accelerators] == [
        one.removesuffix(":1") + ":1" * one.endswith(":1") for one in accelerators
    ]


@pytest.mark.parametrize(
    ("options", "mib"),
    [(["--mem=500"], 500), (["--mem=1500K"], 2), (["--mem-per-cpu=2G", "-c4"], 8192), (["--mem=2T"], 2 << 20),
     (["--mem-per-gpu=40G", "--gres=gpu:a100:2"], 81_920)],
)  # fmt: skip
def test_memory_of_slurm(options: list[str], mib: int):
    assert spec(script(*options)).resources.memory == mib


@pytest.mark.parametrize(
    "option",
    ["--mem=0", "--array=1,3,5", "--array=0-10:2", "--signal=10", "-N x", "--frob=1", "rubbish", "-c 0"],
)
def test_what_slurm_alone_can_is_left(option: str):
    made = script(option)
    assert len([note for note in made.left if note.line == 2]) == 1
    spec(made)


def test_what_a_script_rests_on_that_only_its_cluster_has():
    body = "ml load cuda\ncd /scratch/me/x # there\ncp $DIR/a/x /tmp/y; curl https://a.b/c/d\ncat /data/z/a\n"
    made = script("--tasks-per-node=1 --time=5\t# not 6", "--time=7", body=body)
    assert (spec(made).time, spec(made).resources.cpus) == (420, 1)
    told = [note.why for note in made.left if note.where in ("ml", "the script", "--time")]
    assert [why.partition(":")[0] for why in told] == [
        "comes again below, and sbatch takes the last",
        "modules are that cluster's",
        "/scratch/me/x and 1 more paths are of that cluster",
    ]


def test_ranks_mean_nodes_where_each_has_one_task():
    body = "train $SLURM_PROCID $SLURM_NTASKS\n"
    assert 'SLURM_PROCID="$NODE_RANK"' in spec(script("-N2", body=body)).run
    made = script("-N2", "-n4", body=body)
    assert "export" not in spec(made).run
    assert left(made)["the script"] == "SLURM_NTASKS: it has no value here"


def test_several_jobs_in_one_and_empty_scripts_are_refused():
    with pytest.raises(Unreadable, match="line 3: is several jobs in one"):
        script("-N1", "hetjob")
    with pytest.raises(Unreadable, match="run is empty"):
        formats.of_script("", "job")


def test_a_program_that_is_no_shell_gets_no_lines_of_a_shell():
    text = "#!/usr/bin/env python3\nimport os\nprint(os.environ['SLURM_ARRAY_TASK_ID'])\n"
    made = formats.of_script(text, "job")
    assert made.document["run"] == text
    assert left(made)["the script"] == "SLURM_ARRAY_TASK_ID: use $BAYGRID_ARRAY_INDEX"


def test_a_task_of_skypilot():
    made = sky(
        name="fine tune",
        num_nodes=2,
        workdir="./code",
        resources={
            "accelerators": {"H100:8": None, "A100:8": None}, "cpus": "8+", "memory": "64+", "use_spot": True,
            "image_id": "docker:python:3.11", "disk_size": 500, "ports": [8080],
            "job_recovery": {"max_restarts_on_errors": 3},
        },
        envs={"SIZE": 7, "HF_TOKEN": None, "WHO": None},
        secrets={"WANDB_API_KEY": "never to be written"},
        file_mounts={
            "/data": "s3://bucket/photos", "/model": "./model", "/out": {"name": "bucket", "mode": "MOUNT"},
            "/gs": "gs://b/x", "/ckpt": {"source": "s3://ckpt", "mode": "MOUNT"},
        },
        setup="pip install .\n",
        run="torchrun --node-rank $SKYPILOT_NODE_RANK --nproc $SKYPILOT_NUM_GPUS_PER_NODE a.py\n",
        service={"port": 80},
    )  # fmt: skip
    job = spec(made)
    assert (job.name, job.nodes, job.workdir, job.spot) == ("fine-tune", 2, "./code", True)
    assert {str(one) for one in job.resources.accelerators} == {"A100:8", "H100:8"}
    assert (job.resources.cpus, job.resources.memory, job.image) == (8, 65_536, "docker:python:3.11")
    assert (job.retry.on, job.retry.most) == (("interruption", "lost", "error"), 3)
    assert (dict(job.envs), job.secrets) == ({"SIZE": "7"}, ("HF_TOKEN", "WANDB_API_KEY"))
    assert job.inputs["data"] == "s3://bucket/photos/"
    assert job.inputs["model"] == "./model"
    assert job.setup == "#!/bin/bash\npip install .\n"
    assert job.run.startswith('#!/bin/bash\nexport SKYPILOT_NODE_RANK="$NODE_RANK"\n')
    assert "never to be written" not in str(made)
    assert set(left(made)) >= {
        "resources.disk_size", "resources.ports", "file_mounts./out", "file_mounts./gs", "file_mounts./ckpt",
        "envs.WHO", "service",
    }  # fmt: skip


def test_what_scripts_make_of_the_addresses_of_nodes():
    made = sky(
        num_nodes=2, run='a=`echo "$SKYPILOT_NODE_IPS" | head -n1`; echo "$SKYPILOT_NODE_IPS" | wc -l\n'
    )
    assert made.document["run"] == '#!/bin/bash\na=`echo "$MASTER_ADDR"`; echo "$NNODES"\n'
    assert "run" not in left(made)
    other = sky(run="for ip in $SKYPILOT_NODE_IPS; do ping $ip; done\n")
    assert "$MASTER_ADDR is the first" in left(other)["run"]


def test_alternatives_of_skypilot_are_those_of_their_accelerators():
    options = [
        {"infra": "aws", "accelerators": "H100:8"},
        {"infra": "gcp/us-central1", "accelerators": ["A100:8"]},
    ]
    job = spec(sky(resources={"ordered": options}))
    assert [str(one) for one in job.resources.accelerators] == ["H100:8", "A100:8"]
    assert job.resources.ordered
    assert not spec(sky(resources={"any_of": options})).resources.ordered


def test_models_that_cannot_be_ours_keep_the_job_from_running_by_mistake():
    made = sky(resources={"accelerators": "16GB+"})
    assert [str(one) for one in spec(made).resources.accelerators] == ["GPU:1"]
    assert "no centre can run it" in left(made)["resources.accelerators"]


def test_a_task_of_dstack():
    made = dstack(
        name="train",
        nodes=2,
        image="nvcr.io/nvidia/pytorch:25.05-py3",
        commands=["cd code", "torchrun --nnodes=$DSTACK_NODES_NUM\n  train.py", "echo ${{ run.args }}"],
        env=["HF_TOKEN", "SIZE=7", "WHO", "KEY=${{ secrets.key }}"],
        resources={
            "cpu": "16..",
            "memory": "200GB..",
            "gpu": "H100,A100:1..2",
            "shm_size": "16GB",
            "disk": "1TB",
        },
        max_duration="2w",
        stop_duration="5m",
        spot_policy="spot",
        retry={"on_events": ["no-capacity", "interruption"], "duration": "3h"},
        files=["train.py", "../data:/data"],
        ports=[8000],
        max_price=2.5,
    )
    job = spec(made)
    assert (job.name, job.nodes, job.time, job.spot) == ("train", 2, 14 * 86_400, True)
    assert job.image == "docker:nvcr.io/nvidia/pytorch:25.05-py3"
    assert {str(one) for one in job.resources.accelerators} == {"A100:1", "H100:1"}
    assert (job.resources.cpus, job.resources.memory) == (16, 200 * 1024)
    assert (dict(job.envs), set(job.secrets)) == ({"SIZE": "7"}, {"HF_TOKEN", "KEY"})
    assert (job.retry.on, job.checkpoint.grace, job.workdir) == (("interruption", "lost"), 300, ".")
    assert dict(job.inputs) == {"data": "../data"}
    assert job.run.startswith('#!/bin/bash\nexport DSTACK_NODES_NUM="$NNODES"\nset -e\ncd code\n')
    assert set(left(made)) == {
        "commands", "env.WHO", "files[1]", "resources.gpu", "resources.shm_size", "resources.disk", "retry",
        "ports", "max_price",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("gpu", "wanted"),
    [
        ("H100", ["H100:1"]), (1, ["GPU:1"]), ("24GB..80GB:2", ["GPU:2"]), ("nvidia:A100:80GB:8", ["A100:8"]),
        ({"name": ["H100", "H200"], "count": 8}, ["H100:8", "H200:8"]), ("2..", ["GPU:2"]), (0, []),
    ],
)  # fmt: skip
def test_accelerators_of_dstack(gpu: Any, wanted: list[str]):
    made = dstack(resources={"gpu": gpu})
    assert [str(one) for one in spec(made).resources.accelerators] == wanted


def test_what_is_no_job_is_refused():
    for document, why in (
        ({"type": "service", "commands": ["x"]}, "only tasks are jobs"),
        ({"type": "task", "image": "x"}, "has no commands"),
        ({"name": "x"}, "no field run"),
        ({"type": "task", "groups": [{"nodes": 1}]}, "groups of nodes"),
        (["x"], "neither a batch script"),
        ({"run": 7}, "run is not text"),
        ({"run": "x" * 70_000}, "65536"),
    ):
        with pytest.raises(Unreadable, match=why):
            formats.of_document(document, "job")


# Whatever stands in a file: a job file that is one comes out, or one error; and every field is told.

WORD = st.text(string.ascii_letters + string.digits + "=-:,%@./+ \"'#${}", max_size=12)
MORE = {
    "mem",
    "gres",
    "signal",
    "mem-per-cpu",
    "gpus-per-node",
    "export",
    "container-image",
    "ntasks-per-node",
}
LONG = sorted(set(sbatch_options._SHORT.values()) | sbatch_options._FLAGS | MORE)
OPTION = st.one_of(
    WORD,
    st.builds("--{}={}".format, st.sampled_from(LONG), WORD),
    st.builds("-{} {}".format, st.sampled_from(sorted(sbatch_options._SHORT)), WORD),
)


@given(st.lists(OPTION, max_size=8), st.text(max_size=60))
def test_any_batch_script_gives_a_job_file_or_one_error(options: list[str], body: str):
    try:
        made = script(*(" ".join(option.split()) for option in options), body=f"{body}\n")
    except Unreadable:
        return
    spec(made)


@given(
    st.sets(st.sampled_from(sorted(set(sbatch_options._SHORT.values()) - sbatch_options._FLAGS)), max_size=6)
)
def test_every_option_of_slurm_is_carried_or_told(names: set[str]):
    """An option that no cluster has the value of shows in the notes, whichever it is."""
    made = script(*(f"--{name}=?!" for name in sorted(names)))
    told = " ".join(f"{note.where} {note.why}" for note in (*made.left, *made.assumed))
    for name in names - {"job-name", "chdir"}:  # these are carried, as names and folders
        assert f"--{name}" in told, name


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 99) | st.floats(allow_nan=False) | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD | st.integers(), inner, max_size=3),
    max_leaves=8,
)
SKY = (
    "name",
    "workdir",
    "num_nodes",
    "resources",
    "envs",
    "secrets",
    "file_mounts",
    "setup",
    "run",
    "service",
    "odd",
)
SKY_RESOURCES = (
    "infra",
    "accelerators",
    "cpus",
    "memory",
    "use_spot",
    "image_id",
    "ports",
    "any_of",
    "ordered",
    "job_recovery",
    "odd",
)
DSTACK = (
    "name",
    "nodes",
    "image",
    "env",
    "commands",
    "shell",
    "max_duration",
    "stop_duration",
    "retry",
    "spot_policy",
    "files",
    "working_dir",
    "resources",
    "odd",
)
DSTACK_RESOURCES = ("cpu", "memory", "gpu", "shm_size", "odd")


def mappings(names: tuple[str, ...], resources: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    inner = st.dictionaries(st.sampled_from(resources), VALUE, max_size=5)
    fields = {name: VALUE if name != "resources" else VALUE | inner for name in names}
    return st.fixed_dictionaries({}, optional=fields)


@given(mappings(SKY, SKY_RESOURCES), mappings(DSTACK, DSTACK_RESOURCES))
def test_any_task_file_gives_a_job_file_or_one_error(of_sky: dict[str, Any], of_dstack: dict[str, Any]):
    for document in ({"run": "true", **of_sky}, {"commands": ["true"], **of_dstack, "type": "task"}):
        try:
            made = formats.of_document(document, "job")[1]
        except Unreadable:
            continue
        spec(made)
        if document.get("odd") not in (None, False):
            assert "odd" in left(made)


def test_equal_files_give_equal_job_files():
    assert formats.of_script(SCRIPT, "job") == formats.of_script(SCRIPT, "job")
    assert Draft().document == {}
