"""The text of a query as a tree. From here on only the tree counts: what runs is written anew from it."""

from __future__ import annotations

from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.parser import binary_range_parser
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import TokenType

from baygrid.ports.reader import BadExpression

LONGEST: Final = 100_000
DEEPEST: Final = 120
"""Levels of the tree: as deep as no person writes, and far from where a parser's stack ends."""


_KNOWN: Final = frozenset({
    "AVG", "COLUMNS", "COUNT", "MAX", "MEDIAN", "MIN", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "SUM",
    "VARIANCE", "VAR_POP", "VAR_SAMP",
})  # fmt: skip
"""Functions whose meaning counts here."""
_WORDED: Final = frozenset({"CAST", "EXTRACT", "OVERLAY", "POSITION", "SUBSTRING", "TRIM", "TRY_CAST"})
"""Functions with words between their arguments."""


class Spoken(DuckDB):
    """DuckDB's SQL as it is written. sqlglot makes functions of many engines into its own, and those into
    DuckDB's again, which may be another one by then; here a call stays the call that it was. And `~` means
    all of a text, not a part of it."""

    class Parser(DuckDBParser):
        FUNCTIONS = {  # noqa: RUF012 - as sqlglot has it
            name: build for name, build in DuckDBParser.FUNCTIONS.items() if name in _KNOWN
        }
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parse for name, parse in DuckDBParser.FUNCTION_PARSERS.items() if name in _WORDED
        }
        RANGE_PARSERS = {  # noqa: RUF012 - as sqlglot has it
            **DuckDBParser.RANGE_PARSERS,
            TokenType.TILDE: binary_range_parser(exp.RegexpFullMatch),
        }


_STATEMENTS: Final = (exp.Select, exp.SetOperation, exp.Subquery)
_REFUSED: Final[dict[type[exp.Expr], str]] = {
    exp.DDL: "a statement that makes something",
    exp.DML: "a statement that changes something",
    exp.Command: "a command",
    exp.Pivot: "PIVOT or UNPIVOT (write GROUP BY with FILTER)",
    exp.Describe: "DESCRIBE",
    exp.Summarize: "SUMMARIZE",
    exp.Into: "INTO",
    exp.Lock: "FOR UPDATE",
    exp.Hint: "a hint",
    exp.Parameter: "a parameter",
    exp.Placeholder: "a parameter",
    exp.SessionParameter: "a setting",
    exp.Version: "another version of a table",
    exp.HistoricalData: "another version of a table",
    exp.MatchRecognize: "MATCH_RECOGNIZE",
    exp.TableSample: "a sample (it would differ from one time to the next)",
    exp.TableFromRows: "a table of rows by name",
    exp.Use: "USE",
}


def parse(text: str) -> exp.Query:
    """One SELECT. Raises BadExpression, which names the place or the part."""
    if len(text) > LONGEST:
        raise BadExpression(f"a query has at most {LONGEST} characters, not {len(text)}")
    if "\0" in text or not _is_unicode(text):
        raise BadExpression("a query is Unicode text without the character 0")
    try:
        statements = sqlglot.parse(text, dialect=Spoken)
    except SqlglotError as error:
        raise BadExpression(f"the query cannot be read{_place(error)}") from None
    except (RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise BadExpression("the query cannot be read: is it nested too deeply?") from None
    found = [it for it in statements if it is not None and not isinstance(it, exp.Semicolon)]
    if len(found) != 1:
        raise BadExpression(f"one query at a time, not {len(found)} statements")
    tree = found[0]
    for kind, name in _REFUSED.items():
        if isinstance(tree, kind):
            raise BadExpression(f"only SELECT is allowed, not {name}")
    if not isinstance(tree, _STATEMENTS):
        raise BadExpression("only SELECT is allowed (or WITH, FROM, UNION, ... that make one)")
    _check(tree)
    return tree


def write(tree: exp.Expr) -> str:
    """As DuckDB reads it, every name in quotes, no comment. Raises BadExpression for what DuckDB has not."""
    try:
        return tree.sql(dialect=Spoken, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise BadExpression(f"DuckDB has no such thing: {str(error).splitlines()[0]}") from None
    except (RecursionError, ValueError, TypeError, AttributeError):
        raise BadExpression("the query cannot be written for DuckDB: write it in simpler terms") from None


def _check(tree: exp.Expr) -> None:
    """Parts that no query has here, wherever they are."""
    for node, depth in _with_depth(tree):
        if depth > DEEPEST:
            raise BadExpression(f"the query is nested more than {DEEPEST} deep")
        for kind, name in _REFUSED.items():
            if isinstance(node, kind):
                raise BadExpression(f"{name} is not allowed")
        if isinstance(node, exp.Var) and not node.name.replace("_", "a").isalnum():
            raise BadExpression(f"{node.name[:40]!r} is not allowed here")


def _with_depth(tree: exp.Expr) -> list[tuple[exp.Expr, int]]:
    found, waiting = [], [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        found.append((node, depth))
        waiting += [(child, depth + 1) for child in node.iter_expressions()]
    return found


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _place(error: SqlglotError) -> str:
    errors = getattr(error, "errors", None)
    if not errors:
        return ": is a quote or a bracket left open?"
    first = errors[0]
    near = str(first.get("highlight") or "").strip()[:40]
    return f" at line {first.get('line')}, column {first.get('col')}" + (f" ({near})" if near else "")
