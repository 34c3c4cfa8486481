"""Where the inputs of accepted jobs come from: their datasets are named in full by then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from baygrid.core.jobs.addresses import DATASET, DatasetRef, address, dataset
from baygrid.core.jobs.locations import is_uploaded
from baygrid.core.jobs.spec import JobSpec
from baygrid.ports.messages import Source
from baygrid.ports.records import DatasetRecord
from baygrid.ports.store import Tx


def find_dataset(tx: Tx, project: str, ref: DatasetRef) -> DatasetRecord | None:
    """What a job of this project means by it."""
    owner = ref.project or project
    if ref.version is None:
        return tx.datasets.newest(owner, ref.name)
    return tx.datasets.get(owner, ref.name, ref.version)


def datasets_of(tx: Tx, specs: Iterable[JobSpec]) -> dict[str, DatasetRecord]:
    """The datasets that these jobs take in, by their full names."""
    wanted = {place for spec in specs for place in spec.inputs.values() if place.startswith(DATASET)}
    rows = {place: find_dataset(tx, "", dataset(place)) for place in sorted(wanted)}
    return {place: row for place, row in rows.items() if row is not None}


def sources(spec: JobSpec, known: Mapping[str, DatasetRecord]) -> dict[str, Source]:
    """By the inputs' names. A tar that the server holds has "blob:" and its SHA-256 for a URI. Raises
    KeyError where `known` lacks a dataset: none is ever removed."""
    found: dict[str, Source] = {}
    for name, place in spec.inputs.items():
        if place.startswith(DATASET):
            row = known[place]
            found[name] = Source(row.uri, row.project, row.sha256, row.bytes)
        elif is_uploaded(place):
            found[name] = Source(place, spec.project)
        else:
            at = address(place)
            found[name] = Source(str(replace(at, sha256=None)), spec.project, at.sha256)
    return found
