#!/usr/bin/env bash
# Slurm 24.11 beside the 22.05 of Debian 12: Debian 13 in a folder, entered by chroot; without slurmdbd unless asked.
#   scripts/engines/slurm24.sh install          the chroot, made once, as trixie beside the usual DIR (as root)
#   scripts/engines/slurm24.sh up|down|... [DIR]  as scripts/engines/slurm.sh, whose variables it takes; port 17500
# DIR: $BAYGRID_ENGINES/slurm24, else .cache/engines/slurm24 of the project.
# Clients are in DIR/bin: `env` puts them first in PATH, and they enter the chroot by themselves.
# What jobs must see of this machine: ENGINE_SHARED (/tmp by default; one folder) and DIR, both under their own names.
# The mounts are in a namespace of their own, which ends with the last daemon: nothing of the host can be removed through it.
set -euo pipefail
PATH=/usr/sbin:/sbin:$PATH
here=$(dirname "$(realpath "$0")")
engines=$(realpath -m "${BAYGRID_ENGINES:-$here/../../.cache/engines}")

die() { printf 'slurm24: %s\n' "$1" >&2; exit "${2:-1}"; }

# The lines at the top of this file.
usage() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

install() {
    [ "$(id -u)" = 0 ] || die "only root can make the chroot" 3
    [ ! -e "$engines/trixie/made" ] || return 0
    export DEBIAN_FRONTEND=noninteractive
    if ! command -v debootstrap >/dev/null; then
        apt-get -q -o Acquire::Retries=3 update
        apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends debootstrap
    fi
    mkdir -p "$engines"
    local root
    root=$engines/trixie
    # No mount outlives this: a broken one is begun anew with nothing of the host below it.
    unshare --mount --propagation private bash -euo pipefail -c "$(declare -f bootstrap); bootstrap $(printf %q "$root")"
}

bootstrap() {
    local root=$1
    rm -rf --one-file-system "$root"
    debootstrap --variant=minbase --include=ca-certificates trixie "$root"
    printf '127.0.0.1 localhost %s\n' "$(uname -n)" >"$root/etc/hosts"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    chroot "$root" apt-get -q -o Acquire::Retries=3 update
    chroot "$root" apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends \
        slurm-wlm slurmdbd slurm-wlm-mysql-plugin munge mariadb-server python3-minimal
    rm -rf "$root"/var/cache/apt/archives/*.deb
    touch "$root/made"
}

# The namespace of the running cluster, by a daemon that lives as long as it does.
inside() { nsenter --target "$(cat "$dir/munge/pid")" --mount --root --wdns=/ -- "$@"; }

up() {
    [ "$(id -u)" = 0 ] || die "only root can start one" 3
    [ -e "$engines/trixie/made" ] || die "not installed; run: scripts/engines/slurm24.sh install" 3
    mkdir -p "$dir"
    if [ -s "$dir/munge/pid" ] && inside /slurm.sh up "$dir" 2>/dev/null; then return; fi
    export ENGINE_ACCOUNTING=${ENGINE_ACCOUNTING:-0} ENGINE_PORT=${ENGINE_PORT:-17500} ENGINE_CLUSTER=${ENGINE_CLUSTER:-baygrid24}
    local root user shared=${ENGINE_SHARED:-/tmp}
    root=$engines/trixie
    cp "$here/slurm.sh" "$root/slurm.sh.$$" && mv -f "$root/slurm.sh.$$" "$root/slurm.sh" # two may come at once
    # The same names and numbers on both sides.
    for user in ${ENGINE_USERS:-bg-alice bg-bob}; do
        id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
        chroot "$root" id "$user" >/dev/null 2>&1 ||
            chroot "$root" useradd --create-home --shell /bin/bash --uid "$(id -u "$user")" "$user"
    done
    unshare --mount --propagation private bash -euo pipefail -c '
        root=$1; shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --rbind /sys "$root/sys"
        for folder in "$2" "$3"; do mkdir -p "$root$folder" && mount --bind "$folder" "$root$folder"; done
        exec chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin /slurm.sh "$1" "$2"' \
        up "$root" up "$dir" "$(realpath "$shared")"
    clients
}

clients() {
    local name
    mkdir -p "$dir/bin"
    for name in sbatch scancel scontrol sinfo squeue sacct sacctmgr srun sreport sshare; do
        printf '#!/bin/sh\nexec nsenter --target "$(cat %q)" --mount --root --wdns=/ -- /usr/bin/%s "$@"\n' \
            "$dir/munge/pid" "$name" >"$dir/bin/$name"
    done
    # What any user may call, as a user of the site does: without the namespace, with the libraries from there.
    local libraries=$root/usr/lib/x86_64-linux-gnu
    { cat "$dir/etc/slurm.conf"; echo "PluginDir=$libraries/slurm-wlm"; } >"$dir/etc/user.conf"
    printf '#!/bin/sh\nSLURM_CONF=%q exec %q --library-path %q %q "$@"\n' "$dir/etc/user.conf" \
        "$root/lib64/ld-linux-x86-64.so.2" "$libraries:$libraries/slurm-wlm" "$root/usr/bin/srun" >"$dir/bin/srun"
    chmod 755 "$dir"/bin/*
}

command=${1:-}
case $command in
    install) install; exit ;;
    kill-node | start-node) dir=${3:-$engines/slurm24} ;;
    up | down | env | kill-controller | start-controller) dir=${2:-$engines/slurm24} ;;
    *) usage ;;
esac
dir=$(realpath -m "$dir")
case $command in
    up) up ;;
    env) "$here/slurm.sh" env "$dir"; printf 'export PATH=%q:$PATH\n' "$dir/bin" ;;
    down) [ ! -e "$dir" ] || { "$here/slurm.sh" down "$dir"; rm -rf --one-file-system "$dir"; } ;;
    kill-controller) "$here/slurm.sh" kill-controller "$dir" ;;
    kill-node) "$here/slurm.sh" kill-node "$2" "$dir" ;;
    start-controller) inside /slurm.sh start-controller "$dir" ;;
    start-node) inside /slurm.sh start-node "$2" "$dir" ;;
esac
