"""Queries by which somebody might get more than is shared."""

from __future__ import annotations

import pytest

from baygrid.ports.reader import BadExpression, ReadFailed
from tests.sharing.sql.governed import ask

IDS = [1, 2, 3, 4, 5, 6, 7]

SAME = [
    # the name, written in all ways
    "SELECT id FROM patients",
    "SELECT id FROM PATIENTS",
    'SELECT "id" FROM "patients"',
    'SELECT "ID" FROM "PaTients"',
    "SELECT id FROM clinic.patients",
    'SELECT id FROM "CLINIC"."Patients"',
    "SELECT id FROM hospital.clinic.patients",
    'SELECT hospital.clinic.patients.id FROM "Hospital".clinic."PATIENTS"',
    "SELECT clinic.patients.id FROM clinic.patients",
    "SELECT p.id FROM patients AS p",
    'SELECT "P".id FROM patients p',
    "FROM patients SELECT id",
    "SELECT id FROM (FROM patients)",
    "SELECT id FROM (TABLE patients)",
    "(SELECT id FROM patients)",
    "((SELECT id FROM ((SELECT * FROM patients))))",
    "SELECT id FROM (patients JOIN (VALUES (1)) v(x) ON true)",
    "SELECT id FROM patients;",
    "SELECT id FROM patients; -- and no more",
    "SELECT /* FROM */ id FROM /* -- */ patients -- ; SELECT 1",
    "SELECT id /*+ a hint? */ FROM patients",
    # common table expressions, shadowing and not
    "WITH patients AS (SELECT * FROM patients) SELECT id FROM patients",
    "WITH p AS (SELECT id FROM patients) SELECT id FROM p",
    "WITH P AS (SELECT id FROM patients) SELECT id FROM p",
    "WITH p AS MATERIALIZED (SELECT id FROM patients) SELECT id FROM p",
    "WITH p AS NOT MATERIALIZED (SELECT id FROM patients) SELECT id FROM p",
    "WITH patients AS (SELECT 99 AS id) SELECT id FROM clinic.patients",
    "WITH a AS (WITH patients AS (SELECT 99 AS id) SELECT id FROM patients) SELECT id FROM patients",
    "WITH a AS (SELECT id FROM patients), patients AS (SELECT 99 AS id) SELECT id FROM a",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < 7) SELECT n AS id FROM r",
    # other places where a table stands
    "SELECT id FROM patients p WHERE EXISTS (SELECT 1 FROM patients q WHERE q.id = p.id)",
    "SELECT id FROM patients WHERE id IN (SELECT id FROM patients)",
    "SELECT id FROM patients WHERE id = ANY (SELECT id FROM PATIENTS)",
    "SELECT id FROM patients WHERE id NOT IN (SELECT -1 FROM patients)",
    "SELECT (SELECT p.id) AS id FROM patients p",
    "SELECT unnest((SELECT list(id) FROM patients)) AS id",
    "SELECT id FROM patients UNION SELECT id FROM patients",
    "SELECT id FROM patients UNION ALL BY NAME SELECT id FROM patients WHERE false",
    "SELECT id FROM patients EXCEPT SELECT bill FROM (SELECT 900000000 AS bill)",
    "SELECT id FROM patients INTERSECT SELECT id FROM clinic.patients",
    "SELECT p.id FROM (VALUES (1)) v(x), LATERAL (SELECT id FROM patients) p",
    "SELECT p.id FROM (VALUES (1)) v(x) LEFT JOIN patients p ON true",
    "SELECT p.id FROM patients p LEFT JOIN visits v ON v.patient = p.id GROUP BY ALL",
    "SELECT p.id FROM patients p LEFT JOIN patients q ON q.id = p.id AND q.age > 100000",
    "SELECT p.id FROM visits v RIGHT JOIN patients p ON v.patient = -p.id",
    "SELECT p.id FROM patients p FULL JOIN patients q ON p.id = q.id",
    "SELECT id FROM patients SEMI JOIN patients q USING (id)",
    "SELECT id FROM patients ANTI JOIN visits v ON v.cost > 900000000",
    "SELECT p.id FROM patients p ASOF JOIN patients q ON p.id >= q.id",
    "SELECT p.id FROM patients p POSITIONAL JOIN patients q",
    "SELECT id FROM patients NATURAL JOIN (SELECT id FROM patients) q",
    "SELECT DISTINCT ON (id) id FROM patients",
    "SELECT id FROM patients QUALIFY row_number() OVER (PARTITION BY id) = 1",
    "SELECT first_value(id) OVER (ORDER BY id ROWS CURRENT ROW) AS id FROM patients",
    "SELECT id FROM patients ORDER BY (SELECT max(bill) FROM (SELECT 1 AS bill))",
    "SELECT p.p.id FROM (SELECT p FROM patients p) p",
    "SELECT x.id FROM (SELECT unnest(list(p)) AS x FROM patients p)",
    "SELECT COLUMNS('^id$') FROM patients",
    "SELECT * EXCLUDE (name, region, age, note) FROM patients",
    "SELECT #1 AS id FROM patients",
    "SELECT a AS id FROM patients AS p(a)",
]  # fmt: skip


@pytest.mark.parametrize("sql", SAME)
def test_however_it_is_written_only_rows_that_are_shown_come(sql: str) -> None:
    answer = ask(sql)
    assert [it.lower() for it in answer.columns] == ["id"]
    assert answer.sorted() == [(it,) for it in IDS]


NOTHING_HIDDEN = [
    "SELECT * FROM patients",
    "FROM patients",
    "SELECT p FROM patients p",
    "SELECT patients FROM patients",
    "SELECT COLUMNS(*) FROM patients",
    "SELECT COLUMNS(c -> c LIKE '%') FROM patients",
    "SELECT COLUMNS('bill|name|id') FROM patients",
    "SELECT * REPLACE (upper(name) AS name) FROM patients",
    "SELECT list(p) FROM patients p",
    "SELECT to_json(p) FROM patients p",
    "SELECT row_to_json(p) FROM patients p",
    "SELECT max(name), min(name), any_value(name), string_agg(name, ','), histogram(name) FROM patients",
    "SELECT max(id), max(age), approx_quantile(id, 1.0), arg_max(note, id) FROM patients",
    "SELECT max(day), count(day) FROM visits",
    "SELECT * FROM visits v FULL JOIN patients p ON v.patient = p.id",
    "SELECT * FROM patients NATURAL FULL JOIN (SELECT 900 AS id, * FROM visits) v",
    "SELECT * FROM patients p, visits v, patients q",
    "SELECT * FROM patients p LEFT JOIN LATERAL (SELECT * FROM visits v WHERE v.patient = p.id) w ON true",
    "SELECT lag(name) OVER (ORDER BY id), lead(note, 1) OVER (ORDER BY id DESC) FROM patients",
    "SELECT count(*) FILTER (WHERE region LIKE 'SECRET%') FROM patients HAVING count(*) < 8",
    "SELECT p.rowid, * FROM patients p JOIN visits v ON p.rowid = v.rowid WHERE p.rowid < 900",
    "SELECT region, grouping(region), count(*) FROM patients GROUP BY ROLLUP (region)",
    "SELECT * FROM (SELECT * FROM visits UNION ALL BY NAME SELECT * FROM patients)",
]


@pytest.mark.parametrize("sql", NOTHING_HIDDEN)
def test_nothing_that_is_hidden_comes_to_light(sql: str) -> None:
    shown = str(ask(sql).rows)
    assert "SECRET" not in shown
    assert "9000000" not in shown
    assert "2026" not in shown


HIDDEN_COLUMN = [
    "SELECT bill FROM patients",
    'SELECT "bill" FROM patients',
    "SELECT p.bill FROM patients p",
    "SELECT hospital.clinic.patients.bill FROM hospital.clinic.patients",
    "SELECT id FROM patients WHERE bill > 0",
    "SELECT id FROM patients ORDER BY bill",
    "SELECT id FROM patients GROUP BY id, bill",
    "SELECT id FROM patients HAVING max(bill) > 0",
    "SELECT id FROM patients WHERE EXISTS (SELECT 1 FROM (SELECT 1) x WHERE patients.bill > 0)",
    "SELECT p.p.bill FROM (SELECT p FROM patients p) p",
    "SELECT id FROM patients JOIN (SELECT 900000000 AS bill) b USING (bill)",
    "SELECT * EXCLUDE (bill) FROM patients",
    "SELECT #6 FROM patients",
    "SELECT x FROM patients AS p(a, b, c, d, e, x)",
    "SELECT COLUMNS('bill') FROM patients",
    "SELECT struct_extract(p, 'bill') FROM patients p",
]


@pytest.mark.parametrize("sql", HIDDEN_COLUMN)
def test_a_column_that_is_not_shared_is_not_there(sql: str) -> None:
    with pytest.raises(BadExpression) as refused:
        ask(sql)
    assert "9000000" not in str(refused.value)


REFUSED = [
    # more than one, or another kind of statement
    ("SELECT 1; SELECT 2", "one query at a time"),
    ("SELECT 1; DROP TABLE patients", "one query at a time"),
    ("", "one query at a time"),
    (" -- nothing", "one query at a time"),
    ("COPY patients TO 'x.csv'", "SELECT"),
    ("COPY (SELECT 1) TO '/dev/stdout'", "SELECT"),
    ("ATTACH 'x.db'", "SELECT"),
    ("DETACH hospital", "SELECT"),
    ("INSTALL httpfs", "SELECT"),
    ("LOAD httpfs", "SELECT"),
    ("SET memory_limit = '1TB'", "SELECT"),
    ("RESET ALL", ""),
    ("PRAGMA database_list", "SELECT"),
    ("CALL pragma_version()", "SELECT"),
    ("CREATE TABLE x AS SELECT 1", "SELECT"),
    ("CREATE MACRO f(x) AS x", "SELECT"),
    ("INSERT INTO patients SELECT * FROM patients", "SELECT"),
    ("UPDATE patients SET id = 1", "SELECT"),
    ("DELETE FROM patients", "SELECT"),
    ("TRUNCATE patients", ""),
    ("DROP TABLE patients", "SELECT"),
    ("ALTER TABLE patients ADD COLUMN x INT", ""),
    ("EXPORT DATABASE 'x'", ""),
    ("VACUUM", ""),
    ("CHECKPOINT", ""),
    ("BEGIN", ""),
    ("EXPLAIN SELECT 1", "SELECT"),
    ("EXPLAIN ANALYZE SELECT * FROM patients", "SELECT"),
    ("DESCRIBE patients", "SELECT"),
    ("SUMMARIZE patients", "SELECT"),
    ("SHOW TABLES", "SELECT"),
    ("PREPARE x AS SELECT 1", ""),
    ("EXECUTE x", ""),
    ("VALUES (1)", "SELECT"),
    ("USE hospital", "SELECT"),
    ("MERGE INTO patients USING visits ON true WHEN MATCHED THEN DELETE", ""),
    ("SELECT * INTO x FROM patients", ""),
    ("SELECT * FROM patients FOR UPDATE", ""),
    # parts
    ("PIVOT patients ON region USING count(*)", "SELECT"),
    ("SELECT * FROM (PIVOT patients ON region USING count(*))", "PIVOT"),
    ("SELECT * FROM patients PIVOT (count(*) FOR region IN ('SZ'))", "PIVOT"),
    ("SELECT * FROM patients UNPIVOT (v FOR n IN (id, age))", "PIVOT"),
    ("SELECT * FROM (SUMMARIZE patients)", "SUMMARIZE"),
    ("SELECT * FROM (DESCRIBE patients)", "DESCRIBE"),
    ("SELECT * FROM (SHOW TABLES)", ""),
    ("SELECT * FROM (SHOW ALL TABLES)", ""),
    ("SELECT * FROM patients AT (VERSION => 1)", "version"),
    ("SELECT * FROM patients TABLESAMPLE 10%", "sample"),
    ("SELECT * FROM patients USING SAMPLE 3", "sample"),
    ("SELECT ?", "parameter"),
    ("SELECT $1", "parameter"),
    ("SELECT $name", "parameter"),
    # tables
    ("SELECT * FROM nothing", "there is no table nothing"),
    ('SELECT * FROM "hospital.clinic.patients"', "there is no table"),
    ("SELECT * FROM other.clinic.patients", "there is no table other.clinic.patients"),
    ("SELECT * FROM main.patients", "there is no table main.patients"),
    ("SELECT * FROM temp.main.patients", "there is no table"),
    ("SELECT * FROM system.main.duckdb_tables", "there is no table"),
    ("SELECT * FROM information_schema.tables", "there is no table information_schema.tables"),
    ("SELECT * FROM pg_catalog.pg_class", "there is no table"),
    ("SELECT * FROM sqlite_master", "there is no table sqlite_master"),
    ("SELECT * FROM duckdb_settings", "there is no table"),
    ("SELECT * FROM '/etc/passwd'", "there is no table"),
    ("SELECT * FROM 'x.parquet'", "there is no table"),
    ('SELECT * FROM "https://example.org/x.csv"', "there is no table"),
    ("FROM '/etc/passwd'", "there is no table"),
    ("TABLE '/etc/passwd'", ""),
    ("SELECT * FROM a.b.c.d", ""),
    ("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a", "there is no table b"),
    ("SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x), x", "there is no table x"),
    ("SELECT * FROM t0_0badc0de", "there is no table"),
    ("WITH t0_0badc0de AS (SELECT 1) SELECT * FROM (SELECT 1), visit", "there is no table visit"),
    ("SELECT * FROM incoming", "there is no table"),
    ("SELECT * FROM ｐａｔｉｅｎｔｓ", "there is no table"),
    ("SELECT * FROM раtients", "there is no table"),
    ("SELECT * FROM \u212aids", "there is no table"),
    ("SELECT\u00a0*\u00a0FROM\u00a0nothing", ""),
    ("SELECT * FROM patients\u037e SELECT 1", ""),
    ("SELECT * FROM patients\uff1b SELECT 1", ""),
    # functions
    ("SELECT * FROM read_csv('/etc/passwd')", "read_csv"),
    ("SELECT * FROM read_csv_auto('/etc/passwd')", "read_csv_auto"),
    ("SELECT * FROM READ_TEXT('/etc/passwd')", "read_text"),
    ('SELECT * FROM "read_text"(\'/etc/passwd\')', ""),
    ("SELECT * FROM read_blob('/etc/passwd')", "read_blob"),
    ("SELECT * FROM read_parquet('*')", "read_parquet"),
    ("SELECT * FROM parquet_scan('*')", "parquet_scan"),
    ("SELECT * FROM parquet_metadata('*')", "parquet_metadata"),
    ("SELECT * FROM read_json('x')", "read_json"),
    ("SELECT * FROM sniff_csv('/etc/passwd')", "sniff_csv"),
    ("SELECT * FROM glob('/*')", "glob"),
    ("SELECT * FROM duckdb_tables()", "duckdb_tables"),
    ("SELECT * FROM duckdb_secrets()", "duckdb_secrets"),
    ("SELECT * FROM duckdb_settings()", "duckdb_settings"),
    ("SELECT * FROM pragma_table_info('patients')", "pragma_table_info"),
    ("SELECT * FROM pragma_storage_info('patients')", "pragma_storage_info"),
    ("SELECT * FROM query('SELECT 1')", "query"),
    ("SELECT * FROM query_table('patients')", "query_table"),
    ("SELECT * FROM query_table(['patients'])", "query_table"),
    ("SELECT * FROM seq_scan('patients')", "seq_scan"),
    ("SELECT * FROM json_execute_serialized_sql('{}')", "json_execute_serialized_sql"),
    ("SELECT * FROM python_map_function(1)", "python_map_function"),
    ("SELECT * FROM arrow_scan(1, 2, 3)", "arrow_scan"),
    ("SELECT * FROM enable_logging()", "enable_logging"),
    ("SELECT * FROM (SELECT 1) x, LATERAL read_text('/etc/passwd')", "read_text"),
    ("SELECT * FROM histogram_values(patients, id)", "histogram_values"),
    ("SELECT getenv('HOME')", "getenv"),
    ("SELECT GetEnv('HOME')", "getenv"),
    ("SELECT main.getenv('HOME')", "getenv"),
    ("SELECT system.main.getenv('HOME')", ""),
    ("SELECT ('HOME').getenv()", "getenv"),
    ('SELECT "getenv"(\'HOME\')', "getenv"),
    ("SELECT list_transform(['HOME'], x -> getenv(x))", "getenv"),
    ("SELECT [getenv(x) FOR x IN ['HOME']]", "getenv"),
    ("SELECT id FROM patients ORDER BY getenv('HOME')", "getenv"),
    ("SELECT count(*) FILTER (WHERE getenv('HOME') > '') FROM patients", "getenv"),
    ("SELECT sum(1) OVER (PARTITION BY getenv('HOME')) FROM patients", "getenv"),
    ("SELECT id FROM patients LIMIT (SELECT length(getenv('HOME')))", "getenv"),
    ("SELECT getvariable('x')", "getvariable"),
    ("SELECT current_setting('threads')", "current_setting"),
    ("SELECT current_query()", "current_query"),
    ("SELECT current_schemas(true)", "current_schemas"),
    ("SELECT current_user", ""),
    ("SELECT version()", "version"),
    ("SELECT stats(id) FROM patients", "stats"),
    ("SELECT nextval('s')", "nextval"),
    ("SELECT setseed(0.5)", "setseed"),
    ("SELECT random()", ""),
    ("SELECT sleep_ms(1000)", "sleep_ms"),
    ("SELECT pg_sleep(1)", "pg_sleep"),
    ("SELECT write_log('x')", "write_log"),
    ("SELECT json_serialize_sql('SELECT 1')", "json_serialize_sql"),
    ("SELECT json_deserialize_sql('{}')", "json_deserialize_sql"),
    ("SELECT list_aggregate([1], 'sum')", "list_aggregate"),
    ("SELECT make_type('INT')", "make_type"),
    ("SELECT has_table_privilege('patients', 'SELECT')", "has_table_privilege"),
    ("SELECT txid_current()", "txid_current"),
    ("SELECT 1::regclass", ""),
    ("SELECT CAST(1 AS other.type)", ""),
    # what is not text
    ("SELECT '\0'", "character 0"),
    ("SELECT '\ud800'", "Unicode"),
    ("SELECT " + "(" * 500 + "1" + ")" * 500, "nested"),
    ("SELECT " + "1 + " * 2000 + "1", ""),
    ("SELECT '" + "x" * 100_000 + "'", "100000 characters"),
    ("SELECT 'x", ""),
    ("SELECT (1", ""),
    ("SELECT $$x", ""),
    ("SELECT FROM", ""),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "says"), REFUSED, ids=[sql[:60] for sql, _ in REFUSED])
def test_what_is_refused_says_what(sql: str, says: str) -> None:
    with pytest.raises(BadExpression) as refused:
        ask(sql)
    assert says.lower() in str(refused.value).lower()
    assert len(str(refused.value)) < 400


ERRORS = [
    "SELECT 1 / (id - 900000008) > 0 FROM patients",
    "SELECT CAST(note AS INT) FROM patients WHERE note LIKE '%1%' OR note LIKE '9%'",
    "SELECT id FROM patients WHERE CAST(age AS TINYINT) > 0",
    "SELECT id FROM patients WHERE CASE WHEN id > 900000000 THEN error('SECRET') ELSE true END",
    "SELECT id FROM patients WHERE id > 900000000 AND error(name)::BOOLEAN",
    "SELECT id FROM patients p JOIN visits v ON CAST(v.ward AS BOOLEAN) AND v.cost > 900000000",
    "SELECT (SELECT patient FROM visits WHERE cost > 900000000) FROM patients",
    "SELECT sum(CAST(cost AS SMALLINT)) FROM visits WHERE ward NOT IN ('a', 'b', 'c')",
    "WITH v AS MATERIALIZED (SELECT * FROM visits) SELECT CAST(cost AS SMALLINT) FROM v WHERE patient > 9",
]


@pytest.mark.parametrize("sql", ERRORS)
def test_what_would_fail_on_a_hidden_row_only_does_not_fail(sql: str) -> None:
    assert "SECRET" not in str(ask(sql).rows)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(region AS INT) FROM patients",
        "SELECT CAST(ward AS DATE) FROM visits ORDER BY patient DESC",
    ],
)
def test_an_error_names_no_value_of_a_hidden_row(sql: str) -> None:
    with pytest.raises((BadExpression, ReadFailed)) as refused:
        ask(sql)
    assert "SECRET" not in str(refused.value)
    assert "0badc0de" not in str(refused.value)
