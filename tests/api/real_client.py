"""Runs in the environment of scripts/sharing.sh: reads shared tables as people do. Questions come as JSON, a
list of [name, arguments]; the answers go out as JSON, [true, answer] or [false, what went wrong]."""

# mypy: ignore-errors
from __future__ import annotations

import contextlib
import json
import sys

import delta_sharing
import duckdb
import duckdb_ext
import polars
from delta_sharing.protocol import Table
from delta_sharing.rest_client import DataSharingRestClient


def lists(profile):
    client = delta_sharing.SharingClient(profile)
    return {
        "shares": [it.name for it in client.list_shares()],
        "schemas": [
            [it.share, it.name] for share in client.list_shares() for it in client.list_schemas(share)
        ],
        "tables": [[it.share, it.schema, it.name] for it in client.list_all_tables()],
    }


def pandas(profile, table, **options):
    frame = delta_sharing.load_as_pandas(f"{profile}#{table}", **options)
    return json.loads(frame.to_json(orient="split", index=False, date_format="iso"))


def changes(profile, table, **options):
    frame = delta_sharing.load_table_changes_as_pandas(f"{profile}#{table}", **options)
    return json.loads(frame.to_json(orient="split", index=False))


def version(profile, table, **options):
    return delta_sharing.get_table_version(f"{profile}#{table}", **options)


def metadata(profile, table):
    found = delta_sharing.get_table_metadata(f"{profile}#{table}")
    return {"id": found.id, "schema": json.loads(found.schema_string)}


def _urls(profile, table):
    share, schema, name = table.split(".")
    client = DataSharingRestClient(delta_sharing.protocol.DeltaSharingProfile.read_from_file(profile))
    return [it.url for it in client.list_files_in_table(Table(name, share, schema)).add_files]


def _duckdb():
    """With its HTTP, which is installed beside it."""
    found = duckdb.connect(config={"extension_directory": f"{duckdb_ext.__path__[0]}/extensions"})
    found.execute("SET autoinstall_known_extensions = false")
    found.execute("LOAD httpfs")
    return found


def with_duckdb(profile, table, sql):
    """`sql` over the signed addresses, by DuckDB's own HTTP."""
    with _duckdb() as database:
        files = ", ".join(f"'{url}'" for url in _urls(profile, table))
        return database.execute(sql.replace("TABLE", f"read_parquet([{files}])")).fetchall()


def with_polars(profile, table, columns):
    """By Polars' own HTTP: it asks for the end of a file first."""
    found = polars.concat([polars.scan_parquet(url).select(columns) for url in _urls(profile, table)])
    return found.collect().to_dict(as_series=False)


def again(profile, url):
    """An address that was handed out before, by DuckDB."""
    with _duckdb() as database:
        return database.execute(f"SELECT count(*) FROM read_parquet('{url}')").fetchall()


ALL = {it.__name__: it for it in (lists, pandas, changes, version, metadata, with_duckdb, with_polars, again)}


def main():
    answers = []
    for name, arguments in json.load(sys.stdin):
        try:
            with contextlib.redirect_stdout(sys.stderr):  # the client prints
                answers.append([True, ALL[name](**arguments)])
        except Exception as error:  # noqa: BLE001 - told to the test
            answers.append([False, f"{type(error).__name__}: {error}"])
    json.dump(answers, sys.stdout, default=str)


if __name__ == "__main__":
    main()
