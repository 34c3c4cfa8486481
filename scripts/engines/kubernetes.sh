#!/usr/bin/env bash
# A real Kubernetes on this machine for tests and a developer's hand: etcd, API server, controller manager, scheduler and
# one node (kubelet, containerd, runc, CNI) of 16 pretended cores with 8 pretended nvidia.com/gpu. Needs root.
#   scripts/engines/kubernetes.sh build        once, some minutes (see kubernetes-build.sh), into $BAYGRID_K8S_CACHE
#   scripts/engines/kubernetes.sh up [DIR]     a fresh cluster with everything it writes in DIR; up already: nothing
#   scripts/engines/kubernetes.sh env [DIR]    its KUBECONFIG, as a line for a shell
#   scripts/engines/kubernetes.sh down [DIR]   ends it at once; DIR goes with it
# BAYGRID_K8S_CACHE: where the programs are (.cache/engines/kubernetes of the project). DIR: $BAYGRID_ENGINES/kubernetes-run,
# or .cache/engines/kubernetes-run of the project, unless given.
# BAYGRID_K8S_PORT: the first of 100 ports on 127.0.0.1 (27000); it also chooses the node's address in 198.18.0.0/15,
# which exists on this machine only: clusters with different ones live side by side.
# Exit code 3: not built.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
here=$(dirname "$(realpath "$0")")
cache=$(realpath -m "${BAYGRID_K8S_CACHE:-$here/../../.cache/engines/kubernetes}")
bin=$cache/bin
port=${BAYGRID_K8S_PORT:-27000}
cores=16 accelerators=8

die() { printf 'kubernetes: %s\n' "$1" >&2; exit "${2:-1}"; }

# The lines at the top of this file.
usage() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

# What of this machine is not in DIR is named after the port.
names() {
    local number=$((port / 100 % 256))
    address=198.18.$number.1 pods=198.19.$number.0/24 bridge=bgk8s$number group=/baygrid-k8s-$number
}

ask() { curl -s --max-time 5 --cacert "$dir/certs/apiserver.crt" -H "Authorization: Bearer $(<"$dir/token")" "$@"; }
server() { printf 'https://127.0.0.1:%s' $((port + 43)); }

# The process whose death ends every other; nothing if another one has its number by now.
keeper() {
    local pid
    pid=$(cat "$dir/keeper" 2>/dev/null) || return 0
    if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "inside $dir"; then printf '%s' "$pid"; fi
}

credentials() {
    openssl genrsa -out "$dir/sa.key" 2048 2>/dev/null
    openssl rsa -in "$dir/sa.key" -pubout -out "$dir/sa.pub" 2>/dev/null
    (umask 077 && openssl rand -hex 16 >"$dir/token")
    printf '%s,admin,admin,"system:masters"\n' "$(<"$dir/token")" >"$dir/tokens.csv"
    cat >"$dir/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "$(server)", certificate-authority: $dir/certs/apiserver.crt}}]
users: [{name: admin, user: {tokenFile: $dir/token}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
END
}

configure_node() {
    mkdir -p "$dir"/{containerd,cni,kubelet,pods,containers,log,machine/node/node0}
    cat >"$dir/containerd.toml" <<END
version = 2
root = "$dir/containerd/root"
state = "$dir/containerd/state"
[grpc]
  address = "$dir/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/baygrid-pause:1"
  disable_apparmor = true
  # Where CAP_SYS_RESOURCE is missing, as in small virtual machines, no sandbox would start without this.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  max_concurrent_downloads = 1
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$dir/cni"
END
    cat >"$dir/cni/10-bridge.conflist" <<END
{"cniVersion": "0.4.0", "name": "baygrid", "plugins": [{"type": "bridge", "bridge": "$bridge",
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pods"}]], "dataDir": "$dir/cni/data"}}]}
END
    cat >"$dir/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $address
port: $((port + 50))
readOnlyPort: 0
healthzPort: $((port + 48))
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: $group
enforceNodeAllocatable: [pods]
failSwapOn: false
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
makeIPTablesUtilChains: false
clusterDNS: [$address]
maxPods: 250
registryPullQPS: 0
eventRecordQPS: 50
kubeAPIQPS: 100
kubeAPIBurst: 200
nodeStatusUpdateFrequency: 1s
END
    # More cores than there are: tests ask for room, not for work.
    local core
    for core in $(seq 0 $((cores - 1))); do
        mkdir -p "$dir/machine/node/node0/cpu$core/topology"
        echo "$core" >"$dir/machine/node/node0/cpu$core/topology/core_id"
        echo 0 >"$dir/machine/node/node0/cpu$core/topology/physical_package_id"
        echo 1 >"$dir/machine/node/node0/cpu$core/online"
    done
    sed 's/^/Node 0 /' /proc/meminfo >"$dir/machine/node/node0/meminfo"
}

# Runs as the first process of namespaces of its own: what it mounts and starts ends with it, whatever happens.
inside() {
    spawn() { local name=$1; shift; "$@" >"$dir/log/$name" 2>&1 </dev/null & }
    # Left empty when it ends: to remove a folder takes away what another cluster has mounted there.
    mkdir -p /var/lib/kubelet /var/log/pods /var/log/containers
    mount --bind "$dir/kubelet" /var/lib/kubelet
    mount --bind "$dir/pods" /var/log/pods
    mount --bind "$dir/containers" /var/log/containers
    mount --bind "$dir/machine/node" /sys/devices/system/node
    cd "$dir"
    local etcd=http://127.0.0.1:$((port + 79)) peer=http://127.0.0.1:$((port + 80))
    spawn etcd etcd --data-dir "$dir/etcd" --unsafe-no-fsync --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
    spawn apiserver "$bin/kube-apiserver" --etcd-servers="$etcd" --cert-dir="$dir/certs" --secure-port=$((port + 43)) \
        --insecure-port=0 --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \
        --service-cluster-ip-range=10.96.0.0/16 --service-account-issuer=https://kubernetes.default.svc \
        --service-account-signing-key-file=sa.key --service-account-key-file=sa.pub \
        --api-audiences=https://kubernetes.default.svc --token-auth-file=tokens.csv --authorization-mode=Node,RBAC \
        --disable-admission-plugins=ServiceAccount --kubelet-preferred-address-types=InternalIP \
        --feature-gates=TTLAfterFinished=true
    spawn containerd containerd -c containerd.toml
    until [ "$(ask "$(server)/readyz" 2>/dev/null)" = ok ]; do sleep 0.1; done
    spawn controller-manager "$bin/kube-controller-manager" --kubeconfig=kubeconfig --leader-elect=false --port=0 \
        --bind-address=127.0.0.1 --secure-port=$((port + 57)) --service-account-private-key-file=sa.key \
        --controllers='*,-nodeipam,-cloud-node-lifecycle,-route,-service' --kube-api-qps=200 --kube-api-burst=400 \
        --feature-gates=TTLAfterFinished=true
    spawn scheduler "$bin/kube-scheduler" --kubeconfig=kubeconfig --leader-elect=false --port=0 \
        --bind-address=127.0.0.1 --secure-port=$((port + 59)) --kube-api-qps=200 --kube-api-burst=400
    local image
    until ctr -a "$dir/containerd.sock" version >/dev/null 2>&1; do sleep 0.1; done
    for image in "$cache"/images/*.tar; do ctr -a "$dir/containerd.sock" -n k8s.io images import "$image" >/dev/null; done
    spawn kubelet "$bin/kubelet" --config=kubelet.yaml --kubeconfig=kubeconfig --hostname-override=node1 \
        --node-ip="$address" --node-labels=baygrid.dev/partition=main --root-dir=/var/lib/kubelet \
        --cert-dir="$dir/kubelet/pki" --container-runtime=remote --runtime-cgroups=/ --oom-score-adj=0 \
        --container-runtime-endpoint="unix://$dir/containerd.sock"
    wait
}

# Whether the programs are there that Debian's packages have.
complete() {
    local program
    for program in etcd containerd ctr runc ip openssl curl /usr/lib/cni/bridge; do
        command -v "$program" >/dev/null || return 1
    done
}

node_is_ready() { ask "$(server)/api/v1/nodes/node1" | grep -q '"reason": "KubeletReady"'; }

# As a device plugin would: the scheduler counts them from here on.
pretend_accelerators() {
    local at=/status/%s/nvidia.com~1gpu patch
    patch=$(printf '[{"op":"add","path":"/status/capacity/nvidia.com~1gpu","value":"%s"},' $accelerators
        printf '{"op":"add","path":"/status/allocatable/nvidia.com~1gpu","value":"%s"}]' $accelerators)
    ask -f -X PATCH -H 'Content-Type: application/json-patch+json' -d "$patch" "$(server)/api/v1/nodes/node1/status" >/dev/null
}

up() {
    { [ -e "$cache/.built" ] && complete; } || die "not built; run: scripts/engines/kubernetes.sh build" 3
    [ "$(id -u)" = 0 ] || die "needs root"
    if [ -n "$(keeper)" ]; then return; fi
    (down) # which may have had another port
    mkdir -p "$dir/certs"
    printf '%s' "$port" >"$dir/port"
    # A half would be taken for a cluster the next time.
    trap 'tail -n 5 "$dir"/log/* >&2 || true; (down) || true' EXIT
    credentials
    configure_node
    local controller
    for controller in /sys/fs/cgroup/*/; do mkdir -p "$controller$group"; done
    ip address add "$address/32" dev lo 2>/dev/null || true # the kubelet takes no loopback address for its node
    setsid unshare --mount --propagation slave --pid --fork --kill-child --mount-proc \
        bash "$here/kubernetes.sh" inside "$dir" >"$dir/log/keeper" 2>&1 </dev/null &
    echo $! >"$dir/keeper"
    local deadline=$((SECONDS + 120))
    until node_is_ready 2>/dev/null && pretend_accelerators; do
        [ -n "$(keeper)" ] || die "ended before it was ready; its logs:"
        [ $SECONDS -lt $deadline ] || die "not ready after two minutes; its logs:"
        sleep 0.2
    done
    trap - EXIT
}

down() {
    [ -s "$dir/port" ] || return 0 # no cluster's folder: what has the usual port is another's
    port=$(<"$dir/port")
    names
    local pid left
    pid=$(keeper)
    if [ -n "$pid" ]; then
        kill -KILL "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    fi
    ip link delete "$bridge" 2>/dev/null || true
    ip address delete "$address/32" dev lo 2>/dev/null || true
    for _ in $(seq 50); do # the kernel lets go of a group a moment after its last process
        left=$(find /sys/fs/cgroup/*"$group" -depth -type d 2>/dev/null || true)
        [ -n "$left" ] || break
        xargs rmdir 2>/dev/null <<<"$left" || sleep 0.1
    done
    rm -rf "$dir"
}

names
dir=$(realpath -m "${2:-${BAYGRID_ENGINES:-$here/../../.cache/engines}/kubernetes-run}")
case "${1:-}" in
    build) exec "$here/kubernetes-build.sh" "$cache" ;;
    up) up ;;
    env) printf 'export KUBECONFIG=%s/kubeconfig\n' "$dir" ;;
    down) down ;;
    complete) complete ;;
    inside) inside ;;
    *) usage ;;
esac
