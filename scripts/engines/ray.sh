#!/usr/bin/env bash
# A real Ray cluster for tests and the demo of a region: a head and a worker on this machine, in one folder.
#   scripts/engines/ray.sh install             Ray in an environment of its own (.cache/engines/ray-VERSION), once
#   scripts/engines/ray.sh up [DIR]            installs, starts both nodes, waits until both are alive
#   scripts/engines/ray.sh env [DIR]           what a shell may eval: RAY_DASHBOARD (of the Jobs API), RAY_ADDRESS, PATH
#   scripts/engines/ray.sh down [DIR]          ends them, with all that runs in them, and DIR goes with it
#   scripts/engines/ray.sh kill-head [DIR]     as if the machine of the head had died; also kill-worker
#   scripts/engines/ray.sh start-head [DIR]    on the same ports, with nothing remembered; also start-worker
#   scripts/engines/ray.sh lock                ray.lock anew: newest releases, no addresses in it
# DIR: .cache/engines/ray. Variables: BAYGRID_ENGINES (for .cache/engines), RAY_HOST (127.0.0.1; another one only in a
# network namespace of your own, for Ray's doors have no lock), RAY_WORKER_HOST, RAY_BASE_PORT (19 from here on; else free
# ones), RAY_VERSION (another than the locked one), and of each node NODE_CPUS (8), NODE_MEMORY_MIB (8192), NODE_GPUS (8,
# none of them real), NODE_MODEL (H100). All RAY_* of the caller reach Ray, too. Exit code 3: Ray cannot be installed.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
engines=$(realpath -m "${BAYGRID_ENGINES:-$project/.cache/engines}")
lock=$project/scripts/engines/ray.lock
locked=$(sed -n 's/^ray==\([0-9.]*\).*/\1/p' "$lock")
venv=$engines/ray-${RAY_VERSION:-$locked}
dir=$(realpath -m "${2:-$engines/ray}")

die() { printf 'ray: %s\n' "$1" >&2; exit "${2:-1}"; }

install() {
    if [ -e "$venv/.complete" ]; then return; fi
    mkdir -p "$engines"
    local what=(--require-hashes --requirement "$lock")
    # Old releases do not say that they know nothing of these.
    [ "${RAY_VERSION:-$locked}" = "$locked" ] || what=("ray[default]==$RAY_VERSION" "setuptools<81" "click<8.2" "pydantic<2.12")
    "$project/scripts/venv.sh" into "$venv" "${what[@]}" || die "cannot be installed into $venv" 3
    touch "$venv/.complete"
}

# What all processes of a node inherit, Ray's and those of its jobs.
mark() { printf 'BAYGRID_ENGINE=%s/%s' "$dir" "$1"; }

# KILL to all that have the mark, and to their descendants, should one have cleaned its environment; again until none is
# left, for some start others meanwhile.
cut_power() {
    "$venv/bin/python" - "$(mark "$1")" <<'PYTHON'
import os, signal, sys, time
from pathlib import Path

def processes():
    """pid -> (parent, whether it has the mark), of all but zombies."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
            marked = sys.argv[1].encode() in (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if state not in "ZX":
            yield int(folder.name), (int(parent), marked)

deadline = time.monotonic() + 30
while True:
    seen = dict(processes())
    ours = {pid for pid, (_, marked) in seen.items() if marked}
    while more := {pid for pid, (parent, _) in seen.items() if parent in ours} - ours:
        ours |= more
    if not ours:
        break
    if time.monotonic() > deadline:
        sys.exit(f"ray: these do not end: {sorted(ours)}")
    for pid in ours:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    time.sleep(0.05)
PYTHON
}

free_ports() {
    "$venv/bin/python" - <<'PYTHON'
import random, socket
for base in random.sample(range(20_000, 30_000, 20), 500):
    try:
        for port in range(base, base + 19):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        continue
    print(base)
    break
PYTHON
}

# Writes down what a cluster keeps over the deaths of its nodes. Its sockets need a short path, whatever DIR is.
settle() {
    [ ! -e "$dir/settings" ] || return 0
    mkdir -p "$dir"
    local base=${RAY_BASE_PORT:-$(free_ports)}
    printf '%s=%q\n' host "${RAY_HOST:-127.0.0.1}" worker_host "${RAY_WORKER_HOST:-${RAY_HOST:-127.0.0.1}}" base "$base" \
        sockets "$(mktemp -d /tmp/baygrid-ray-XXXXXX)" >"$dir/settings"
}

# Where Ray is for one machine alone (on Windows and macOS) it keeps to 127.0.0.1, and then takes no second node. Elsewhere
# it takes 127.0.0.1 for a slip and listens to the whole network.
RAY_ON_LOOPBACK='
from ray._private import ray_constants, services
from ray.scripts.scripts import main
if not ray_constants.ENABLE_RAY_CLUSTER:
    ray_constants.ENABLE_RAY_CLUSTER = True
    services.get_node_ip_address = lambda address=None: "127.0.0.1"
main()'

# ROLE, its address, its first port of six, then what else ray start is told.
start_node() {
    local role=$1 address=$2 port=$3 gpus=${NODE_GPUS:-8} model=${NODE_MODEL:-H100} out="$dir/$1.out"
    shift 3
    local resources="{}"
    [ "$gpus" = 0 ] || resources="{\"accelerator_type:$model\": 1}"
    # No workers before there is work; jobs may wait for their turn longer than a quarter of an hour; and no token, which
    # another Ray of this user may have left in the home.
    local told=("$(mark "$role")" RAY_AUTH_MODE=disabled RAY_enable_worker_prestart=0 RAY_prestart_worker_first_driver=0
        RAY_JOB_START_TIMEOUT_SECONDS="${RAY_JOB_START_TIMEOUT_SECONDS:-31536000}" RAY_USAGE_STATS_ENABLED=0 PATH="$venv/bin:$PATH")
    [ "$address" != 127.0.0.1 ] || told+=(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0)
    env -u RAY_ADDRESS "${told[@]}" setsid "$venv/bin/python" -c "$RAY_ON_LOOPBACK" start "$@" \
        --node-ip-address="$address" --temp-dir="$sockets" --log-color=false \
        --num-cpus="${NODE_CPUS:-8}" --memory=$((${NODE_MEMORY_MIB:-8192} << 20)) --num-gpus="$gpus" \
        --resources="$resources" --object-store-memory=100000000 --disable-usage-stats \
        --dashboard-agent-listen-port="$port" --dashboard-agent-grpc-port=$((port + 1)) \
        --runtime-env-agent-port=$((port + 2)) --metrics-export-port=$((port + 3)) --node-manager-port=$((port + 4)) \
        --object-manager-port=$((port + 5)) --min-worker-port=0 --max-worker-port=0 >"$out" 2>&1 </dev/null
}

# Ray gives a node a quarter of a minute to start, which on a busy machine may not be enough.
patiently() {
    local role=$2
    for _ in 1 2 3 4; do
        if "$@"; then return; fi
        cut_power "$role"
    done
    cat "$dir/$role.out" >&2
    die "its $role did not start"
}

start_head() {
    patiently start_node head "$host" $((base + 3)) --head --node-name=n1 --port="$base" --include-dashboard=true \
        --dashboard-host="$host" --dashboard-port=$((base + 1)) --ray-client-server-port=$((base + 2))
    await n1
}

start_worker() {
    patiently start_node worker "$worker_host" $((base + 10)) --address="$host:$base" --node-name=n2
    await n2
}

# Until the head says that a node of this name is alive.
await() {
    "$venv/bin/python" - "http://$host:$((base + 1))/api/v0/nodes" "$1" <<'PYTHON' || { cat "$dir"/*.out >&2; die "$1 is not there"; }
import json, sys, time, urllib.request
deadline = time.monotonic() + 90
while time.monotonic() < deadline:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=10) as answer:
            nodes = json.load(answer)["data"]["result"]["result"]
        if any((node["node_name"], node["state"]) == (sys.argv[2], "ALIVE") for node in nodes):
            sys.exit()
    except OSError:
        pass
    time.sleep(0.2)
sys.exit(1)
PYTHON
}

running() { [ -e "$dir/settings" ] || die "no cluster in $dir"; }

case "${1:-}" in
    install) install; exit ;;
    lock) "$project/scripts/venv.sh" lock "$lock" "ray[default]"; exit ;;
    up) install; settle ;;
    down) [ -e "$dir/settings" ] || exit 0 ;;
    env | kill-head | start-head | kill-worker | start-worker) running ;;
    *) sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
esac
host='' worker_host='' base='' sockets=''
# shellcheck disable=SC1091
. "$dir/settings"
case "$1" in
    up)
        [ ! -e "$dir/up" ] || exit 0
        trap 'cut_power worker; cut_power head' EXIT
        start_head
        start_worker
        trap - EXIT
        touch "$dir/up"
        ;;
    down) cut_power worker; cut_power head; rm -rf "$sockets" "$dir" ;;
    env) printf 'export RAY_DASHBOARD=http://%s:%s RAY_ADDRESS=%s:%s PATH=%q:$PATH\n' "$host" $((base + 1)) "$host" "$base" "$venv/bin" ;;
    kill-head) cut_power head ;;
    kill-worker) cut_power worker ;;
    start-head) start_head ;;
    start-worker) start_worker ;;
esac
