"""What may stand in a filter and in a mask, and that it is read as its owner's database reads it."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.ports.reader import BadExpression, Column
from baygrid.sharing.expressions import FUNCTIONS, MAX_LENGTH, names, read, written
from baygrid.sharing.reading import same

COLUMNS = (
    Column("a", "string"), Column("b", "string"), Column("x", "int64"), Column("y", "double"),
    Column("d", "timestamp[us]"), Column("tags", "list<element: string>"), Column("p", "struct<n: string>"),
    Column('odd "name"', "string"), Column("Größe", "double"), Column("姓名", "string"),
    Column("hash", "string"),
)  # fmt: skip

ALLOWED = [
    "a = 'SZ'", "a in ('SZ', 'HK') and not b is null", "x between 1 and 2 or y > 1e5",
    "a like 'x%' escape '!'", "a not ilike b", "a is distinct from b", "case when x > 1 then a else b end",
    "if(x > 1, a, b)", "cast(x as varchar(10))", "try_cast(a as decimal(10, 2))", "a::int",
    "d > timestamp '2026-01-01'", "d + interval '3' day", "date_trunc('month', d)", "extract(year from d)",
    "date_diff('day', d, d)", "hour(d)", "strftime(d, '%Y')", "substr(a, 1, 3) || right(b, 2)",
    "regexp_matches(a, '^x')", "position('a' in b)", "regexp_replace(a, '[0-9]', '*', 'g')",
    "list_contains(tags, 'x')", "tags[1]", "struct_extract(p, 'n')", "coalesce(a, b, 'x')", "ifnull(a, b)",
    "x // 2 % 3", "-x ** 2", "round(y, 2)", "\"odd \"\"name\"\"\" = 'x'", "größe > 1", "姓名 = '陈'",
    "X = 1 and A = 'b'", "a = '''; drop table t --'", "a /* why */ = 'b' -- because", "\"hash\"",
    "upper(trim(a)) = 'X'", "len(a) > 2", "x notnull", "not a in ('b')", "sha256(a)",
]  # fmt: skip
REFUSED = {
    "": "one SQL expression",
    "a = 'b'; select 1": "one SQL expression",
    "a = 'b') or (1 = 1": "no SQL expression",
    "(select a)": "may not have",
    "x in (select 1)": "write the values",
    "exists(select 1)": "may not have",
    "x = any([1])": "may not have",
    "x > all(select 1)": "may not have",
    "sum(x) > 1": "may not have",
    "count(*) > 1": "may not have",
    "row_number() over () = 1": "may not have",
    "random() < 0.5": "may not have",
    "now() > d": "may not call now",
    "current_date > d": "may not have",
    "uuid() = a": "may not",
    "nextval('s') = 1": "may not",
    "getvariable('v') = a": "may not call",
    "getenv('HOME') = a": "may not call getenv",
    "current_setting('threads') = a": "may not call",
    "read_text('/etc/passwd') = a": "may not call read_text",
    "glob('/*') = a": "may not call",
    "error(a)": "may not call error",
    "repeat(a, 1000000)": "may not",
    "lpad(a, 1000000000, 'x')": "may not",
    "t.a = 'b'": "column's name alone",
    "main.t.a = 'b'": "column's name alone",
    "rowid = 1": "does not have",
    "filename = 'x'": "does not have",
    "nobody = 1": "does not have",
    "*": "may not have",
    "columns('a') = 'b'": "may not have",
    "list_transform(tags, z -> z)": "may not",
    "$1 = a": "may not have",
    "? = a": "may not have",
    "a collate nocase = 'b'": "may not have",
    "a::json": "type",
    "a::regclass": "type",
    "a ~ 'x'": "read in two ways",
    "@x": "read in two ways",
    "a as b": "may not have",
    "x = 0x1F": "may not",
    "[x, 2]": "may not have",
    "(a, b) = ('x', 'y')": "may not have",
    "a = e'\\x41'": "may not have",
    "а = 'b'": "does not have",  # a Cyrillic letter
    "a = 'b' union select 1": "",
    "'x' = a" + " and x = 1" * 1000: "longer than",
    "(" * 1500 + "x" + ")" * 1500: "",
}


@pytest.mark.parametrize("text", ALLOWED)
def test_what_is_allowed_is_written_as_it_was_read(text: str):
    again = written(read(text, COLUMNS, "the filter"))
    assert same(text, again)
    assert written(read(again, COLUMNS, "the filter")) == again
    assert "--" not in again.replace("''; drop table t --'", "")
    assert "/*" not in again


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_says_why(text: str):
    with pytest.raises(BadExpression, match="the filter") as refused:
        read(text, COLUMNS, "the filter")
    assert REFUSED[text] in str(refused.value)
    assert len(str(refused.value)) < 2_000


def test_columns_are_found_whatever_their_case_and_named_by_their_own():
    tree = read('A = \'x\' or GRÖSSE > 1 or "ODD ""name""" = a', [*COLUMNS, Column("Grösse", "double")], "it")
    assert names(tree) == {"a", "Grösse", 'odd "name"'}
    assert '"Grösse"' in written(tree)


def test_a_column_may_be_called_like_a_word_of_the_language():
    columns = [Column(name, "string") for name in ("select", "current_date", "user", "null")]
    assert written(read('"select" = "current_date"', columns, "it")) == '"select" = "current_date"'
    with pytest.raises(BadExpression):
        read("current_date = 'x'", columns, "it")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str):
    try:
        again = written(read(text, COLUMNS, "it"))
    except BadExpression:
        return
    assert same(text, again)


_WORDS = st.sampled_from([
    "a", "x", "y", "d", "'b'", "1", "2.5", "=", "<", "<>", "and", "or", "not", "(", ")", "is", "null", "in",
    "like", "+", "-", "*", "/", "||", ",", "case", "when", "then", "end", "between", "upper(", "coalesce(",
    "~", "!~", "@", "^", "::int", "[1]", "notnull", "isnull", "is not distinct from", "--", "/*", "*/", ";",
    "select", "from", "ilike",
])  # fmt: skip


@given(st.lists(_WORDS, min_size=1, max_size=9).map(" ".join))
def test_whatever_passes_means_the_same_in_its_owners_words(text: str):
    """What runs gives the value that DuckDB gives for the words that came."""
    try:
        again = written(read(text, COLUMNS[:5], "it"))
    except BadExpression:
        return
    row = "(SELECT 'b' AS a, 'B' AS b, 3 AS x, 2.5 AS y, TIMESTAMP '2026-11-23 10:00:00' AS d)"
    assert _answer(f"SELECT ({text}\n) FROM {row}") == _answer(f"SELECT {again} FROM {row}")


def _answer(sql: str) -> object:
    with duckdb.connect() as database:
        try:
            return database.execute(sql).fetchall()
        except duckdb.Error as error:
            return type(error)


def test_the_list_in_messages_is_what_is_allowed():
    assert {"coalesce", "sha256", "strftime", "list_contains"} <= set(FUNCTIONS)
    assert not {"random", "now", "repeat", "lpad", "getenv"} & set(FUNCTIONS)
    assert MAX_LENGTH < 1 << 16


def test_what_would_take_a_parser_for_ever_is_refused_at_once():
    nested = "date(" * 200 + "'2026-01-01'" + ")" * 200
    with pytest.raises(BadExpression, match="brackets more than 8 deep"):
        read(f"{nested} = a", [Column("a", "string")], "the filter")
