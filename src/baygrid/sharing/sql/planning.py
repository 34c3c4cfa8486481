"""From the text of a query to what runs: which tables are brought in, which groups are made of those that are
shared for figures only, and the query itself over what is left. Each is a statement of its own: one that runs
later cannot reach into an earlier one, whatever an optimizer moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from baygrid.core.data.terms import Mode
from baygrid.ports.reader import BadExpression, Name
from baygrid.sharing.sql import figures, naming, parsing


@dataclass(frozen=True, slots=True)
class Governed:
    """A table as the asker may use it. `columns`: those that are shown, masked or not. `impersonal`: those of
    them that say nothing of any person. `subject`: the table has a column that tells persons apart."""

    columns: tuple[str, ...]
    mode: Mode = Mode.ROWS
    k: int = 0
    impersonal: frozenset[str] = frozenset()
    subject: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What the terms show of a table, brought in under `into`. `columns` None: all of them. `person`: under
    which name something is added that is the same for rows of one person, and of no other."""

    table: Name
    into: str
    columns: tuple[str, ...] | None
    person: str | None
    private: bool
    once: bool = False
    """Its rows are read once, as they come: it is the last that is brought in, and is not kept."""


@dataclass(frozen=True, slots=True)
class Groups:
    """`sql`: of all groups, with their number of persons in the column `persons`, and one of them in `one`
    (None: each row is a person). Those of at least `k` persons go into `into`; the rest is withheld."""

    into: str
    sql: str
    k: int
    persons: str
    one: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    loads: tuple[Load, ...]
    groups: tuple[Groups, ...]
    query: str

    @property
    def tables(self) -> tuple[str, ...]:
        """What the query itself may read."""
        return (*(it.into for it in self.loads if not it.private), *(it.into for it in self.groups))


def names(tree: exp.Query) -> list[Name]:
    """The tables that a query reads, each once, in the order of the text. Folds the tree."""
    naming.fold(tree)
    return list(dict.fromkeys(name for _, name in naming.physical(tree)))


def plan(tree: exp.Query, tables: Mapping[Name, Governed], mark: str) -> Plan:
    """Of a tree that `names` was asked of; it is changed. `mark`: that nobody can guess, so that no name in
    the query can mean a table of ours. Raises BadExpression."""
    found = list(naming.physical(tree))
    into = {}
    for place, name in enumerate(dict.fromkeys(name for _, name in found)):
        if name not in tables:
            raise BadExpression(f"there is no table {naming.shown(name)}")
        into[name] = f"t{place}_{mark}"
    asked = naming.mentioned(tree)
    loads = [_load(name, tables[name], into[name], asked, mark) for name in into]
    if passing := next((it for it in loads if _is_once(tree, it, [name for _, name in found])), None):
        loads.remove(passing)
        loads.append(replace(passing, once=True))
    naming.replace(tree, into)
    groups: list[Groups] = []
    for table, name in found:
        if tables[name].mode is Mode.AGGREGATE:
            load = next(it for it in loads if it.table == name)
            groups.append(_groups(table, tables[name], load, len(groups), mark))
    return Plan(tuple(loads), tuple(groups), parsing.write(tree))


def _load(name: Name, table: Governed, into: str, asked: frozenset[str] | None, mark: str) -> Load:
    columns = None
    if asked is not None:
        columns = tuple(it for it in table.columns if naming.lower(it) in asked) or table.columns[:1]
    private = table.mode is Mode.AGGREGATE
    person = f"p_{mark}" if private and table.subject else None
    return Load(name, into, columns, person, private)


def _is_once(tree: exp.Query, load: Load, named: Sequence[Name]) -> bool:
    """Whether its rows are needed once, as far as the text says. Groups of a table for figures only are made
    by one SELECT over it; of others a query must be a single SELECT over one table."""
    if named.count(load.table) != 1:
        return False
    return load.private or (
        len(named) == 1 and len(list(tree.find_all(exp.Query, exp.Join, exp.Lateral))) == 1
    )


def _groups(table: exp.Table, governed: Governed, load: Load, place: int, mark: str) -> Groups:
    if governed.k < figures.LEAST:
        raise BadExpression(
            f"{naming.shown(load.table)} is shared for figures of fewer than {figures.LEAST} persons"
        )
    select = table.find_ancestor(exp.Select)
    if select is None:
        raise BadExpression(f"{naming.shown(load.table)} is shared for figures only: use SELECT")
    columns = {naming.lower(it) for it in governed.columns}
    impersonal = {naming.lower(it) for it in governed.impersonal}
    private = figures.Private(load.into, frozenset(columns), frozenset(impersonal), load.person, governed.k)
    into, persons = f"f{place}_{mark}", f"n_{mark}"
    made = figures.bound(select, table, private, into, persons)
    return Groups(into, parsing.write(made), governed.k, persons, load.person and f"{persons}_one")


def unmarked(text: str, plan: Plan, mark: str) -> str:
    """A message of DuckDB in the asker's own words, as far as that goes."""
    for load in plan.loads:
        text = text.replace(load.into, naming.shown(load.table))
    return text.replace(f"_{mark}", "")
