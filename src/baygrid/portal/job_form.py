"""A job file, typed into a form or as YAML: the fields of the one, the text of the other, and the document of
both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from baygrid.app.problems import Invalid
from baygrid.portal.language import N_
from baygrid.portal.visit import Form
from baygrid.ports.written import BadYaml, document_of, line_of

TEMPLATES: Final[Mapping[str, str]] = {
    "hello": N_("A first job"),
    "train": N_("Training on an accelerator"),
    "sweep": N_("Twelve jobs from one file"),
    "images": N_("Classify images"),
    "speech": N_("Write down speech"),
    "driving": N_("Find scenes in drives"),
}
PLAIN: Final = ("name", "time", "nodes", "setup", "run", "image", "prefer", "priority")
PAIRS: Final = ("inputs", "outputs", "envs")
NESTED: Final = ("resources.accelerators", "resources.cpus", "resources.memory", "budget.max_cost")
FIELDS: Final = (*PLAIN, *NESTED, *PAIRS, "secrets", "count")
DEFAULTS: Final = {"nodes": "1", "prefer": "cost", "priority": "normal", "time": "1h", "count": "1"}
MOST_VALUES: Final = 20_000
"""Of a document: references within YAML may make very many of a few."""


@cache
def template(name: str) -> str:
    """The text of a template. KeyError: there is none."""
    TEMPLATES[name]
    return files("baygrid.portal").joinpath("job_files", f"{name}.yaml").read_text(encoding="utf-8")


def text_of(document: Mapping[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Longer texts as blocks, as people write them."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


A_JOB: Final = "must be a job file: name, time, run and so on, each on a line of its own"


def read(text: str, must: str = A_JOB) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    """The document of a YAML text and the lines of its fields. `must`: what is said of one that has none.
    Raises Invalid."""
    try:
        document, lines = document_of(text)
    except BadYaml as error:
        raise Invalid.many([_located(it.path, it.message, it.line) for it in error.faults]) from None
    if not isinstance(document, dict):
        raise Invalid.at("", must)
    left, seen = [document], 0
    while left:
        part: Any = left.pop()
        seen += 1
        if seen > MOST_VALUES:
            raise Invalid.at("", f"has more than {MOST_VALUES} values: make it shorter")
        left += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return document, lines


def in_lines(problem: Invalid, lines: Mapping[str, int]) -> Invalid:
    """What is wrong with a document, with the lines in which it stands."""
    found: Sequence[Mapping[str, str]] = problem.extra.get("problems", ())
    if not found:
        return problem
    places = [(it["path"], it["message"], line_of(it["path"], it["message"], lines)) for it in found]
    return Invalid.many([_located(*place) for place in places])


def _located(path: str, message: str, line: int | None) -> tuple[str, str]:
    return ", ".join(part for part in (f"line {line}" if line else "", path) if part), message


def typed(form: Form) -> dict[str, str]:
    """The fields of the form as they came, to show them again."""
    return {name: form.text(name).strip("\n") for name in FIELDS}


def document(fields: Mapping[str, str]) -> dict[str, Any]:
    """The job file that these fields come to. Raises Invalid for lines that are no pairs."""
    made: dict[str, Any] = {
        name: fields[name].strip() if name not in ("run", "setup") else fields[name]
        for name in PLAIN
        if fields[name].strip() and fields[name].strip() != ({} if name == "time" else DEFAULTS).get(name)
    }
    if made.get("nodes", "").isdigit():
        made["nodes"] = int(made["nodes"])
    resources = {name: fields[f"resources.{name}"].strip() for name in ("cpus", "memory")}
    model = fields["resources.accelerators"].strip()
    if model:
        resources["accelerators"] = f"{model}:{fields['count'].strip() or '1'}"
    made["resources"] = {name: value for name, value in resources.items() if value}
    if fields["budget.max_cost"].strip():
        made["budget"] = {"max_cost": fields["budget.max_cost"].strip()}
    for name in PAIRS:
        made[name] = _pairs(name, fields[name])
    made["secrets"] = fields["secrets"].replace(",", " ").split()
    return {name: value for name, value in made.items() if value not in ({}, [])}


def _pairs(field: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise Invalid.at(field, f"line {number}: write NAME=VALUE, one on each line")
        if name.strip() in found:
            raise Invalid.at(field, f"line {number}: {name.strip()[:40]!r} is there twice")
        found[name.strip()] = value.strip()
    return found


def fields_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a template; what a form has no field for is left out."""
    fields = dict.fromkeys(FIELDS, "") | DEFAULTS
    fields |= {name: str(document[name]).rstrip("\n") for name in PLAIN if name in document}
    resources = document.get("resources", {})
    fields |= {f"resources.{name}": str(resources[name]) for name in ("cpus", "memory") if name in resources}
    model, _, count = str(resources.get("accelerators", "")).partition(":")
    fields |= {"resources.accelerators": model, "count": count or "1"}
    for name in PAIRS:
        fields[name] = "\n".join(f"{key}={value}" for key, value in document.get(name, {}).items())
    return fields


def by_field(problem: Invalid) -> Invalid:
    """What is wrong, by the names of the form's fields."""
    found: Sequence[Mapping[str, str]] = problem.extra.get("problems", ())
    pairs = [(_field(it["path"]), it["message"]) for it in found]
    return Invalid.many(pairs) if pairs else problem


def _field(path: str) -> str:
    if path in FIELDS:
        return path
    first = path.partition(".")[0].partition("[")[0]
    return first if first in FIELDS else path
