#!/usr/bin/env bash
# A Podman with a store of its own and one small image, for tests: nothing of this machine's own is used or changed.
#   scripts/engines/podman.sh install       Debian's packages, when they are not there (as root)
#   scripts/engines/podman.sh up DIR        its store in DIR, with the image localhost/baygrid-busybox:1
#   scripts/engines/podman.sh env DIR       prints what its environment needs
#   scripts/engines/podman.sh down DIR      ends its containers, and DIR goes with it
# Exit code 3: not installed, or not root. 4: this machine's kernel does not run containers.
set -euo pipefail
PATH=/usr/sbin:/sbin:$PATH
IMAGE=localhost/baygrid-busybox:1

die() { printf 'podman: %s\n' "$1" >&2; exit "${2:-1}"; }

missing() { ! command -v podman || ! command -v runc || ! command -v crun || ! [ -x /bin/busybox ]; } >/dev/null 2>&1

install() {
    if ! missing; then return; fi
    command -v apt-get >/dev/null || die "install podman, runc, crun and a static busybox with this system's packages" 3
    [ "$(id -u)" = 0 ] || die "not installed; run: sudo scripts/engines/podman.sh install" 3
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o Acquire::Retries=3 update
    apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends podman crun runc busybox-static
}

settings() {
    [ -r "$dir/containers.conf" ] || die "no Podman in $dir"
    export CONTAINERS_CONF=$dir/containers.conf CONTAINERS_STORAGE_CONF=$dir/storage.conf
}

# Locks in files: those in shared memory are all Podman's of this machine. What is not said here is below the store: the
# Podman that cleans up after a container is told where that is, and does not read this.
configure() {
    printf '%s\n' '[containers]' 'netns = "host"' '[engine]' "runtime = \"$1\"" 'cgroup_manager = "cgroupfs"' \
        'events_logger = "file"' 'lock_type = "file"' "tmp_dir = \"$dir/tmp\"" >"$dir/containers.conf"
    printf '%s\n' '[storage]' "driver = \"$2\"" "graphroot = \"$dir/store\"" "runroot = \"$dir/run\"" >"$dir/storage.conf"
}

# A tree with nothing but busybox under all of its names.
image() {
    mkdir -p "$dir/tree"/{bin,etc,tmp}
    cp /bin/busybox "$dir/tree/bin/"
    chmod 1777 "$dir/tree/tmp"
    /bin/busybox --list | grep -vx busybox | while read -r name; do ln -sf busybox "$dir/tree/bin/$name"; done
    echo inside >"$dir/tree/etc/of-the-image"
    tar -C "$dir/tree" -cf - . | podman import --change ENV=PATH=/bin --change ENV=OF_THE_IMAGE=yes - $IMAGE
}

runs() { podman run --rm --ulimit=nofile=256:256 --ulimit=nproc=256:256 $IMAGE /bin/true; }

# With the first runtime and storage that work here.
up() {
    if missing; then die "not installed; run: scripts/engines/podman.sh install" 3; fi
    [ "$(id -u)" = 0 ] || die "only root can start one" 3
    mkdir -p "$dir"
    dir=$(realpath "$dir")
    local runtime driver
    for driver in overlay vfs; do
        for runtime in crun runc; do
            configure $runtime $driver
            settings
            if { image && runs; } >>"$dir/log" 2>&1; then return; fi
        done
        clear_store
    done
    die "no runtime runs a container here: $(tail -n 1 "$dir/log")" 4
}

clear_store() {
    podman rm --all --force --time 0 >/dev/null 2>&1 || true
    umount "$dir/store/overlay" 2>/dev/null || true
    rm -rf "$dir"/{store,run,tmp}
}

down() {
    [ -d "$dir" ] || return 0
    dir=$(realpath "$dir")
    if [ -r "$dir/containers.conf" ]; then
        settings
        clear_store
    fi
    rm -rf "$dir"
}

what=${1:-}
dir=${2:-${BAYGRID_ENGINES:-.cache/engines}/podman}
case $what in
    install) install ;;
    up) up ;;
    env)
        dir=$(realpath "$dir")
        settings
        printf '%s=%s\n' CONTAINERS_CONF "$CONTAINERS_CONF" CONTAINERS_STORAGE_CONF "$CONTAINERS_STORAGE_CONF"
        ;;
    down) down ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
