"""Tables that are shared for figures only."""

from __future__ import annotations

import pytest

from baygrid.ports.reader import BadExpression, ReadFailed
from tests.sharing.sql.governed import ask

# Of the seven who are shown: 3 in SZ, 2 in GZ, one in "sz", one nowhere.


def test_groups_of_at_least_k_persons_are_shown_and_others_withheld() -> None:
    answer = ask("SELECT region, count(*) AS n FROM patients GROUP BY region", k=2)
    assert answer.columns == ["region", "n"]
    assert answer.sorted() == [("GZ", 2), ("SZ", 3)]
    assert answer.withheld == [(2, 2)]


def test_of_withheld_groups_nothing_is_told_where_fewer_than_k_persons_are_behind_them() -> None:
    sql = "SELECT region, count(*) FROM patients WHERE {} GROUP BY region"
    somebody = ask(sql.format("id = 5"), k=2)
    nobody = ask(sql.format("id = 99"), k=2)
    assert somebody.rows == nobody.rows == []
    assert [told for _, told in somebody.withheld] == [told for _, told in nobody.withheld] == [None]
    assert [exact for exact, _ in somebody.withheld] == [1]


def test_one_person_in_many_rows_is_one() -> None:
    """Patient 3 has three visits, patient 1 two."""
    by_person = ask("SELECT patient, count(*) AS n FROM visits GROUP BY patient", k=2)
    assert by_person.rows == []
    assert by_person.withheld == [(4, 4)]
    by_ward = ask("SELECT ward, count(*) AS n, sum(cost) AS s FROM visits GROUP BY ward", k=2)
    assert by_ward.rows == [("a", 3, 15)]  # b: patient 1, and one without a patient


def test_rows_are_counted_where_nothing_tells_persons_apart() -> None:
    assert ask("SELECT patient, count(*) FROM visits GROUP BY 1", k=3, subject=None).rows == [(3, 3)]


def test_every_figure_is_of_k_persons_by_itself() -> None:
    """In SZ all have an age, in GZ one of two has none."""
    answer = ask(
        "SELECT region, avg(age) AS a, count(age) AS c, count(*) AS n FROM patients GROUP BY ALL", k=2
    )
    assert answer.sorted() == [("GZ", None, None, 2), ("SZ", pytest.approx(112 / 3), 3, 3)]


def test_a_figure_with_a_filter_is_of_k_persons_that_pass_it() -> None:
    sql = "SELECT count(*) FILTER (WHERE id = 1) AS one, count(*) FILTER (WHERE id < 3) AS two FROM patients"
    assert ask(sql, k=2).rows == [(None, 2)]


def test_a_figure_of_all_is_of_k_persons_or_there_is_none() -> None:
    assert ask("SELECT count(*) FROM patients", k=7).rows == [(7,)]
    assert ask("SELECT count(*) FROM patients", k=8).rows == []
    assert ask("SELECT count(*) FROM patients WHERE name = 'person 1'", k=2).rows == []


SHAPES = [
    ("SELECT region FROM patients GROUP BY region ORDER BY region", [("GZ",), ("SZ",)]),
    ("SELECT upper(region) AS r, count(*) FROM patients GROUP BY 1", [("GZ", 2), ("SZ", 4)]),
    ("SELECT upper(region) AS r, count(*) FROM patients GROUP BY r", [("GZ", 2), ("SZ", 4)]),
    ("SELECT upper(region) || '!' AS r FROM patients GROUP BY upper(region)", [("GZ!",), ("SZ!",)]),
    ("SELECT P.region, count(*) FROM clinic.Patients AS p GROUP BY \"P\".Region", [("GZ", 2), ("SZ", 3)]),
    ("SELECT clinic.patients.region, count(*) FROM clinic.patients GROUP BY 1", [("GZ", 2), ("SZ", 3)]),
    ("SELECT region, count(*) AS n FROM patients GROUP BY ALL HAVING n > 2", [("SZ", 3)]),
    ("SELECT region, count(*) AS n FROM patients GROUP BY ALL HAVING count(*) > 2", [("SZ", 3)]),
    ("SELECT region, sum(id) * 6 / count(*) AS m FROM patients GROUP BY ALL", [("GZ", 27), ("SZ", 20)]),
    ("SELECT DISTINCT count(*) > 1 AS many FROM patients GROUP BY region", [(True,)]),
    ("SELECT age > 35 AS o, count(DISTINCT region) FROM patients GROUP BY o", [(False, 2), (True, 2)]),
    ("SELECT count(*) AS n FROM patients WHERE region IN ('SZ', 'GZ') AND age IS NOT NULL", [(4,)]),
    ("FROM patients SELECT count(*)", [(7,)]),
    ("WITH c AS (SELECT region, count(*) AS n FROM patients GROUP BY 1) SELECT sum(n) FROM c", [(5,)]),
    ("SELECT a.n + b.n FROM (SELECT count(*) n FROM patients) a, (SELECT 7 AS n) b", [(14,)]),
    ("SELECT count(*) FROM patients UNION ALL SELECT count(id) FROM patients", [(7,), (7,)]),
    ("WITH c AS (SELECT count(*) n FROM patients GROUP BY age) SELECT sum(n) OVER () FROM c", [(4,), (4,)]),
    ("SELECT (SELECT count(*) FROM patients) AS n", [(7,)]),
    ("SELECT 1 WHERE EXISTS (SELECT count(*) FROM patients WHERE id = 1)", []),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), SHAPES, ids=[sql[:60] for sql, _ in SHAPES])
def test_shapes_of_questions(sql: str, rows: list[tuple[object, ...]]) -> None:
    assert ask(sql, k=2).sorted() == rows


def test_order_and_limit_are_of_what_is_shown() -> None:
    sql = "SELECT region r, count(*) n FROM patients GROUP BY region ORDER BY n DESC, lower(region) LIMIT 1"
    assert ask(sql, k=2).rows == [("SZ", 3)]
    assert ask("SELECT region, count(*) FROM patients GROUP BY 1 ORDER BY 2", k=2).rows == [
        ("GZ", 2),
        ("SZ", 3),
    ]
    assert ask("SELECT region FROM patients GROUP BY 1 ORDER BY count(*) DESC", k=2).rows == [
        ("SZ",),
        ("GZ",),
    ]


def test_least_and_greatest_are_only_of_what_says_nothing_of_a_person() -> None:
    sql = "SELECT max(age) FROM patients"
    assert ask(sql, k=2, impersonal=frozenset({"age"})).rows == [(77,)]
    with pytest.raises(BadExpression, match="one person's age"):
        ask(sql, k=2)


REFUSED = [
    "SELECT * FROM patients",
    "SELECT id FROM patients",
    "SELECT region FROM patients",
    "SELECT DISTINCT region FROM patients",
    "SELECT p FROM patients p",
    "SELECT count(*), id FROM patients",
    "SELECT region, id FROM patients GROUP BY region",
    "SELECT count(*), * FROM patients GROUP BY ALL",
    "SELECT COLUMNS(*) FROM patients",
    "SELECT count(COLUMNS(*)) FROM patients",
    "SELECT count(bill) FROM patients",
    "SELECT count(*) FROM patients WHERE bill > 0",
    "SELECT count(*) FROM patients GROUP BY bill",
    # figures that show one person
    "SELECT max(name) FROM patients",
    "SELECT min(age) FROM patients",
    "SELECT any_value(name) FROM patients",
    "SELECT first(name) FROM patients",
    "SELECT last(name ORDER BY id) FROM patients",
    "SELECT list(name) FROM patients",
    "SELECT array_agg(name) FROM patients",
    "SELECT string_agg(name, ',') FROM patients",
    "SELECT group_concat(name) FROM patients",
    "SELECT arg_max(name, id) FROM patients",
    "SELECT max_by(name, id) FROM patients",
    "SELECT mode(name) FROM patients",
    "SELECT median(age) FROM patients",
    "SELECT quantile_cont(age, 0.5) FROM patients",
    "SELECT quantile_disc(age, 0.0) FROM patients",
    "SELECT approx_top_k(name, 3) FROM patients",
    "SELECT histogram(name) FROM patients",
    "SELECT bit_xor(id) FROM patients",
    "SELECT product(id) FROM patients",
    "SELECT bool_or(id = 1) FROM patients",
    "SELECT count_if(id = 1) FROM patients",
    "SELECT json_group_array(name) FROM patients",
    "SELECT regr_slope(age, id) FROM patients",
    "SELECT entropy(name) FROM patients",
    # one row carried through a sum
    "SELECT sum(CASE WHEN id = 1 THEN age ELSE 0 END) FROM patients",
    "SELECT sum(age * (id = 1)::INT) FROM patients",
    "SELECT sum(age * 1000 ** id) FROM patients",
    "SELECT sum(DISTINCT age) FROM patients",
    "SELECT count(CASE WHEN id = 1 THEN 1 END) FROM patients",
    "SELECT count(DISTINCT CASE WHEN id = 1 THEN 1 END) FROM patients",
    "SELECT count(DISTINCT (id, age)) FROM patients",
    "SELECT avg(nullif(age, 30)) FROM patients",
    "SELECT avg(age ORDER BY id) FROM patients",
    "SELECT sum(x) FROM (SELECT age * 1000 ** id AS x FROM patients)",
    "SELECT sum(p.age) FROM patients p JOIN (VALUES (1), (1), (1)) v(x) ON v.x = p.id",
    "SELECT sum(v.w) FROM patients p JOIN (VALUES (1, 1), (2, 10)) v(x, w) ON v.x = p.id",
    "SELECT count(*) FROM patients p, patients q",
    "SELECT count(*) FROM patients p CROSS JOIN range(1000)",
    "SELECT count(*) FROM patients, LATERAL (SELECT unnest(range(id)))",
    "SELECT count(*) FROM range(3) r(n) LEFT JOIN patients ON id = n",
    "SELECT count(*) FROM (patients JOIN visits ON id = patient)",
    "SELECT n FROM range(3) r(n) WHERE n IN (SELECT id FROM patients)",
    "SELECT n FROM range(9) r(n) WHERE EXISTS (SELECT 1 FROM patients WHERE id = n)",
    "SELECT n, (SELECT count(*) FROM patients WHERE id = n) FROM range(9) r(n)",
    "SELECT n, (SELECT count(*) FROM patients WHERE id <> r.n) FROM range(9) r(n)",
    "SELECT count(*) FROM patients WHERE id IN (SELECT patient FROM visits)",
    "SELECT count(*) FROM patients WHERE id = (SELECT 1)",
    "SELECT sum(count(*)) OVER () FROM patients GROUP BY region",
    "SELECT count(*) OVER () FROM patients",
    "SELECT region FROM patients GROUP BY region QUALIFY row_number() OVER () = 1",
    "SELECT region, count(*) FROM patients GROUP BY ROLLUP (region)",
    "SELECT region, count(*) FROM patients GROUP BY CUBE (region)",
    "SELECT region, count(*) FROM patients GROUP BY GROUPING SETS ((region), ())",
    "SELECT DISTINCT ON (region) region, count(*) FROM patients GROUP BY region",
    "SELECT a, count(*) FROM patients AS p(a) GROUP BY a",
    "SELECT count(*) FROM patients GROUP BY rowid",
    "SELECT count(*) FROM patients WHERE rowid = 1",
    "WITH x AS (SELECT 1) SELECT count(*) FROM patients",
    "SELECT id FROM patients UNION SELECT 1",
    "SELECT count(*) FROM (SELECT * FROM patients)",
    "SELECT count(*) FROM (FROM patients)",
    "WITH patients AS (SELECT * FROM patients) SELECT count(*) FROM patients",
    "SELECT count(*) FROM (patients)",
    # what is not of one row, or grows by what is in it
    "SELECT count(*) FROM patients GROUP BY repeat('x', id)",
    "SELECT count(*) FROM patients WHERE length(lpad('x', id::INT, 'y')) > 2",
    "SELECT count(*) FROM patients WHERE error(name)",
    "SELECT count(*) FROM patients WHERE getenv('HOME') > ''",
    "SELECT count(*) FROM patients WHERE random() > 0.5",
    "SELECT count(*) FROM patients WHERE count(*) > 1",
    "SELECT count(*) FROM patients GROUP BY unnest([id, id])",
    "SELECT p_0badc0de FROM patients",
    "SELECT count(DISTINCT p_0badc0de) FROM patients",
    "SELECT count(*) FROM patients WHERE n_0badc0de > 1",
]  # fmt: skip


@pytest.mark.parametrize("sql", REFUSED)
def test_what_could_show_a_row_is_refused(sql: str) -> None:
    with pytest.raises(BadExpression) as refused:
        ask(sql, k=2)
    assert "person " not in str(refused.value).replace("one person's", "")


@pytest.mark.parametrize(
    "condition",
    [
        "CAST(name AS INT) = 1",
        "name = 1",
        "id * 9223372036854775807 > 0",
        "CASE WHEN id = 1 THEN CAST('x' AS INT) ELSE 1 END = 1",
        "strptime(name, '%Y') IS NULL",
        "make_date(id::INT, 13, 1) IS NULL",
        "1 // (id - 1) > 0",
    ],
)
def test_whether_a_condition_fails_tells_nothing(condition: str) -> None:
    """One that fails is as one that is not true, in whatever row."""
    assert ask(f"SELECT count(*) FROM patients WHERE {condition} OR id > 0", k=2).columns
    ask(f"SELECT ({condition}) AS c, count(*) FROM patients GROUP BY c", k=2)
    ask(f"SELECT count(*) FILTER (WHERE {condition}) FROM patients", k=2)


def test_a_figure_that_fails_names_no_value() -> None:
    with pytest.raises((BadExpression, ReadFailed)) as refused:
        ask("SELECT sum(name) FROM patients", k=2)
    assert "person" not in str(refused.value)


def test_figures_of_fewer_than_two_persons_are_rows() -> None:
    with pytest.raises(BadExpression, match="fewer than 2"):
        ask("SELECT count(*) FROM patients", k=1)
