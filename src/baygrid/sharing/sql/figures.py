"""Tables that are shared for figures only: what may be asked of them, and how a figure of few persons is
withheld.

A SELECT over such a table stands alone (no join), groups by what it likes and asks for counts, sums and the
like of bare columns: what is computed from a row first could carry that row through a sum. It becomes two
statements. The first, `Figures.groups`, makes every group with its number of persons, each figure NULL unless
at least k persons are in it. Of its result only groups of at least k persons go into the table that the query
itself then reads; the rows are gone by then. Conditions and groups of rows are computed by TRY, so that
whether they fail tells nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from baygrid.ports.reader import BadExpression
from baygrid.sharing.sql.allowed import AGGREGATE
from baygrid.sharing.sql.naming import lower

LEAST: Final = 2
"""Persons of a group: of one there is no figure."""

_PLAIN: Final[tuple[type[exp.AggFunc], ...]] = (
    exp.Count, exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop,
)  # fmt: skip
_OF_ONE: Final[tuple[type[exp.AggFunc], ...]] = (exp.Min, exp.Max, exp.Median)
"""These show one row's value as it is: only of columns that say nothing of a person."""

_PARTS: Final = frozenset(
    {"kind", "expressions", "from_", "where", "group", "having", "order", "limit", "offset", "distinct"}
)


@dataclass(frozen=True, slots=True)
class Private:
    """A table for figures only. `columns` that are shared; `impersonal`: those of them that say nothing of
    any person. `person`: of the table that is read, a column that tells persons apart; None: each row is
    one."""

    read: str
    columns: frozenset[str]
    impersonal: frozenset[str]
    person: str | None
    k: int


def bound(select: exp.Select, table: exp.Table, private: Private, name: str, persons: str) -> exp.Select:
    """All groups of that SELECT; the SELECT itself is changed so that it reads the table `name` instead,
    which has the same columns. `persons`: the name of the column that counts them. Raises BadExpression."""
    return _Bound(select, table, private, name, persons).made()


class _Bound:
    def __init__(
        self, select: exp.Select, table: exp.Table, private: Private, name: str, persons: str
    ) -> None:
        self._select, self._table, self._private = select, table, private
        self._name, self._persons = name, persons
        self._alias = lower(table.alias or table.name)
        self._keys: list[exp.Expr] = []
        self._figures: dict[exp.Expr, str] = {}
        self._values: list[exp.Expr] = []
        self._outputs: dict[str, exp.Expr] = {}

    def made(self) -> exp.Select:
        select = self._select
        self._check_shape()
        self._outputs = {
            lower(it.alias): it.this for it in select.expressions if isinstance(it, exp.Alias) and it.alias
        }
        self._keys = [self._key(it) for it in self._grouped()]
        where = select.args.get("where")
        condition = None if where is None else self._row(where.this)
        shown = [self._shown(it) for it in select.expressions]
        having = select.args.get("having")
        kept = None if having is None else self._outer(having.this, self._outputs)
        if order := select.args.get("order"):
            self._order(order)
        if not self._figures and not self._keys:
            raise BadExpression(
                f"{self._of}: ask for figures, such as count(*) or avg(COLUMN), with GROUP BY or without"
            )
        groups = self._groups(condition)
        select.set("expressions", shown)
        select.set("where", None if kept is None else exp.Where(this=kept))
        for part in ("group", "having"):
            select.set(part, None)
        self._table.set("this", exp.to_identifier(self._name, quoted=True))
        return groups

    @property
    def _of(self) -> str:
        return f"{self._alias} is shared for figures only"

    def _check_shape(self) -> None:
        select = self._select
        if (
            self._table.parent is not select.args.get("from_")
            or select.args.get("joins")
            or select.args.get("laterals")
        ):
            raise BadExpression(
                f"{self._of}: it cannot be joined to anything (join what comes out of a subquery)"
            )
        odd = [part for part, value in select.args.items() if value and part not in _PARTS]
        if odd:
            raise BadExpression(
                f"{self._of}: {odd[0].strip('_').upper()} belongs into a query around this one"
            )
        for part in select.find_all(exp.Query, exp.Window):
            if part is not select:
                what = "a window" if isinstance(part, exp.Window) else "a subquery"
                raise BadExpression(f"{self._of}: {what} belongs into a query around this one")
        if isinstance(select.args.get("distinct"), exp.Distinct) and select.args["distinct"].args.get("on"):
            raise BadExpression(f"{self._of}: DISTINCT ON belongs into a query around this one")
        alias = self._table.args.get("alias")
        if (alias is not None and alias.columns) or any(
            value
            for part, value in self._table.args.items()
            if part not in ("this", "alias", "db", "catalog")
        ):
            raise BadExpression(f"{self._of}: give its columns no other names, and take it as it is")

    def _grouped(self) -> list[exp.Expr]:
        """What is grouped by, with positions, names of outputs and ALL written out."""
        group = self._select.args.get("group")
        if group is None:
            return []
        if any(group.args.get(part) for part in ("cube", "rollup", "grouping_sets", "totals")):
            raise BadExpression(
                f"{self._of}: one way of grouping at a time (no ROLLUP, CUBE or GROUPING SETS)"
            )
        shown = [it.unalias() for it in self._select.expressions]
        if group.args.get("all"):
            return [it for it in shown if it.find(exp.AggFunc) is None]
        found: list[exp.Expr] = []
        for each in group.expressions:
            if isinstance(each, exp.Literal) and each.is_int and 1 <= int(each.name) <= len(shown):
                found.append(shown[int(each.name) - 1])
            elif (
                isinstance(each, exp.Column)
                and not each.table
                and lower(each.name) not in self._private.columns
            ):
                found.append(self._outputs.get(lower(each.name), each))
            else:
                found.append(each)
        return found

    def _key(self, key: exp.Expr) -> exp.Expr:
        self._row(key)
        return key

    def _row(self, expression: exp.Expr) -> exp.Expr:
        """Something of one row: columns that are shared, and no figure."""
        if found := expression.find(exp.AggFunc, exp.Star):
            raise BadExpression(
                f"{self._of}: {found.sql('duckdb')[:60]} cannot stand in WHERE, FILTER or GROUP BY"
            )
        for column in expression.find_all(exp.Column):
            self._check_column(column)
        return expression

    def _check_column(self, column: exp.Column) -> str:
        name = lower(column.name)
        qualifier = column.table
        if (
            not isinstance(column.this, exp.Identifier)
            or column.args.get("db")
            or qualifier not in ("", self._alias)
        ):
            raise BadExpression(f"{self._of}: {column.sql('duckdb')[:80]} is no column of it")
        if name not in self._private.columns:
            raise BadExpression(f"{self._alias} has no column {column.name[:80]!r} that you may use")
        return name

    def _shown(self, output: exp.Expr) -> exp.Expr:
        """What the query shows, over groups; under the name that it had."""
        inner = output.unalias()
        name = output.alias or (inner.name if isinstance(inner, exp.Column) else inner.sql("duckdb"))
        return exp.alias_(self._outer(inner, {}), name, quoted=True)

    def _outer(self, expression: exp.Expr, outputs: Mapping[str, exp.Expr], first: bool = False) -> exp.Expr:
        """The same over groups: keys and figures become columns of the table that holds them. `outputs`: what
        else names of the query's own outputs mean, `first`: before columns of the table."""
        for place, key in enumerate(self._keys):
            if _same(expression, key):
                return exp.column(f"g{place}", quoted=True)
        if isinstance(expression, exp.Filter):
            return self._figure(expression.this, self._row(expression.expression.this), expression)
        if isinstance(expression, exp.AggFunc):
            return self._figure(expression, None, expression)
        if isinstance(expression, exp.Anonymous) and lower(expression.name) in AGGREGATE:
            raise BadExpression(f"{self._of}: {expression.name} is none of count, sum, avg, stddev, variance")
        if isinstance(expression, exp.Column):
            name = lower(expression.name)
            if not expression.table and name in outputs and (first or name not in self._private.columns):
                return self._outer(outputs[name], {})
            self._check_column(expression)
            raise BadExpression(f"{self._of}: group by {expression.name!r}, or ask for a figure of it")
        if isinstance(expression, exp.Star):
            raise BadExpression(f"{self._of}: * shows rows; name figures, such as count(*)")
        copied = expression.copy()
        for child in list(copied.iter_expressions()):
            changed = self._outer(child, outputs, first)
            if changed is not child:
                child.replace(changed)
        return copied

    def _figure(self, figure: exp.Expr, condition: exp.Expr | None, whole: exp.Expr) -> exp.Expr:
        """A column that holds it, or NULL where fewer than k persons are in it."""
        known = self._figures.get(whole)
        if known is not None:
            return exp.column(known, quoted=True)
        argument = self._argument(figure)
        holds = [] if condition is None else [_tried(condition.copy())]
        if argument is not None:
            holds.append(exp.not_(exp.Is(this=argument.copy(), expression=exp.Null())))
        name = f"f{len(self._figures)}"
        enough = exp.GTE(
            this=self._count(exp.and_(*holds) if holds else None),
            expression=exp.Literal.number(self._private.k),
        )
        value: exp.Expr = figure.copy()
        if condition is not None:
            value = exp.Filter(this=value, expression=exp.Where(this=_tried(condition.copy())))
        self._figures[whole.copy()] = name
        self._values.append(exp.alias_(exp.Case().when(enough, value), name, quoted=True))
        return exp.column(name, quoted=True)

    def _argument(self, figure: exp.Expr) -> exp.Column | None:
        """The bare column that a figure is of; None: of rows. Raises BadExpression."""
        text = figure.sql("duckdb")[:80]
        if type(figure) not in (*_PLAIN, *_OF_ONE):
            raise BadExpression(f"{self._of}: {text} is none of count, sum, avg, stddev and variance")
        inner = figure.this
        if isinstance(inner, exp.Distinct) and isinstance(figure, exp.Count) and len(inner.expressions) == 1:
            inner = inner.expressions[0]
        rest = [part for part, value in figure.args.items() if value and part not in ("this", "big_int")]
        if isinstance(figure, exp.Count) and not rest and (inner is None or isinstance(inner, exp.Star)):
            return None
        if rest or not isinstance(inner, exp.Column):
            raise BadExpression(
                f"{self._of}: {text} is of more than one bare column; compute with the figures instead"
            )
        name = self._check_column(inner)
        if isinstance(figure, _OF_ONE) and name not in self._private.impersonal:
            raise BadExpression(f"{self._of}: {text} would show one person's {inner.name}")
        return inner

    def _count(self, condition: exp.Expr | None) -> exp.Expr:
        """Persons of whom the condition holds."""
        of: exp.Expr = exp.Star()
        if self._private.person is not None:
            of = exp.Distinct(expressions=[exp.column(self._private.person, quoted=True)])
        count = exp.Count(this=of)
        return count if condition is None else exp.Filter(this=count, expression=exp.Where(this=condition))

    def _groups(self, condition: exp.Expr | None) -> exp.Select:
        keys = [
            exp.alias_(_attempted(key.copy()), f"g{place}", quoted=True)
            for place, key in enumerate(self._keys)
        ]
        counted = exp.alias_(self._count(None), self._persons, quoted=True)
        one = []
        if self._private.person is not None:
            least = exp.Min(this=exp.column(self._private.person, quoted=True))
            one = [exp.alias_(least, f"{self._persons}_one", quoted=True)]
        read = exp.Table(
            this=exp.to_identifier(self._private.read, quoted=True),
            alias=exp.TableAlias(this=exp.to_identifier(self._alias, quoted=True)),
        )
        groups = exp.select(*keys, *self._values, counted, *one).from_(read)
        if condition is not None:
            groups = groups.where(_tried(condition.copy()))
        if keys:
            groups = groups.group_by(*(exp.Literal.number(place + 1) for place in range(len(keys))))
        return groups

    def _order(self, order: exp.Order) -> None:
        """In ORDER BY a name is an output first; positions and ALL stay as they are."""
        for each in order.expressions:
            inner = each.this if isinstance(each, exp.Ordered) else each
            if isinstance(inner, exp.Literal) or (
                isinstance(inner, exp.Column) and inner.name.upper() == "ALL"
            ):
                continue
            inner.replace(self._outer(inner, self._outputs, first=True))


def _same(one: exp.Expr, other: exp.Expr) -> bool:
    """Column names compare as DuckDB has them, qualified or not."""
    return _plain(one) == _plain(other)


def _plain(expression: exp.Expr) -> exp.Expr:
    copied = expression.copy()
    for column in [copied] if isinstance(copied, exp.Column) else copied.find_all(exp.Column):
        column.set("table", None)
        if isinstance(column.this, exp.Identifier):
            column.set("this", exp.to_identifier(lower(column.name), quoted=True))
    return copied


def _attempted(expression: exp.Expr) -> exp.Expr:
    """NULL where it fails: whether a row makes it fail must not be told."""
    return expression if isinstance(expression, exp.Column) else exp.Try(this=expression)


def _tried(condition: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=exp.Try(this=condition), expressions=[exp.false()])
