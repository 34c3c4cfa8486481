"""Which tables a query names, and others put in their place.

A name without a schema may be a common table expression's: of the query that it stands in or of one around
it, and inside a WITH only of one that was defined before (or is, of WITH RECURSIVE). DuckDB finds names by
ASCII letters whatever their case, in quotes or not, and so does this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sqlglot import exp

from baygrid.ports.reader import BadExpression, Name

_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def lower(name: str) -> str:
    """As DuckDB compares names: the letters A to Z only, so that no look-alike becomes a letter."""
    return name.translate(_LOWER)


def shown(name: Name) -> str:
    return ".".join(name)


def fold(tree: exp.Expr) -> None:
    """Names of tables, of their aliases and before a column become lower case, as DuckDB compares them; names
    of columns are left, since they are shown in the answer."""
    for node in tree.find_all(exp.Table, exp.TableAlias, exp.Column):
        parts = ("table", "db", "catalog") if isinstance(node, exp.Column) else ("this", "db", "catalog")
        for part in parts:
            identifier = node.args.get(part)
            if isinstance(identifier, exp.Identifier):
                identifier.set("this", lower(identifier.this))


def physical(tree: exp.Expr) -> Iterator[tuple[exp.Table, Name]]:
    """Every table that is none of the query's own making, wherever it stands (`tree` is folded)."""
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, exp.Func):
            continue
        if not isinstance(table.this, exp.Identifier):
            raise BadExpression(
                f"{table.sql()[:80]} is no table: a name is SHARE.SCHEMA.TABLE or a part of that"
            )
        name = tuple(part.name for part in table.parts)
        if len(name) > 1 or not _is_common(table):
            yield table, name


def _is_common(table: exp.Table) -> bool:
    """Whether the name is one of a common table expression that can be seen from where it stands."""
    inner: exp.Expr = table
    while inner.parent is not None:
        outer = inner.parent
        if isinstance(outer, exp.With):
            before = outer.expressions[: inner.index] if inner.index is not None else []
            seen = [*before, inner] if outer.recursive else before
            if _defines(seen, table.name):
                return True
        else:
            own = outer.args.get("with_")
            if own is not None and own is not inner and _defines(own.expressions, table.name):
                return True
        inner = outer
    return False


def _defines(expressions: Iterable[exp.Expr], name: str) -> bool:
    return any(it.alias == name for it in expressions)


def replace(tree: exp.Expr, names: Mapping[Name, str]) -> None:
    """Other tables in the place of these, under the alias or the name that the query knows them by."""
    found = list(physical(tree))
    for column in list(tree.find_all(exp.Column)):
        _unqualify(column, {name for _, name in found})
    for table, name in found:
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name[-1], quoted=True))
        if alias.args.get("this") is None:
            alias.set("this", exp.to_identifier(name[-1], quoted=True))
        for part in ("db", "catalog"):
            table.set(part, None)
        table.set("this", exp.to_identifier(names[name], quoted=True))
        table.set("alias", alias)


def _unqualify(column: exp.Column, names: set[Name]) -> None:
    """share.schema.table.column is table.column of the table that now stands there."""
    qualifier = tuple(part.name for part in column.parts[:-1])
    if len(qualifier) > 1 and qualifier in names:
        column.set("db", None)
        column.set("catalog", None)


def mentioned(tree: exp.Expr) -> frozenset[str] | None:
    """Every name that could be a column's; None where a column may be meant without its name: by `*`,
    COLUMNS, its position, NATURAL JOIN, new names for all, or a table's own name as a row."""
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        return None
    if tree.find(exp.Columns, exp.PositionalColumn):
        return None
    if any(join.method == "NATURAL" for join in tree.find_all(exp.Join)):
        return None
    tables = {table.name for table in tree.find_all(exp.Table)}
    for alias in tree.find_all(exp.TableAlias):
        tables.add(alias.name)
        if alias.columns and isinstance(alias.parent, exp.Table):
            return None
    if any(lower(column.name) in tables for column in tree.find_all(exp.Column)):
        return None
    return frozenset(lower(it.this) for it in tree.find_all(exp.Identifier) if isinstance(it.this, str))
