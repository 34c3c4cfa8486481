#!/usr/bin/env bash
# What people read shared tables with, in an environment of its own: the Delta Sharing client wants older packages than ours.
#   scripts/sharing.sh install   delta-sharing, DuckDB and Polars (.cache/sharing-VERSION), once; prints where its Python is
#   scripts/sharing.sh lock      sharing.lock anew: newest releases, no addresses in it
# Exit code 3: they cannot be installed.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
lock=$project/scripts/sharing.lock

if [ "${1:-}" = lock ]; then
    exec "$project/scripts/venv.sh" lock "$lock" "delta-sharing>=1.4" "polars>=1.0" duckdb duckdb-ext-httpfs
fi
if [ "${1:-}" != install ]; then
    sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
venv=$project/.cache/sharing-$(sed -n 's/^delta-sharing==\([0-9.]*\).*/\1/p' "$lock")
if [ ! -e "$venv/.complete" ]; then
    mkdir -p "$project/.cache"
    "$project/scripts/venv.sh" into "$venv" --require-hashes --requirement "$lock" ||
        { echo "sharing: cannot be installed into $venv" >&2; exit 3; }
    touch "$venv/.complete"
fi
printf '%s\n' "$venv/bin/python"
