"""dstack's tasks. https://dstack.ai/docs/reference/dstack.yml/task"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from baygrid.core.jobs.importing.draft import (
    SHELL,
    Draft,
    Fields,
    Imported,
    Unreadable,
    least,
    places,
    variables,
)
from baygrid.core.units import UnitError, format_duration, parse_duration

SOURCE: Final = "dstack"
_VARIABLES: Final = {
    "DSTACK_NODE_RANK": "$NODE_RANK",
    "DSTACK_NODES_NUM": "$NNODES",
    "DSTACK_GPUS_PER_NODE": "$GPUS_PER_NODE",
    "DSTACK_GPUS_NUM": "$((NNODES * GPUS_PER_NODE))",
    "DSTACK_MASTER_NODE_IP": "$MASTER_ADDR",
    "DSTACK_RUN_ID": "$BAYGRID_JOB",
    "DSTACK_JOB_ID": "$BAYGRID_JOB",
    "DSTACK_WORKING_DIR": "$BAYGRID_WORKDIR",
}
_CLOUD: Final = "names clouds: say where it may run with infra, a centre or centre/partition"
_MACHINES: Final = "Baygrid chooses the machines"
_LEFT: Final = {
    **dict.fromkeys(("backends", "regions", "availability_zones", "instance_types", "instances"), _CLOUD),
    **dict.fromkeys(
        ("fleets", "reservation", "creation_policy", "idle_duration", "blocks"),
        _MACHINES,
    ),
    "ports": "no port is opened: `baygrid port-forward` reaches into a job",
    "volumes": "a centre has no volumes: data comes as inputs and datasets, and goes as outputs",
    "max_price": "is by the hour: say budget.max_cost, the most that the whole job may cost",
    "priority": "ours is one of low, normal, high, urgent",
    "schedule": "a job runs once: start it from a clock of yours",
    "python": "is what the centre has: name an image such as docker:python:3.12, or make one in setup",
    "nvcc": "is what the centre has: name an image with it",
    "docker": "no job starts containers of its own: name one as image",
    "privileged": "no job is privileged",
    "user": "is the centre's to choose",
    "entrypoint": "an image's own is not used: write the commands under run",
    "registry_auth": "images are fetched by the centre, with its own credentials",
    "utilization_policy": "a job that does nothing is not stopped for it",
    "startup_order": "all nodes start at once",
    "stop_criteria": "a job ends when all of its nodes have",
    "tags": "jobs have no labels",
    "single_branch": "no repository is cloned: the workdir is sent",
    "repos": "no repository is cloned: name your copy of it as workdir, or clone it in setup",
    "home_dir": "is the centre's to choose",
    "profile": "is in a file beside it: what it says is to be added by hand",
}
_RESOURCES_LEFT: Final = {
    "disk": "disk is not asked for: the centre's own limit holds",
    "shm_size": "shared memory is as large as the job's memory allows",
}
_VENDORS: Final = frozenset({"nvidia", "amd", "google", "intel", "tenstorrent"})
_COUNT: Final = re.compile(r"[0-9]+(\.\.[0-9]*)?|\.\.[0-9]+")
_MEMORY: Final = re.compile(r"(?i)[0-9.]*[0-9]\s*[kmgt]i?b(\.\.([0-9.]+[kmgt]i?b)?)?|\.\.[0-9.]+[kmgt]i?b")
_SECRET: Final = re.compile(r"\$\{\{\s*secrets\.")


def convert(document: Mapping[object, object], name: str) -> Imported:
    """`name`: where the file has none. Raises Unreadable."""
    kind = document.get("type")
    if kind != "task":
        raise Unreadable(f"is a {kind} of dstack: only tasks are jobs, which run to an end")
    if document.get("groups"):
        raise Unreadable("has groups of nodes that do different things: all nodes of a job do the same")
    draft = Draft()
    task = Fields(document, "", draft)
    task.take("type")
    draft.name(task.take("name"), name)
    _commands(draft, task)
    _time(draft, task)
    nodes = task.take("nodes")
    if nodes not in (None, 1):
        draft.put("nodes", nodes)
    _env(draft, task.take("env"))
    image = task.take("image")
    if image is not None:
        draft.put("image", f"docker:{image}")
    _files(draft, task)
    _resources(draft, task.take("resources"))
    _spot(draft, task.take("spot_policy"))
    _retry(draft, task.take("retry"))
    task.rest(_LEFT)
    return draft.finish()


def _commands(draft: Draft, task: Fields) -> None:
    given, shell = task.take("commands"), task.take("shell")
    commands = [str(line) for line in given if line is not None] if isinstance(given, list) else []
    if not any(line.strip() for line in commands):
        raise Unreadable("has no commands: an image's own entry point cannot be run, write the commands")
    head = "#!/bin/sh\n" if shell == "sh" else SHELL
    if shell not in (None, "sh", "bash", "/bin/sh", "/bin/bash"):
        draft.leave(
            "shell", f"{shell}: the commands are bash's here; begin run with #! and its path for another"
        )
    # dstack goes on to the next command only where the last one succeeded.
    script = head + "set -e\n" + "".join(f"{line.rstrip()}\n" for line in commands)
    if re.search(r"\$\{\{", script):
        draft.leave("commands", "${{ ... }} is not replaced here: write what it stands for")
    draft.put("run", variables(draft, script, "commands", "DSTACK_", _VARIABLES))


def _time(draft: Draft, task: Fields) -> None:
    limit, grace = task.take("max_duration"), task.take("stop_duration")
    seconds = _seconds(limit)
    if seconds:
        draft.put("time", format_duration(seconds))
    else:
        if limit not in (None, "off", False, -1):
            draft.leave("max_duration", f"{limit} is no length of time such as 2h")
        draft.time(SOURCE)
    if _seconds(grace):
        draft.put("checkpoint", {"grace": format_duration(_seconds(grace) or 0)})
    elif grace is not None:
        draft.leave("stop_duration", "how long it may take to stop is checkpoint.grace, at most 1h")


def _seconds(value: object) -> int | None:
    """dstack also knows weeks."""
    weeks = re.fullmatch(r"([0-9]{1,4})w", value) if isinstance(value, str) else None
    try:
        return int(weeks[1]) * 604_800 if weeks else parse_duration(value)  # type: ignore[arg-type]
    except UnitError:
        return None


def _env(draft: Draft, given: object) -> None:
    """A mapping, or a list of NAME=VALUE and of names whose value comes from the shell."""
    pairs: list[tuple[str, object]] = []
    if isinstance(given, Mapping):
        pairs = [(str(key), value) for key, value in given.items()]
    elif isinstance(given, list):
        for item in given:
            name, equals, text = str(item).partition("=")
            pairs.append((name, text if equals else None))
    for key, value in pairs:
        if value is None:
            draft.unset(key, f"env.{key}", SOURCE)
        elif isinstance(value, str) and _SECRET.search(value):
            draft.secret(key, "a secret of dstack's")
        else:
            draft.document.setdefault("envs", {})[key] = value


def _files(draft: Draft, task: Fields) -> None:
    """dstack's folder of the file is where paths start; the working directory is where they go."""
    given = task.take("files")
    draft.put("workdir", ".")
    draft.assume(
        "workdir", ".: the folder of the file is sent whole; .baygridignore keeps parts of it at home"
    )
    folder = task.take("working_dir")
    if folder not in (None, ".", "./"):
        draft.leave(
            "working_dir", f"the job starts in its workdir: begin run with cd {folder}, if that is below it"
        )
    places(draft, _mounts(draft, given if isinstance(given, list) else []))


def _mounts(draft: Draft, files: list[Any]) -> Iterator[tuple[str, str, str]]:
    for number, item in enumerate(files):
        if isinstance(item, Mapping):
            local, path = str(item.get("local_path", "")), str(item.get("path", ""))
        else:
            local, _, path = str(item).partition(":")
        inside = local and not local.startswith(("/", "~", ".."))
        if inside and path in ("", local, f"./{local}"):
            continue  # it comes with the workdir, in its place
        yield f"files[{number}]", path or local, local


def _resources(draft: Draft, given: object) -> None:
    wanted = Fields(given if isinstance(given, Mapping) else {}, "resources", draft)
    cpu, memory = wanted.take("cpu"), wanted.take("memory")
    if isinstance(cpu, Mapping):
        cpu = cpu.get("count")
    told = least(2 if cpu is None else str(cpu).rpartition(":")[2])
    draft.put("resources.cpus", f"{told or 1}+")
    draft.put("resources.memory", f"{least('8GB' if memory is None else memory) or '1GB'}")
    if cpu is None or memory is None:
        draft.assume("resources", "dstack's own least, 2 CPUs and 8 GB, where the file says nothing")
    gpu = wanted.take("gpu")
    if gpu not in (None, 0, "0"):
        _gpu(draft, gpu)
    wanted.rest(_RESOURCES_LEFT)


def _gpu(draft: Draft, gpu: object) -> None:
    """H100:8, 24GB..:1..2, nvidia:A100,H100:4, or a mapping of name, memory, count and vendor."""
    names: list[str] = []
    counts, others = [], []
    if isinstance(gpu, Mapping):
        named = gpu.get("name")
        names = [str(one) for one in (named if isinstance(named, list) else [named]) if one is not None]
        counts = [str(gpu["count"])] if gpu.get("count") is not None else []
        others = [str(key) for key in gpu if key not in ("name", "count")]
    else:
        for part in str(gpu).split(":"):
            if _COUNT.fullmatch(part):
                counts.append(part)
            elif _MEMORY.fullmatch(part.strip()) or part.lower() in _VENDORS:
                others.append(part)
            else:
                names += [one.strip() for one in part.split(",") if one.strip()]
    count = least(counts[-1]) if counts else "1"
    number = int(count) if count.isdecimal() and 0 < int(count) <= 1024 else 1
    if counts and ".." in counts[-1]:
        draft.leave("resources.gpu", f"{counts[-1]} of them: so many as the least are asked for, {number}")
    if not names:
        draft.no_model(number, "resources.gpu", "names no model")
        return
    if others:
        draft.leave(
            "resources.gpu",
            f"{', '.join(others)}: only the model is asked for; H100 and the like have one memory",
        )
    wanted = f"{names[0]}:{number}" if len(names) == 1 else dict.fromkeys(names, number)
    draft.accelerators(wanted, "resources.gpu")


def _spot(draft: Draft, policy: object) -> None:
    if policy == "spot":
        draft.put("budget.spot", True)
    elif policy == "auto":
        draft.leave("spot_policy", "spot or not is one choice here: budget.spot: true, or nothing")


def _retry(draft: Draft, retry: object) -> None:
    if retry in (None, False):
        return
    events = retry.get("on_events") if isinstance(retry, Mapping) else None
    said = [str(one) for one in events] if isinstance(events, list) else ["interruption", "error"]
    on = [
        *(("interruption", "lost") if "interruption" in said else ()),
        *(("error",) if "error" in said else ()),
    ]
    if on:
        draft.put("retry", {"on": on, "max": 10})
        draft.assume("retry", "10 times at most: dstack counts time instead")
    if "no-capacity" in said:
        draft.leave("retry", "no-capacity: a job waits for room by itself")
