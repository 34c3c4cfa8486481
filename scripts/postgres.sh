#!/usr/bin/env bash
# Private PostgreSQL servers for tests, benchmarks and a developer's hand: trusting, 127.0.0.1 only, not durable unless asked.
#   scripts/postgres.sh install            from Debian's packages, when there is none (as root)
#   scripts/postgres.sh start DIR PORT     a new server with its data and socket in DIR; user postgres, no password
#                                          DURABLE=1: commits reach the disk, for benchmarks
#   scripts/postgres.sh stop DIR           at once, and DIR goes with it
# Exit code 3: PostgreSQL is not installed.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

die() { printf 'postgres: %s\n' "$1" >&2; exit "${2:-1}"; }

# Debian keeps the server's programs out of PATH, one folder a version: the newest is ours.
bindir() {
    local newest
    newest=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -1)
    [ -n "$newest" ] || newest=$(command -v initdb || true)
    [ -n "$newest" ] && dirname "$newest"
}

# PostgreSQL refuses to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

install() {
    if bindir >/dev/null; then return; fi
    command -v apt-get >/dev/null || die "install PostgreSQL 15 or newer with this system's package manager" 3
    [ "$(id -u)" = 0 ] || die "not installed; run: sudo scripts/postgres.sh install" 3
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o Acquire::Retries=3 update
    apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends postgresql
}

start() {
    local dir=$1 port=$2 bin
    bin=$(bindir) || die "not installed; run: scripts/postgres.sh install" 3
    [ ! -e "$dir/data" ] || die "$dir already holds a server"
    mkdir -p "$dir"
    dir=$(realpath "$dir")
    chmod 711 "$dir"
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    as_postgres "$bin/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C --no-sync >"$dir/initdb.out" 2>&1 ||
        { cat "$dir/initdb.out" >&2; die "initdb failed"; }
    local fast="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    [ -z "${DURABLE:-}" ] || fast=""
    as_postgres "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/data/server.out" -o "-p $port -k $dir $fast \
        -c listen_addresses=127.0.0.1 -c max_connections=200" start >/dev/null ||
        { cat "$dir/data/server.out" >&2; die "did not start"; }
}

stop() {
    local dir=$1 bin
    bin=$(bindir) || die "not installed" 3
    [ -d "$dir/data" ] || die "no server in $dir"
    dir=$(realpath "$dir")
    as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null
    rm -rf "$dir"
}

case "${1:-} $#" in
    "install 1") install ;;
    "start 3") start "$2" "$3" ;;
    "stop 2") stop "$2" ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
