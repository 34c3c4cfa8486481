#!/usr/bin/env bash
# A real Slurm on this machine, from nothing and apart from any other: munge, slurmctld, nodes, and slurmdbd with MariaDB.
#   scripts/engines/slurm.sh install            Debian's packages, when they are not there (as root)
#   scripts/engines/slurm.sh up [DIR]           a new cluster in DIR; one that answers is left as it is
#   scripts/engines/slurm.sh down [DIR]         ends it, and DIR goes with it
#   scripts/engines/slurm.sh env [DIR]          prints what a client's environment needs
#   scripts/engines/slurm.sh kill-controller|start-controller [DIR]    SIGKILL, and back with its saved state
#   scripts/engines/slurm.sh kill-node|start-node NAME [DIR]           a node dies with all that runs on it
# DIR: $BAYGRID_ENGINES/slurm, else .cache/engines/slurm of the project. Only root can start one. Exit code 3: not installed, or not root.
# Variables of `up`, kept for the other commands:
#   ENGINE_ADDRESS 127.0.0.1   ENGINE_PORT 17000 (and 2 + nodes above it)   ENGINE_CLUSTER baygrid
#   ENGINE_NODES n1 n2   ENGINE_CPUS 8   ENGINE_MEMORY 8192 (MiB)   ENGINE_GPUS H100:8 ("" for none)   ENGINE_PARTITION main
#   ENGINE_ACCOUNTING 1   ENGINE_CGROUP 0 (1: kills what needs too much memory)   ENGINE_JOB_AGE 300 (seconds in the list)
#   ENGINE_USERS bg-alice bg-bob: made on this machine, each with a Slurm account of the same name
set -euo pipefail
PATH=/usr/sbin:/sbin:$PATH

die() { printf 'slurm: %s\n' "$1" >&2; exit "${2:-1}"; }

# The lines at the top of this file.
usage() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

missing() { ! command -v slurmctld || ! command -v slurmdbd || ! command -v munged || ! command -v mariadbd ||
    [ -z "$(find /usr/lib -name accounting_storage_mysql.so -path '*slurm*' 2>/dev/null)" ]; } >/dev/null 2>&1

install() {
    if ! missing; then return; fi
    command -v apt-get >/dev/null || die "install Slurm with slurmdbd, munge and MariaDB with this system's packages" 3
    [ "$(id -u)" = 0 ] || die "not installed; run: sudo scripts/engines/slurm.sh install" 3
    export DEBIAN_FRONTEND=noninteractive
    # The packages' own services would take the usual ports: they are never started.
    local policy=/usr/sbin/policy-rc.d
    [ -e $policy ] && policy='' || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy; }
    apt-get -q -o Acquire::Retries=3 update
    apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends \
        slurm-wlm slurmdbd slurm-wlm-mysql-plugin munge mariadb-server
    [ -z "$policy" ] || rm $policy
}

# What the cluster in $dir was made with.
settings() {
    [ -r "$dir/settings" ] || die "no cluster in $dir"
    . "$dir/settings"
    export SLURM_CONF=$dir/etc/slurm.conf
}

save_settings() {
    {
        printf '%s=%q\n' address "${ENGINE_ADDRESS:-127.0.0.1}" port "${ENGINE_PORT:-17000}" \
            cluster "${ENGINE_CLUSTER:-baygrid}" partition "${ENGINE_PARTITION:-main}" nodes "${ENGINE_NODES:-n1 n2}" \
            cpus "${ENGINE_CPUS:-8}" memory "${ENGINE_MEMORY:-8192}" gpus "${ENGINE_GPUS-H100:8}" \
            accounting "${ENGINE_ACCOUNTING:-1}" cgroup "${ENGINE_CGROUP:-0}" job_age "${ENGINE_JOB_AGE:-300}" \
            users "${ENGINE_USERS-bg-alice bg-bob}"
    } >"$dir/settings"
}

# until_true SECONDS COMMAND...: whether it succeeded in that time.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

as() { local user=$1; shift; (cd / && runuser -u "$user" -- env SLURM_CONF="$dir/etc/slurm.conf" "$@"); }

up() {
    if missing; then die "not installed; run: scripts/engines/slurm.sh install" 3; fi
    [ "$(id -u)" = 0 ] || die "only root can start one" 3
    if [ -e "$dir/complete" ] && settings && timeout 5 sinfo >/dev/null 2>&1; then return; fi
    [ ! -e "$dir/settings" ] || down
    mkdir -p "$dir"
    (cd / && runuser -u nobody -- test -x "$dir") || die "$dir: other users must be able to reach it (chmod o+x its folders)"
    [ "${#dir}" -lt 80 ] || die "$dir: too long for a socket's name"
    mkdir -m 755 "$dir"/{etc,run,log,spool,state,munge,mysql}
    chmod 755 "$dir"
    chown slurm "$dir"/{run,log,state}
    save_settings
    trap '(down) || true' EXIT
    settings
    for user in $users; do id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"; done
    configure
    start_munge
    [ "$accounting" = 0 ] || { start_database; start_accounting; }
    as slurm slurmctld -c
    for node in $nodes; do slurmd_of "$node"; done
    until_true 60 all_idle || { tail -n 5 "$dir"/log/*.log >&2; die "the nodes did not come up"; }
    touch "$dir/complete"
    trap - EXIT
}

all_idle() { [ "$(timeout 5 sinfo -h -N -t idle -o %N | sort -u | wc -w)" = "$(wc -w <<<"$nodes")" ]; }

configure() {
    local number=10 node gres='' hostname containment
    hostname=$(uname -n)
    if [ "$cgroup" = 1 ]; then
        containment="ProctrackType=proctrack/cgroup TaskPlugin=task/cgroup JobAcctGatherType=jobacct_gather/cgroup"
    else
        containment="ProctrackType=proctrack/linuxproc TaskPlugin=task/none JobAcctGatherType=jobacct_gather/linux"
    fi
    {
        printf '%s\n' "ClusterName=$cluster" "SlurmctldHost=$hostname($address)" "SlurmctldPort=$port" \
            SlurmUser=slurm SlurmdUser=root AuthType=auth/munge CredType=cred/munge "AuthInfo=socket=$dir/munge/socket" \
            "StateSaveLocation=$dir/state" "SlurmdSpoolDir=$dir/spool/%n" \
            "SlurmctldPidFile=$dir/run/slurmctld.pid" "SlurmdPidFile=$dir/run/slurmd-%n.pid" \
            "SlurmctldLogFile=$dir/log/slurmctld.log" "SlurmdLogFile=$dir/log/slurmd-%n.log"
        printf '%s\n' $containment JobAcctGatherFrequency=1 SelectType=select/cons_tres SelectTypeParameters=CR_Core_Memory \
            GresTypes=gpu SwitchType=switch/none MpiDefault=none ReturnToService=2 SlurmdParameters=config_overrides
        # A test does not wait for what a site has time for.
        printf '%s\n' \
            "SchedulerParameters=bf_interval=2,sched_min_interval=0,batch_sched_delay=0,sched_interval=2,defer_batch" \
            SchedulerType=sched/backfill PriorityType=priority/multifactor MaxJobCount=50000 "MinJobAge=$job_age" \
            KillWait=2 SlurmdTimeout=20 SlurmctldTimeout=30 InactiveLimit=0 DefMemPerCPU=100
        if [ "$accounting" = 1 ]; then
            printf '%s\n' AccountingStorageType=accounting_storage/slurmdbd "AccountingStorageHost=$address" \
                "AccountingStoragePort=$((port + 1))" AccountingStorageTRES=gres/gpu \
                AccountingStorageEnforce=associations,limits,qos
            # With a munge of its own, slurmdbd's clients hang for minutes without this.
            printf '%s\n' "AccountingStoragePass=$dir/munge/socket"
        else
            printf '%s\n' AccountingStorageType=accounting_storage/none
        fi
        [ -z "$gpus" ] || gres="Gres=gpu:$gpus"
        for node in $nodes; do
            echo "NodeName=$node NodeHostname=$hostname NodeAddr=$address Port=$((port + number))" \
                "CPUs=$cpus RealMemory=$memory $gres State=UNKNOWN"
            number=$((number + 1))
        done
        echo "PartitionName=$partition Nodes=${nodes// /,} Default=YES MaxTime=INFINITE State=UP"
    } >"$dir/etc/slurm.conf"
    printf '%s\n' CgroupPlugin=cgroup/v1 CgroupAutomount=no ConstrainCores=no ConstrainRAMSpace=yes \
        ConstrainDevices=yes >"$dir/etc/cgroup.conf"
    : >"$dir/etc/gres.conf"
    [ -z "$gpus" ] || fake_gpus >"$dir/etc/gres.conf"
}

# With device files Slurm sets CUDA_VISIBLE_DEVICES. They have no driver behind them; not 1:3, or a job is denied /dev/null.
fake_gpus() {
    local kind first=0 count
    for kind in ${gpus//,/ }; do
        count=${kind##*:}
        for ((device = first; device < first + count; device++)); do mknod -m 666 "$dir/gpu$device" c 240 "$device"; done
        echo "NodeName=${nodes// /,} Name=gpu Type=${kind%:*} File=$dir/gpu[$first-$((first + count - 1))]"
        first=$((first + count))
    done
}

start_munge() {
    (umask 077 && head -c 1024 /dev/urandom >"$dir/munge/key")
    chown -R munge "$dir/munge"
    as munge munged --force --socket="$dir/munge/socket" --key-file="$dir/munge/key" --pid-file="$dir/munge/pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
}

start_database() {
    chown mysql "$dir/mysql"
    mariadb-install-db --no-defaults --user=mysql --datadir="$dir/mysql/data" --auth-root-authentication-method=normal \
        --skip-test-db >"$dir/log/mysql-install.log" 2>&1
    (cd / && exec setsid mariadbd --no-defaults --user=mysql --datadir="$dir/mysql/data" --socket="$dir/mysql/socket" \
        --pid-file="$dir/mysql/pid" --bind-address="$address" --port=$((port + 2)) --innodb-buffer-pool-size=128M \
        --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 --skip-log-bin \
        >"$dir/log/mariadb.log" 2>&1 </dev/null) &
    disown
    local admin=(mariadb --no-defaults -uroot -S "$dir/mysql/socket")
    until_true 30 "${admin[@]}" -e "select 1" || { tail "$dir/log/mariadb.log" >&2; die "MariaDB did not start"; }
    "${admin[@]}" -e "create database slurm_acct; create user slurm@'%' identified by 'slurm';
        grant all on slurm_acct.* to slurm@'%'"
}

start_accounting() {
    local user
    printf '%s\n' AuthType=auth/munge "AuthInfo=socket=$dir/munge/socket" \
        "DbdHost=$(uname -n)" "DbdAddr=$address" "DbdPort=$((port + 1))" SlurmUser=slurm \
        "LogFile=$dir/log/slurmdbd.log" "PidFile=$dir/run/slurmdbd.pid" StorageType=accounting_storage/mysql \
        "StorageHost=$address" "StoragePort=$((port + 2))" StorageUser=slurm StoragePass=slurm StorageLoc=slurm_acct \
        >"$dir/etc/slurmdbd.conf"
    chown slurm "$dir/etc/slurmdbd.conf"
    chmod 600 "$dir/etc/slurmdbd.conf"
    as slurm slurmdbd
    until_true 30 timeout 5 sacctmgr -n show cluster || { tail "$dir/log/slurmdbd.log" >&2; die "slurmdbd did not start"; }
    sacctmgr -i add cluster "$cluster" >/dev/null
    sacctmgr -i add account root "Cluster=$cluster" >/dev/null 2>&1 || true
    for user in $users; do
        sacctmgr -i add account "$user" "Cluster=$cluster" >/dev/null
        sacctmgr -i add user "$user" "Account=$user" "Cluster=$cluster" >/dev/null
    done
}

slurmd_of() { mkdir -p "$dir/spool/$1"; slurmd -N "$1"; }

# Which daemons are the cluster's, whatever became of their pid files: those started with its configuration.
ours() {
    local process
    for process in /proc/[0-9]*; do
        case $(cat "$process/comm" 2>/dev/null) in
            slurmctld | slurmdbd | slurmd | slurmstepd)
                if grep -qzxF "SLURM_CONF=$SLURM_CONF" "$process/environ" 2>/dev/null; then echo "${process#/proc/}"; fi ;;
        esac
    done
}

jobs_of() {
    local file
    for file in $(grep -lzxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null); do
        if grep -qzE "^SLURM_JOB_ID=" "$file" 2>/dev/null; then basename "${file%/environ}"; fi
    done
}

pid_in() { cat "$dir/$1" 2>/dev/null || true; }

# By force: DIR goes with them, so there is nothing to save.
end_all() {
    [ $# -gt 0 ] || return 0
    kill -9 "$@" 2>/dev/null || true
    until_true 5 none_of "$@"
}

# A zombie is gone: it may wait long for whoever started it.
none_of() {
    local pid
    for pid; do case $(awk '{print $3}' "/proc/$pid/stat" 2>/dev/null) in '' | Z) ;; *) return 1 ;; esac; done
}

down() {
    [ -e "$dir/settings" ] || return 0
    settings
    local node
    end_all $(pid_in run/slurmctld.pid)
    for node in $nodes; do kill_node "$node"; done
    # A job may have begun meanwhile.
    end_all $(ours) $(pid_in munge/pid) $(pid_in mysql/pid) && end_all $(jobs_of)
    rmdir_cgroups
    rm -rf "$dir"
}

rmdir_cgroups() {
    local node
    for node in $nodes; do
        find /sys/fs/cgroup -depth -type d -path "*/slurm_$node*" -exec rmdir {} + 2>/dev/null || true
    done
}

kill_controller() {
    local pid
    pid=$(pid_in run/slurmctld.pid)
    [ -n "$pid" ] || die "slurmctld does not run"
    end_all "$pid"
    rm -f "$dir/run/slurmctld.pid"
}

start_controller() {
    as slurm slurmctld
    until_true 30 timeout 5 scontrol ping || die "slurmctld did not start"
}

children_of() { local pid; for pid; do echo "$pid"; children_of $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); done; }

# All at once and by force, as when a machine loses its power: slurmd, its steps, and the jobs below them.
kill_node() {
    local pid pids=() steps=()
    pid=$(pid_in "run/slurmd-$1.pid")
    for step in $(ours); do
        [ "$(cat "/proc/$step/comm" 2>/dev/null)" = slurmstepd ] || continue
        # A step writes into the log of its slurmd.
        if find "/proc/$step/fd" -lname "$dir/log/slurmd-$1.log" 2>/dev/null | grep -q .; then steps+=("$step"); fi
    done
    mapfile -t pids < <(children_of ${steps[@]+"${steps[@]}"})
    [ -z "$pid" ] || pids+=("$pid")
    [ ${#pids[@]} = 0 ] || kill -9 "${pids[@]}" 2>/dev/null || true
    rm -f "$dir/run/slurmd-$1.pid"
}

known_node() { case " $nodes " in *" $1 "*) ;; *) die "no node $1 in $dir, only $nodes" ;; esac; }

command=${1:-}
[ $# = 0 ] || shift
case $command in kill-node | start-node) [ $# -gt 0 ] || die "$command needs a node's name"; name=$1; shift ;; esac
dir=$(realpath -m "${1:-${BAYGRID_ENGINES:-$(dirname "$(realpath "$0")")/../../.cache/engines}/slurm}")
case $command in
    install | up | down) $command ;;
    env) settings; printf 'export SLURM_CONF=%q\n' "$SLURM_CONF" ;;
    kill-controller) settings; kill_controller ;;
    start-controller) settings; start_controller ;;
    kill-node) settings; known_node "$name"; kill_node "$name" ;;
    start-node) settings; known_node "$name"; slurmd_of "$name" ;;
    *) usage ;;
esac
