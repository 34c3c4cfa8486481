"""Runs in the environment of scripts/sharing.sh: how long DuckDB takes over Parquet files, by their signed
addresses or on this disk. Asked for as JSON {"kinds": {NAME: {"profile", "table"} or {"files"}}, "sql",
"times"}; the answer is the seconds of each time, by kind. The kinds take turns, so that a busy moment is no
kind's alone."""

# mypy: ignore-errors
from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/api"))
import real_client


def main():
    asked = json.load(sys.stdin)
    database = real_client._duckdb()
    found = {kind: [] for kind in asked["kinds"]}
    answers = set()
    for _ in range(asked["times"] + 1):
        for kind, where in asked["kinds"].items():
            began = time.perf_counter()
            files = where.get("files") or real_client._urls(where["profile"], where["table"])
            listed = ", ".join(f"'{file}'" for file in files)
            row = database.execute(asked["sql"].replace("TABLE", f"read_parquet([{listed}])")).fetchone()
            found[kind].append(time.perf_counter() - began)
            answers.add(tuple(map(str, row)))
    if len(answers) != 1:
        raise SystemExit(f"they do not have the same rows: {answers}")
    json.dump({kind: times[1:] for kind, times in found.items()}, sys.stdout)


if __name__ == "__main__":
    main()
