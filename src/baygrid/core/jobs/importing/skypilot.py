"""SkyPilot's task files. https://docs.skypilot.co/en/latest/reference/yaml-spec.html"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from baygrid.core.jobs.addresses import is_address
from baygrid.core.jobs.importing.draft import SHELL, Draft, Fields, Imported, Unreadable, places, variables

SOURCE: Final = "SkyPilot"
_VARIABLES: Final = {
    "SKYPILOT_NODE_RANK": "$NODE_RANK",
    "SKYPILOT_NUM_NODES": "$NNODES",
    "SKYPILOT_NUM_GPUS_PER_NODE": "$GPUS_PER_NODE",
    "SKYPILOT_TASK_ID": "$BAYGRID_JOB",
    "SKYPILOT_JOB_RANK": "${BAYGRID_ARRAY_INDEX:-0}",
    "SKYPILOT_NUM_JOBS": "${BAYGRID_ARRAY_COUNT:-1}",
}
_NODE_IPS: Final = "SKYPILOT_NODE_IPS"
_FROM_IPS: Final = {
    rf'echo "?\${{?{_NODE_IPS}}}?"? *\| *head -n? *1\b': "$MASTER_ADDR",
    rf'echo "?\${{?{_NODE_IPS}}}?"? *\| *wc -l': "$NNODES",
}
"""How scripts get at the first node, and at how many there are."""
_CLOUD: Final = "names a cloud: say where it may run with infra, a centre or centre/partition"
_LEFT: Final = {
    "service": "Baygrid runs jobs, which end, and no services",
    "pool": "Baygrid has no pools of workers: an array is many jobs of one file",
    "config": "settings of SkyPilot itself",
    "experimental": "settings of SkyPilot itself",
    "volumes": "a centre has no volumes: data comes as inputs and datasets, and goes as outputs",
    "event_callback": "whoever waits is told by `baygrid wait`",
    "inputs": "an estimate of SkyPilot's optimizer: inputs here are files",
    "outputs": "an estimate of SkyPilot's optimizer: outputs here are files",
}
_RESOURCES_LEFT: Final = {
    **dict.fromkeys(("infra", "cloud", "region", "zone"), _CLOUD),
    "instance_type": "a cloud's type of machine: say cpus, memory and accelerators",
    "accelerator_args": "only for a cloud's TPUs",
    **dict.fromkeys(("disk_size", "disk_tier"), "disk is not asked for: the centre's own limit holds"),
    "network_tier": "a job's nodes are of one partition, with the network that it has",
    "ports": "no port is opened to the world: `baygrid port-forward` reaches into a job",
    "labels": "jobs have no labels",
    "autostop": "a job's machines are given back when it ends",
    "priority": "ours is one of low, normal, high, urgent",
    "volumes": "a centre has no volumes: data comes as inputs and datasets, and goes as outputs",
}


def convert(document: Mapping[object, object], name: str) -> Imported:
    """`name`: where the file has none. Raises Unreadable."""
    draft = Draft()
    task = Fields(document, "", draft)
    draft.name(task.take("name"), name)
    draft.time(SOURCE)
    nodes = task.take("num_nodes")
    if nodes not in (None, 1):
        draft.put("nodes", nodes)
    _workdir(draft, task.take("workdir"))
    _variables(draft, task)
    for field in ("setup", "run"):
        _script(draft, field, task.take(field))
    mounts = task.take("file_mounts")
    places(draft, _mounts(draft, mounts if isinstance(mounts, Mapping) else {}))
    _resources(draft, task.take("resources"))
    task.rest(_LEFT)
    return draft.finish()


def _workdir(draft: Draft, workdir: object) -> None:
    if isinstance(workdir, str):
        draft.put("workdir", workdir)
    elif workdir is not None:
        draft.leave("workdir", "is no folder here: clone the repository in setup, or name your copy of it")


def _script(draft: Draft, field: str, text: object) -> None:
    if text is None:
        return
    if not isinstance(text, str):
        raise Unreadable(f"{field} is not text")
    if not text.strip():
        return
    script = text if text.startswith("#!") else SHELL + text
    for pattern, here in _FROM_IPS.items():
        script, count = re.subn(pattern, f'echo "{here}"', script)
        if count:
            draft.assume(field, f"takes {here} where it counted or cut {_NODE_IPS}")
    if _NODE_IPS in script:
        draft.leave(field, f"{_NODE_IPS}: the addresses are not listed; $MASTER_ADDR is the first of them")
    known = {**_VARIABLES, **({_NODE_IPS: "$MASTER_ADDR"} if _NODE_IPS in script else {})}
    draft.put(field, variables(draft, script, field, "SKYPILOT_", known))


def _variables(draft: Draft, task: Fields) -> None:
    envs = task.take("envs")
    for key, value in (envs if isinstance(envs, Mapping) else {}).items():
        if value is None:
            draft.unset(str(key), f"envs.{key}", SOURCE)
        else:
            draft.document.setdefault("envs", {})[str(key)] = value
    secrets = task.take("secrets")
    for key in secrets if isinstance(secrets, Mapping) else {}:
        draft.secret(str(key), "its value is not written into a job file")


def _mounts(draft: Draft, mounts: Mapping[object, Any]) -> Iterator[tuple[str, str, str]]:
    """(where, path there, place)"""
    for key, given in mounts.items():
        where, path, place = f"file_mounts.{key}", str(key), given
        if isinstance(given, Mapping):
            place = given.get("source")
            if not isinstance(place, str):
                draft.leave(where, "a store to write to: name what the job makes under outputs")
                continue
            if str(given.get("mode", "MOUNT")).upper() != "COPY":
                draft.leave(
                    where, "is a copy here: what the job writes there does not go back; name it under outputs"
                )
        if not isinstance(place, str):
            draft.leave(where, "names no place")
        elif place.startswith("s3://"):
            yield where, path, place if place.endswith("/") or place.count("/") == 2 else f"{place}/"
        elif "://" in place and not is_address(place):
            draft.leave(
                where,
                f"{place.partition('://')[0]}:// is not fetched here: https:// and s3:// are, and datasets",
            )
        else:
            yield where, path, place


def _resources(draft: Draft, given: object) -> None:
    if not isinstance(given, Mapping):
        return
    wanted = Fields(given, "resources", draft)
    choice = None
    for field in ("any_of", "ordered"):
        options = wanted.take(field)
        if isinstance(options, list):
            choice = _choice(draft, field, options)
    for field in ("cpus", "memory"):
        value = wanted.take(field)
        if value is not None:
            draft.put(f"resources.{field}", value)
    accelerators = wanted.take("accelerators")
    if isinstance(accelerators, Mapping):
        accelerators = {str(key): number for key, number in accelerators.items()}
    if accelerators is not None or choice:
        draft.accelerators(accelerators if accelerators is not None else choice, wanted.at("accelerators"))
    if wanted.take("use_spot") is True:
        draft.put("budget.spot", True)
    _image(draft, wanted.take("image_id"))
    for field in ("job_recovery", "spot_recovery"):
        _recovery(draft, wanted.at(field), wanted.take(field))
    wanted.rest(_RESOURCES_LEFT)


def _choice(draft: Draft, field: str, options: list[Any]) -> list[str] | dict[str, None]:
    """The accelerators of alternatives; in all else those are not told apart here."""
    found: list[str] = []
    for number, option in enumerate(options):
        where = f"resources.{field}[{number}]"
        if not isinstance(option, Mapping):
            draft.leave(where, "is no mapping")
            continue
        one = Fields(option, where, draft)
        wanted = one.take("accelerators")
        names = wanted if isinstance(wanted, list) else [wanted] if isinstance(wanted, str) else []
        if isinstance(wanted, Mapping):
            names = [f"{key}:{count}" if count is not None else str(key) for key, count in wanted.items()]
        found += [str(name) for name in names if str(name) not in found]
        if one.take("use_spot") is not None:
            draft.leave(f"{where}.use_spot", "holds for the whole job: say budget.spot")
        one.rest(_RESOURCES_LEFT | {"cpus": _ONE, "memory": _ONE, "image_id": _ONE})
    return found if field == "ordered" else dict.fromkeys(found)


_ONE: Final = "alternatives differ only in their accelerators here: say it once for all of them"


def _image(draft: Draft, image: object) -> None:
    if isinstance(image, str) and image.startswith("docker:"):
        draft.put("image", image)
    elif image is not None:
        draft.leave(
            "resources.image_id", "an image of a cloud: name a container, for example docker:python:3.11"
        )


def _recovery(draft: Draft, where: str, recovery: object) -> None:
    """SkyPilot starts a managed job again by itself after an interruption."""
    if recovery is None or str(recovery).lower() == "none":
        return
    errors = recovery.get("max_restarts_on_errors") if isinstance(recovery, Mapping) else None
    on = ["interruption", "lost", *(["error"] if errors else [])]
    draft.put("retry", {"on": on, "max": errors or 10})
    draft.assume(
        where,
        f"retry: {', '.join(on)}, {errors or 10} times at most; SkyPilot's own strategies are not chosen",
    )
