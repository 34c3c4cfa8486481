"""Queries at random over the hospital's tables, as people and programs write them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

_PATIENTS = {"id": "int", "name": "text", "region": "text", "age": "int", "note": "text"}
_VISITS = {"patient": "int", "cost": "int", "ward": "text"}
_NAMES = {
    "patients": ["patients", "PATIENTS", '"patients"', '"Patients"', "clinic.patients",
                 "hospital.clinic.patients", '"hospital"."CLINIC"."patients"'],
    "visits": ["visits", "Visits", '"visits"', 'clinic."VISITS"', "hospital.clinic.visits"],
}  # fmt: skip
_TEXTS = ["'SZ'", "''", "'it''s'", "'SECRET-HK'", "NULL", "'a;b--c'", "'\"'", "'7'"]
_NUMBERS = ["0", "1", "3", "-1", "41", "900000008", "NULL"]


@dataclass
class Relation:
    """`sql`: what stands after FROM; `columns`: how each is written, and its type."""

    sql: str
    columns: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[str]:
        return [name for name, each in self.columns.items() if each == kind]


@st.composite
def queries(draw: st.DrawFn) -> str:
    return _Writer(draw).query(draw(st.integers(1, 3)))[0]


class _Writer:
    """`common`: names of common table expressions that are in sight, with their columns."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw, self._names = draw, 0

    def _one(self, *of: str) -> str:
        return self._draw(st.sampled_from(of))

    def _chance(self, of: int = 3) -> bool:
        return self._draw(st.integers(1, of)) == 1

    def _alias(self) -> str:
        self._names += 1
        return self._one("r", "Q", "patients", "visits")[: 1 if self._chance(2) else None] + str(self._names)

    def query(self, depth: int) -> tuple[str, dict[str, str]]:
        """Its text, and what columns it has."""
        kind = self._one("select", "select", "grouped", "union", "with", "window") if depth else "select"
        if kind == "union":
            return self._union(depth)
        if kind == "with":
            return self._with(depth)
        relation = self._relation(depth)
        if kind == "grouped":
            return self._grouped(relation, depth)
        if kind == "window":
            return self._window(relation)
        return self._select(relation, depth)

    def _select(self, relation: Relation, depth: int) -> tuple[str, dict[str, str]]:
        outputs = self._outputs(relation)
        text = ", ".join(f"{sql} AS {name}" for name, (sql, _) in outputs.items())
        distinct = "DISTINCT " if self._chance(5) else ""
        where = self._where(relation, depth)
        kinds = {name: kind for name, (_, kind) in outputs.items()}
        if not distinct and self._chance(6):
            return f"FROM {relation.sql} SELECT {text}{where}", kinds
        return f"{self._one('SELECT', 'select')} {distinct}{text} FROM {relation.sql}{where}", kinds

    def _outputs(self, relation: Relation) -> dict[str, tuple[str, str]]:
        found = {}
        for place in range(self._draw(st.integers(1, 3))):
            kind = self._one("int", "text", "bool")
            name = self._one(f"c{place}", f'"C {place}"')
            found[name] = (self._expression(relation, kind, 2), kind)
        return found

    def _union(self, depth: int) -> tuple[str, dict[str, str]]:
        word = self._one("UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL")
        parts = []
        for _ in range(2):
            relation = self._relation(depth - 1)
            parts.append(f"SELECT {self._expression(relation, 'int', 1)} AS n FROM {relation.sql}")
        if self._chance():
            parts = [f"({part})" for part in parts]
        return f" {word} ".join(parts), {"n": "int"}

    def _with(self, depth: int) -> tuple[str, dict[str, str]]:
        """Often under the name of a table that is there."""
        inner, columns = self.query(depth - 1)
        name = self._one("patients", "visits", '"Patients"', "x")
        how = self._one("", "", "MATERIALIZED ", "NOT MATERIALIZED ")
        alias = self._alias()
        relation = Relation(
            f"{name} AS {alias}", {f"{alias}.{column}": kind for column, kind in columns.items()}
        )
        if self._chance():
            other = self._table("clinic.patients")
            relation = Relation(f"{relation.sql} CROSS JOIN {other.sql}", relation.columns | other.columns)
        text, outputs = self._select(relation, depth - 1)
        return f"WITH {name} AS {how}({inner}) {text}", outputs

    def _grouped(self, relation: Relation, depth: int) -> tuple[str, dict[str, str]]:
        key = self._expression(relation, "text", 1)
        of = self._expression(relation, "int", 1)
        figure = self._one(
            f"count({of})",
            "count(*)",
            f"max({of})",
            f"count(DISTINCT {of})",
            f"min({of})",
            f"bool_or({of} > 3)",
        )
        condition = self._expression(relation, "bool", 1)
        keep = f" FILTER (WHERE {condition})" if self._chance() else ""
        having = " HAVING count(*) > 1" if self._chance() else ""
        by = self._one("1", "ALL", key)
        tail = f"{self._where(relation, depth)} GROUP BY {by}{having}"
        return (
            f"SELECT {key} AS k, CAST({figure}{keep} AS VARCHAR) AS n FROM {relation.sql}{tail}",
            {"k": "text", "n": "text"},
        )

    def _window(self, relation: Relation) -> tuple[str, dict[str, str]]:
        """Its order leaves nothing open: it is by all that it shows."""
        of, key = self._expression(relation, "int", 1), self._expression(relation, "text", 1)
        function = self._one(f"max({of})", "count(*)", f"min({of})", f"count({of})")
        over = f"(PARTITION BY {key})" if self._chance(2) else f"(ORDER BY {of}, {key})"
        return f"SELECT {of} AS n, {function} OVER {over} AS w FROM {relation.sql}", {"n": "int", "w": "int"}

    def _where(self, relation: Relation, depth: int) -> str:
        if self._chance():
            return ""
        condition = self._expression(relation, "bool", 2)
        if depth and self._chance(2):
            condition = f"{condition} {self._one('AND', 'OR')} {self._nested(relation)}"
        return f" WHERE {condition}"

    def _nested(self, relation: Relation) -> str:
        inner = self._table()
        left, right = self._expression(relation, "int", 0), self._expression(inner, "int", 0)
        kind = self._one("exists", "in", "not in", "scalar", "any")
        if kind == "exists":
            return f"EXISTS (SELECT 1 FROM {inner.sql} WHERE {right} = {left})"
        if kind == "scalar":
            return f"{left} >= (SELECT max({right}) FROM {inner.sql})"
        if kind == "any":
            return f"{left} = ANY (SELECT {right} FROM {inner.sql})"
        return f"{left} {kind.upper()} (SELECT {right} FROM {inner.sql})"

    def _relation(self, depth: int) -> Relation:
        kind = self._one("table", "join", "derived", "lateral") if depth else "table"
        if kind == "table":
            return self._table()
        if kind == "derived":
            text, columns = self.query(depth - 1)
            alias = self._alias()
            return Relation(
                f"({text}) AS {alias}", {f"{alias}.{name}": each for name, each in columns.items()}
            )
        left, right = self._relation(depth - 1), self._table()
        columns = left.columns | right.columns
        if kind == "lateral":
            alias = self._alias()
            of, to = self._expression(left, "int", 0), self._expression(right, "int", 0)
            inner = f"SELECT max({to}) AS m FROM {right.sql} WHERE {to} >= {of}"
            return Relation(
                f"{left.sql}, LATERAL ({inner}) AS {alias}", {**left.columns, f"{alias}.m": "int"}
            )
        join = self._one("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "LEFT OUTER JOIN", ",")
        on = f" ON {self._expression(left, 'int', 0)} = {self._expression(right, 'int', 0)}"
        if join in ("CROSS JOIN", ","):
            on = ""
        elif join in ("JOIN", "LEFT JOIN") and self._chance():
            on += f" AND {self._expression(right, 'bool', 1)}"
        return Relation(f"{left.sql} {join} {right.sql}{on}", columns)

    def _table(self, name: str | None = None) -> Relation:
        which = "patients" if name else self._one("patients", "visits")
        columns = _PATIENTS if which == "patients" else _VISITS
        alias = self._alias()
        write = self._one("{}.{}", '"{}".{}', "{}.{}")
        return Relation(
            f"{name or self._one(*_NAMES[which])} AS {alias}",
            {
                write.format(alias, self._one(each, each.upper(), f'"{each}"')): kind
                for each, kind in columns.items()
            },
        )

    def _expression(self, relation: Relation, kind: str, depth: int) -> str:
        if not depth:
            return self._leaf(relation, kind)
        if kind == "bool":
            return self._condition(relation, depth)
        inner = self._expression(relation, kind, depth - 1)
        other = self._expression(relation, kind, depth - 1)
        if kind == "int":
            text = self._expression(relation, "text", depth - 1)
            return self._one(
                inner, f"{inner} + {other}", f"{inner} * {other}", f"abs({inner})",
                f"coalesce({inner}, {other})",
                f"-{inner}", f"CASE WHEN {inner} > {other} THEN {inner} ELSE {other} END", f"length({text})",
                f"TRY_CAST({text} AS INT)", f"{inner}::BIGINT", f"nullif({inner}, {other})", f"({inner}) % 7",
                f"CAST({text} AS INTEGER)", f"greatest({inner}, {other})", f"CAST({inner} AS TINYINT)",
            )  # fmt: skip
        number = self._expression(relation, "int", depth - 1)
        return self._one(
            inner, f"upper({inner})", f"{inner} || {other}", f"substr({inner}, 1, 2)",
            f"CAST({number} AS VARCHAR)",
            f"replace({inner}, 'S', {other})", f"{inner}[1:2]", f"coalesce({inner}, {other})",
            f"concat({inner}, {number})",
            f"regexp_extract({inner}, '[a-z]+')", f"left({inner}, 1)", f"strip_accents({inner})",
        )  # fmt: skip

    def _condition(self, relation: Relation, depth: int) -> str:
        number, other = (self._expression(relation, "int", depth - 1) for _ in range(2))
        text, more = (self._expression(relation, "text", depth - 1) for _ in range(2))
        return self._one(
            f"{number} < {other}", f"{number} = {other}", f"{text} = {more}", f"{text} LIKE 'S%'",
            f"{number} IS NULL",
            f"{text} IS NOT NULL", f"{number} IN (1, 3, {other})", f"{text} NOT IN ('SZ', {more})",
            f"{number} BETWEEN 1 AND {other}", f"NOT ({number} > {other})", f"{text} IS DISTINCT FROM {more}",
            f"({text} ILIKE 'sz' OR {number} <> {other})", f"{text} SIMILAR TO '[0-9]+'", f"{number} % 2 = 1",
            f"{text} ~ 'S.*'", "true", f"{number} // 2 > 1",
        )  # fmt: skip

    def _leaf(self, relation: Relation, kind: str) -> str:
        columns = relation.of(kind)
        if columns and not self._chance(5):
            return self._one(*columns)
        if kind == "bool":
            return self._one("true", "false", "NULL::BOOLEAN")
        return self._one(*(_NUMBERS if kind == "int" else _TEXTS))
