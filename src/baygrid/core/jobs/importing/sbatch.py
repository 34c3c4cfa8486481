"""Batch scripts of Slurm."""

from __future__ import annotations

import re
from typing import Final

from baygrid.core.jobs.importing.draft import Draft, Imported, variables
from baygrid.core.jobs.importing.sbatch_options import Option, commands, options
from baygrid.core.units import format_duration

SOURCE: Final = "Slurm"
_VARIABLES: Final = {
    "SLURM_JOB_ID": "$BAYGRID_JOB",
    "SLURM_JOBID": "$BAYGRID_JOB",
    "SLURM_ARRAY_TASK_ID": "$BAYGRID_ARRAY_INDEX",
    "SLURM_ARRAY_JOB_ID": "$BAYGRID_ARRAY_ID",
    "SLURM_ARRAY_TASK_COUNT": "$BAYGRID_ARRAY_COUNT",
    "SLURM_NNODES": "$NNODES",
    "SLURM_JOB_NUM_NODES": "$NNODES",
    "SLURM_NODEID": "$NODE_RANK",
    "SLURM_CPUS_ON_NODE": "$BAYGRID_CPUS",
    "SLURM_GPUS_ON_NODE": "$GPUS_PER_NODE",
    "SLURM_GPUS_PER_NODE": "$GPUS_PER_NODE",
    "SLURM_SUBMIT_DIR": "$BAYGRID_WORKDIR",
    "SLURM_RESTART_COUNT": "$BAYGRID_RESTART",
}
_ALONE: Final = {
    "SLURM_PROCID": "$NODE_RANK",
    "SLURM_NTASKS": "$NNODES",
    "SLURM_LOCALID": "0",
    "SLURM_CPUS_PER_TASK": "$BAYGRID_CPUS",
}
"""Where there is one task on each node, as here."""
_MAIL: Final = "no mail is sent of it: `baygrid wait` ends with the job"
_NODES: Final = "names nodes of that cluster: say infra, a centre or centre/partition"
_LEFT: Final = {
    "account": "an account of that cluster: say project, which pays here",
    "partition": "a partition of that cluster: say infra, a centre or centre/partition, if it must be one",
    "qos": "a class of that cluster: say priority, low, normal, high or urgent",
    "clusters": "names a cluster: say infra, a centre or centre/partition",
    "reservation": "a reservation of that cluster",
    "constraint": "features of that cluster's nodes: say cpus, memory and accelerators",
    **dict.fromkeys(("nodelist", "exclude", "nodefile"), _NODES),
    **dict.fromkeys(("mail-user", "mail-type"), _MAIL),
    **dict.fromkeys(
        ("output", "error", "open-mode", "input"), "`baygrid logs` has all that it prints, in one"
    ),
    "dependency": "names jobs of that cluster: say after, with ids of jobs here",
    "begin": "a job is queued when it is submitted: submit it then",
    "deadline": "say deadline, with its offset: 2026-12-01T08:00+08:00",
    "exclusive": "a job has what it asks for: ask for a whole node's cpus if it needs them",
    "comment": "jobs have no comments",
    "nice": "say priority: low",
    "priority": "say priority, low, normal, high or urgent",
    "licenses": "licences are not counted here",
    "tmp": "disk is not asked for: the centre's own limit holds",
    "ntasks-per-socket": "sockets are not told apart here",
    "hint": "how tasks are bound is up to the job",
    "distribution": "how tasks are bound is up to the job",
    "container-mounts": "name what the job needs as inputs",
    "wait-all-nodes": "all nodes start at once",
    "hold": "a job is queued when it is submitted: submit it then",
}
_GPUS: Final = frozenset({"gpu", "mps", "shard"})
_PATH: Final = re.compile(r"(?<![\w.})/:$~-])/(?!(?:bin|usr|dev|tmp|proc|etc|sys)\b)[\w.-]+/[\w./-]*")
_UNITS: Final = {"": "MiB", "K": "", "M": "MiB", "G": "GiB", "T": "TiB"}
_DEFAULT_MEMORY: Final = "what a cluster gives to who asks for no memory differs: say resources.memory"


def convert(text: str, name: str) -> Imported:
    """`name`: where the script has none. Raises Unreadable."""
    draft = Draft()
    found: dict[str, Option] = {}
    for option in options(text, draft):
        if (before := found.get(option.name)) is not None:
            draft.leave(f"--{option.name}", "comes again below, and sbatch takes the last", before.line)
        found[option.name] = option
    named = found.pop("job-name", None)
    draft.name(named.value if named else None, name)
    _time(draft, found.pop("time", None))
    alone = _size(draft, found) == 1
    _array(draft, found.pop("array", None))
    _folder(draft, found.pop("chdir", None))
    _export(draft, found.pop("export", None))
    _stopping(draft, found)
    _image(draft, found.pop("container-image", None))
    for option in found.values():
        draft.leave(f"--{option.name}", _LEFT.get(option.name, "there is no such field here"), option.line)
    script = commands(text)
    _starters(draft, text)
    _paths(draft, script)
    known = _VARIABLES | (_ALONE if alone else {})
    draft.put("run", variables(draft, script, "the script", "SLURM_", known))
    return draft.finish()


def _time(draft: Draft, option: Option | None) -> None:
    seconds = _seconds(option.value) if option else None
    if seconds:
        draft.put("time", format_duration(seconds))
        return
    if option is not None and seconds is None:
        draft.leave("--time", f"{option.value!r} is no length of time that can be read", option.line)
    draft.time(SOURCE if option is None else f"{SOURCE} with --time={option.value}")


def _seconds(text: str) -> int | None:
    """minutes[:seconds], hours:minutes:seconds, days-hours[:minutes[:seconds]]. 0: no limit."""
    if text.upper() in ("UNLIMITED", "INFINITE", "-1"):
        return 0
    match = re.fullmatch(r"(?:([0-9]{1,5})-)?([0-9]{1,7})(?::([0-9]{1,7}))?(?::([0-9]{1,7}))?", text)
    if match is None:
        return None
    days, first, second, third = (int(part or 0) for part in match.groups())
    if match[1] is not None or match[4] is not None:
        return days * 86_400 + first * 3_600 + second * 60 + third
    return first * 60 + second


class _Counted:
    """Numbers of options, taken as they are needed; what is no number is left."""

    def __init__(self, draft: Draft, found: dict[str, Option]) -> None:
        self.draft, self.found = draft, found

    def take(self, name: str) -> int | None:
        option = self.found.pop(name, None)
        if option is None:
            return None
        if not option.value.isdecimal() or not int(option.value[:9]) > 0:
            self.draft.leave(f"--{name}", f"{option.value!r} is no number above 0", option.line)
            return None
        return int(option.value[:9])


def _size(draft: Draft, found: dict[str, Option]) -> int:
    """Nodes, and what each of them needs. How many tasks are on each."""
    counted = _Counted(draft, found)
    tasks, per_node = counted.take("ntasks"), counted.take("ntasks-per-node")
    nodes = _nodes(draft, found.pop("nodes", None), tasks, per_node)
    on_each = per_node or -(-(tasks or nodes) // nodes)
    gpus = _gpus(draft, found, nodes, on_each)
    per_gpu = counted.take("cpus-per-gpu")
    cpus = on_each * (counted.take("cpus-per-task") or 1)
    if per_gpu and gpus:
        cpus = max(cpus, per_gpu * gpus)
    draft.put("resources.cpus", f"{cpus}+")
    _memory(draft, found, cpus, gpus)
    if on_each > 1:
        draft.leave(
            "--ntasks", f"commands run once on each node: its {on_each} processes are theirs to start"
        )
    elif nodes > 1:
        draft.assume(
            "nodes", "commands run on every node at once ($NODE_RANK says which), not on the first alone"
        )
    return on_each


def _nodes(draft: Draft, option: Option | None, tasks: int | None, per_node: int | None) -> int:
    """The most of them."""
    if option is None:
        nodes = -(-tasks // per_node) if tasks and per_node else 1
        if nodes > 1:
            draft.put("nodes", nodes)
        return nodes
    match = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", option.value)
    least, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= least <= most:
        draft.leave("--nodes", f"{option.value!r} is no number of nodes", option.line)
        return 1
    if most > 1:
        draft.put("nodes", most if least == most else f"{least}..{most}")
    return most


def _gpus(draft: Draft, found: dict[str, Option], nodes: int, tasks: int) -> int:
    """How many on each node."""
    asked: list[tuple[str, int, Option]] = []
    for name, times, of in (
        ("gres", 1, 1),
        ("gpus-per-node", 1, 1),
        ("gpus", 1, nodes),
        ("gpus-per-task", tasks, 1),
    ):
        option = found.pop(name, None)
        for part in option.value.split(",") if option else ():
            assert option is not None  # it has parts
            words = part.split(":")
            kind = words.pop(0).removeprefix("gres/") if name == "gres" else "gpu"
            if kind not in _GPUS:
                draft.leave("--gres", f"{part}: only GPUs are asked for here", option.line)
                continue
            number = words.pop() if words and words[-1].isdecimal() else "1"
            if not int(number[:6]):
                continue
            if kind != "gpu":
                draft.leave("--gres", f"{part}: a part of a GPU is written as H100:0.5", option.line)
                words, number = [], "1"
            model = words[0] if words else ""
            asked.append((model, max(1, -(-int(number[:6]) * times // of)), option))
    if not asked:
        return 0
    model, count, option = asked[0]
    for _, _, other in asked[1:]:
        draft.leave(
            f"--{other.name}", "accelerators are asked for in two ways: the first is taken", other.line
        )
    if not model:
        draft.no_model(count, f"--{option.name}", "names no model", option.line)
    else:
        draft.assume("resources.accelerators", f"{model.upper()}: Slurm's {model}", option.line)
        draft.accelerators(f"{model.upper()}:{count}", f"--{option.name}", option.line)
    return count


def _memory(draft: Draft, found: dict[str, Option], cpus: int, gpus: int) -> None:
    for name, times in (("mem", 1), ("mem-per-cpu", cpus), ("mem-per-gpu", gpus)):
        option = found.pop(name, None)
        if option is None:
            continue
        match = re.fullmatch(r"([0-9]{1,12})([KMGT]?)B?", option.value.upper())
        if match is None or not int(match[1]) or not times:
            why = (
                "0 is all of a node: say how much"
                if option.value == "0"
                else f"{option.value!r} cannot be read"
            )
            draft.leave(f"--{name}", why, option.line)
        elif match[2] == "K":
            draft.put("resources.memory", f"{-(-int(match[1]) * times // 1024)}MiB")
        else:
            draft.put("resources.memory", f"{int(match[1]) * times}{_UNITS[match[2]]}")
    if "memory" not in draft.document["resources"]:
        draft.leave("--mem", _DEFAULT_MEMORY)


def _array(draft: Draft, option: Option | None) -> None:
    if option is None:
        return
    match = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?(?:%([0-9]{1,9}))?", option.value)
    if match is None:
        draft.leave(
            "--array", f"{option.value}: an array is one range without gaps, such as 0-99", option.line
        )
        return
    first, last, parallel = match[1], match[2] or match[1], match[3]
    draft.put("array", {"range": f"{first}-{last}"} | ({"parallel": int(parallel)} if parallel else {}))


def _folder(draft: Draft, option: Option | None) -> None:
    folder = option.value if option else "."
    if option is not None and folder.startswith(("/", "~", "$")):
        draft.leave(
            "--chdir", f"{folder} is a folder of that cluster: what is beside the script is sent", option.line
        )
        folder = "."
    draft.put("workdir", folder)
    draft.assume(
        "workdir",
        f"{folder}: sent whole, as sbatch starts where it is called; .baygridignore keeps parts at home",
    )


def _export(draft: Draft, option: Option | None) -> None:
    if option is None:
        return
    for part in option.value.split(","):
        name, equals, value = part.partition("=")
        if equals:
            draft.document.setdefault("envs", {})[name] = value
        elif name.upper() not in ("ALL", "NONE", "NIL"):
            draft.unset(name, "--export", SOURCE)
        elif name.upper() == "ALL":
            draft.leave(
                "--export",
                "the variables of your shell do not come along: write those it needs under envs",
                option.line,
            )


def _stopping(draft: Draft, found: dict[str, Option]) -> None:
    """How it is told to stop, and whether it is started again."""
    option = found.pop("signal", None)
    if option is not None:
        match = re.fullmatch(r"(?:[BR]{1,2}:)?(?:SIG)?([A-Z0-9]+)(?:@([0-9]{1,6}))?", option.value.upper())
        if match is None or match[1].isdecimal():
            draft.leave("--signal", f"{option.value}: checkpoint.signal has names such as USR1", option.line)
        else:
            draft.put("checkpoint", {"signal": match[1], "grace": f"{match[2] or 60}s"})
    if found.pop("no-requeue", None) is None and (option := found.pop("requeue", None)) is not None:
        draft.put("retry", {"on": ["interruption", "lost"], "max": 10})
        draft.assume("retry", "10 times at most", option.line)
    found.pop("requeue", None)


def _image(draft: Draft, option: Option | None) -> None:
    if option is None:
        return
    image = option.value.removeprefix("docker://").replace("#", "/")
    if image.endswith(".sqsh") or image.startswith("/"):
        draft.leave(
            "--container-image", f"{image} is a file of that cluster: name an image, docker:...", option.line
        )
    else:
        draft.put("image", f"docker:{image}")


_STARTERS: Final = {
    "srun": "commands are started once on each node by themselves: take srun away",
    "mpirun": "is there only where the centre has MPI; $MASTER_ADDR, $NODE_RANK and $NNODES say who is who",
    "mpiexec": "is there only where the centre has MPI; $MASTER_ADDR, $NODE_RANK and $NNODES say who is who",
    "ml": "modules are that cluster's: use setup, or an image",
    "module": "modules are that cluster's: use setup, or an image",
    "scontrol": "there is none here: $MASTER_ADDR is the first node, $NODE_RANK which one it is",
    "sbatch": "no job submits others: use after, or an array",
}
_STARTER: Final = re.compile(rf"(?:^|[\s;&|(`$])({'|'.join(_STARTERS)})(?=\s|$)")


def _starters(draft: Draft, text: str) -> None:
    """Commands of a cluster that a script rests on; each is told once."""
    told: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        bare = "" if line.lstrip().startswith("#") else line
        for word in _STARTER.findall(bare):
            if word not in told:
                told.add(word)
                draft.leave(word, _STARTERS[word], number)


def _paths(draft: Draft, script: str) -> None:
    """Folders that only that cluster has, told once."""
    found = list(dict.fromkeys(_PATH.findall("".join(re.findall(r"(?m)^(?!\s*#).*\n?", script)))))
    if found:
        more = f" and {len(found) - 1} more paths are" if len(found) > 1 else " is"
        why = "of that cluster: name what the job needs as inputs, and what it makes as outputs"
        draft.leave("the script", f"{found[0]}{more} {why}")
