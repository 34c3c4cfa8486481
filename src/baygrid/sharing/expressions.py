"""Conditions and masks as their owners write them: read by a list of what is allowed, written anew.

What runs is never the text that came but what sqlglot read of it, written out again; and DuckDB's own parser
must read both as the same, else it is refused: a filter that two parsers understand differently shows other
rows than its owner meant. Everything that is allowed is a function of the one row alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from baygrid.ports.reader import BadExpression, Column
from baygrid.sharing.reading import same
from baygrid.sharing.types import quoted

MAX_LENGTH: Final = 4_000
"""Characters of one expression."""
MAX_NODES: Final = 1_000
MAX_NESTED: Final = 8
"""Brackets within brackets: the time that sqlglot takes for some calls doubles with each, and this is read in
the server itself."""

_SYNTAX: Final[tuple[type[exp.Expr], ...]] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.DataType,
    exp.DataTypeParam, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is,
    exp.Between, exp.In, exp.Like, exp.ILike, exp.Escape, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub,
    exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.DPipe, exp.Case, exp.If, exp.Cast, exp.TryCast,
    exp.Interval, exp.Var, exp.Bracket,
)  # fmt: skip
_FUNCTIONS: Final[Mapping[type[exp.Expr], str]] = {
    exp.Abs: "abs", exp.Ceil: "ceil", exp.Floor: "floor", exp.Round: "round", exp.Sqrt: "sqrt", exp.Ln: "ln",
    exp.Pow: "pow", exp.Greatest: "greatest", exp.Least: "least", exp.Coalesce: "coalesce",
    exp.Nullif: "nullif", exp.IsNan: "isnan", exp.Upper: "upper", exp.Lower: "lower", exp.Length: "length",
    exp.Left: "left", exp.Right: "right", exp.Substring: "substring", exp.Trim: "trim",
    exp.Replace: "replace", exp.Reverse: "reverse", exp.Concat: "concat", exp.ConcatWs: "concat_ws",
    exp.SplitPart: "split_part", exp.StrPosition: "strpos", exp.StartsWith: "starts_with",
    exp.EndsWith: "ends_with", exp.Contains: "contains", exp.RegexpLike: "regexp_matches",
    exp.RegexpReplace: "regexp_replace", exp.RegexpExtract: "regexp_extract", exp.MD5: "md5",
    exp.SHA2: "sha256", exp.Extract: "extract", exp.Year: "year", exp.Month: "month", exp.Day: "day",
    exp.Quarter: "quarter", exp.Week: "week", exp.DayOfWeek: "dayofweek", exp.LastDay: "last_day",
    exp.TimestampTrunc: "date_trunc", exp.DateTrunc: "date_trunc", exp.DateDiff: "date_diff",
    exp.Hour: "hour", exp.Minute: "minute", exp.Second: "second", exp.TimeToStr: "strftime",
    exp.ArrayContains: "list_contains", exp.StructExtract: "struct_extract",
}  # fmt: skip
"""By the class that sqlglot makes of a call: how it is called. Nothing that a clock, chance, a file, a
setting or another row answers, and nothing that makes long values of short ones (repeat, lpad)."""
_OTHERS: Final = frozenset({"date_part"})
"""Functions that sqlglot has no class for."""
FUNCTIONS: Final = tuple(sorted({*_FUNCTIONS.values(), *_OTHERS}))


def read(text: str, columns: Iterable[Column], what: str) -> exp.Expr:
    """The expression, its columns by their very names, quoted. `what`: "the filter", for messages. Raises
    BadExpression."""
    if len(text) > MAX_LENGTH:
        raise BadExpression(f"{what} is longer than {MAX_LENGTH} characters")
    if _nested(text) > MAX_NESTED:
        raise BadExpression(f"{what} has brackets more than {MAX_NESTED} deep")
    tree = _parse(text, what)
    _check(tree, {each.name.lower(): each.name for each in columns}, what)
    if not same(text, written(tree)):
        raise BadExpression(f"{what} can be read in two ways: did you mean {written(tree)}?")
    return tree


def written(tree: exp.Expr) -> str:
    """As SQL for DuckDB. Comments are left out."""
    return tree.sql(dialect="duckdb", comments=False)


def names(tree: exp.Expr) -> frozenset[str]:
    """Which columns a checked expression reads."""
    return frozenset(column.name for column in tree.find_all(exp.Column))


def _nested(text: str) -> int:
    """Brackets within brackets, at most; those inside texts count, too."""
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _parse(text: str, what: str) -> exp.Expr:
    try:
        found = sqlglot.parse(text, dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise BadExpression(f"{what} is no SQL expression: {_first_line(error)}") from None
    if len(found) != 1 or found[0] is None:
        raise BadExpression(f"{what} must be one SQL expression")
    tree = found[0]
    for count, _ in enumerate(tree.walk(), 1):
        if count > MAX_NODES:
            raise BadExpression(f"{what} has more than {MAX_NODES} parts")
    return tree


def _first_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).partition("\n")[0][:200]


def _check(tree: exp.Expr, known: Mapping[str, str], what: str) -> None:
    for node in tree.walk():
        if isinstance(node, exp.Column):
            _resolve(node, known, what)
        elif isinstance(node, exp.Anonymous):
            if str(node.this).lower() not in _OTHERS:
                raise BadExpression(f"{what} may not call {str(node.this)[:60]}: {_allowed()}")
        elif type(node) in _FUNCTIONS:
            continue
        elif type(node) not in _SYNTAX:
            raise BadExpression(f"{what} may not have {_shown(node)}: {_allowed()}")
        elif isinstance(node, exp.In) and any(node.args.get(part) for part in ("query", "unnest", "field")):
            raise BadExpression(f"{what} may not have {_shown(node)}: write the values, as in x IN (1, 2)")
        elif isinstance(node, exp.DataType) and _is_odd(node):
            raise BadExpression(f"{what} may not make a value of type {_shown(node)}")


def _resolve(node: exp.Column, known: Mapping[str, str], what: str) -> None:
    """To the table's own column, quoted, so that no keyword or other name can be meant."""
    identifier = node.this
    if len(node.parts) != 1 or not isinstance(identifier, exp.Identifier):
        raise BadExpression(
            f"{what} names {_shown(node)}: write a column's name alone (a field of it by struct_extract)"
        )
    name = known.get(identifier.name.lower())
    if name is None:
        raise BadExpression(f"{what} names {quoted(identifier.name[:60])}, which the table does not have")
    identifier.set("this", name)
    identifier.set("quoted", True)


_TYPES: Final = frozenset({
    "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "TEXT", "VARCHAR",
    "CHAR", "DATE", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ", "VARBINARY", "INTERVAL",
})  # fmt: skip


def _is_odd(node: exp.DataType) -> bool:
    kind = node.this
    return not isinstance(kind, exp.DataType.Type) or kind.name not in _TYPES


def _allowed() -> str:
    return f"only operators, CASE, CAST and these functions of the row: {', '.join(FUNCTIONS)}"


def _shown(node: exp.Expr) -> str:
    try:
        text = written(node)
    except (SqlglotError, RecursionError, ValueError):
        return type(node).__name__.upper()
    return text if 0 < len(text) <= 60 else type(node).__name__.upper()
