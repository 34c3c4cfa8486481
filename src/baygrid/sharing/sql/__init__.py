"""Governed SQL: a stranger's query over tables of which it may see only some rows, columns and figures.

`parsing` reads the text, `naming` finds its tables, `figures` bounds what is asked of tables that are shared
for figures only, `planning` joins these, `reading` looks at what DuckDB's own parser makes of the result, and
`running` runs it over copies that hold nothing but what may be seen."""
