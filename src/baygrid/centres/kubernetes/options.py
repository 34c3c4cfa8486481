"""What an operator writes about a cluster, as options of the driver, read into a `Site`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from baygrid.centres.kubernetes.site import NAMESPACE, Accelerator, Site
from baygrid.core.reading import is_name

OPTIONS: Final = ("image", "namespace", "claim", "accelerators", "partitions", "queue", "root")


def parse_site(name: str, root: Path, options: Mapping[str, str]) -> Site:
    """`options` are some of `OPTIONS`, and others that are not looked at. Raises ValueError."""
    if not options.get("image"):
        raise ValueError(
            "name the image of jobs that name none, such as image=python:3.11: it has /bin/sh, awk and sleep"
        )
    return Site(
        name,
        Path(options.get("root") or root).absolute(),
        options["image"],
        namespace=options.get("namespace", NAMESPACE),
        claim=options.get("claim", ""),
        accelerators=parse_accelerators(options.get("accelerators", "")),
        partitions=parse_partitions(options.get("partitions", "main")),
        queue=options.get("queue", ""),
    )


def parse_accelerators(text: str) -> tuple[Accelerator, ...]:
    """Reads "H100=nvidia.com/gpu; A800=nvidia.com/gpu model=a800": a model, the resource that counts it, and
    labels of its nodes where another model counts the same. Raises ValueError."""
    found: list[Accelerator] = []
    for entry in _entries(text):
        head, *labels = entry.split()
        model, equals, resource = head.partition("=")
        if not is_name(model) or not equals or not resource:
            raise ValueError(f"{entry[:60]!r} is no accelerator: write for example H100=nvidia.com/gpu")
        found.append(Accelerator(model, resource, _labels(labels)))
    _once([one.model for one in found])
    return tuple(found)


def parse_partitions(text: str) -> dict[str, Mapping[str, str]]:
    """Reads "gpu pool=gpu; cpu": a name and the labels of its nodes, first come first served. Raises
    ValueError."""
    found = []
    for entry in _entries(text):
        name, *labels = entry.split()
        if not is_name(name):
            raise ValueError(f"{name[:60]!r} is no partition's name: write for example gpu pool=gpu; cpu")
        found.append((name, _labels(labels)))
    _once([name for name, _ in found])
    return dict(found)


def _entries(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(";") if entry.strip()]


def _labels(texts: list[str]) -> Mapping[str, str]:
    labels = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise ValueError(f"{text[:60]!r} is no label of nodes: write name=value")
        labels[name] = value
    return labels


def _once(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is there twice")
