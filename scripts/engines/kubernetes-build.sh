#!/usr/bin/env bash
# A real Kubernetes 1.20 from Debian 12's source package, with Debian's Go: API server, controller manager, scheduler,
# kubelet, and the image in which its containers run. Needs root (packages), 2.5 GB while it builds, some minutes.
#   kubernetes-build.sh DIR    leaves DIR/bin and DIR/images (450 MB); done already: returns at once
set -euo pipefail
[ $# = 1 ] || { sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
here=$(dirname "$(realpath "$0")")
mkdir -p "$1"
dir=$(realpath "$1")
work=$dir/build
tree=$work/go/src/k8s.io/kubernetes
version=v1.20.2

# A list of sources of our own: /etc/apt stays as it is.
private_apt() {
    local uri
    mkdir -p "$work"/apt/{lists/partial,cache/archives/partial} "$work/download"
    uri=$(apt-get indextargets --format '$(SITE) $(ORIGIN)' | grep ' Debian$' | grep -v security | head -1 | cut -d' ' -f1)
    local from="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri bookworm main"
    printf 'deb %s\ndeb-src %s\n' "$from" "$from" >"$work/apt/sources.list"
    apt=(-q -o Acquire::Retries=3 -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$work/apt/sources.list"
        -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache"
        -o Dir::State::status=/dev/null)
    apt-get "${apt[@]}" update
}

packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 update
    apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
}

source_tree() {
    (cd "$work/download" && apt-get "${apt[@]}" source --download-only kubernetes)
    rm -rf "$tree"
    mkdir -p "$tree"
    tar -xzf "$work"/download/kubernetes_*.orig.tar.gz -C "$tree" --strip-components=1
    # The vendored reflect2 1.0.1 corrupts the iteration of maps on Go 1.18 and newer: the API server dies of SIGSEGV.
    rm -rf "$tree/vendor/github.com/modern-go/reflect2"
    cp -rL /usr/share/gocode/src/github.com/modern-go/reflect2 "$tree/vendor/github.com/modern-go/"
    rm -f "$tree"/vendor/github.com/modern-go/reflect2/*_test.go
}

# What upstream's own make generates before it compiles.
openapi() {
    local packages
    go build -o "$work/" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    packages=$(grep -rlE --include='*.go' --exclude='*_test.go' --exclude='zz_generated*' \
        '^[[:space:]]*// ?[+]k8s:openapi-gen=' staging/src/k8s.io pkg cmd plugin | xargs -n1 dirname | sort -u |
        grep -vE '/testdata|sample-apiserver' |
        sed -e 's#^staging/src/#k8s.io/kubernetes/vendor/#' -e 's#^\(pkg\|cmd\|plugin\)/#k8s.io/kubernetes/\1/#' | paste -sd,)
    "$work/openapi-gen" --logtostderr -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi \
        -O zz_generated.openapi -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/violations.txt"
}

programs() {
    local place value flags="-s -w" program
    for place in component-base/version client-go/pkg/version; do
        for value in gitVersion=$version gitMajor=1 gitMinor=20 gitTreeState=clean buildDate=2021-01-13T13:20:00Z; do
            flags="$flags -X k8s.io/kubernetes/vendor/k8s.io/$place.$value"
        done
    done
    for program in kube-apiserver kube-controller-manager kube-scheduler kubelet; do
        go build -ldflags "$flags" -o "$dir/bin/" "./cmd/$program"
        printf 'built %s after %s s\n' "$program" "$SECONDS"
    done
    gcc -Os -static -o "$dir/bin/pause" build/pause/linux/pause.c
}

# A small Debian: a shell, the core utilities and Python, so that a job's script finds what it finds anywhere.
images() {
    local root=$work/root
    rm -rf "$root" "$work/debs"
    mkdir -p "$root" "$work/debs" "$dir/images"
    (cd "$work/debs" && apt-get "${apt[@]}" download dash bash coreutils grep sed libacl1 libattr1 libc6 libcrypt1 libselinux1 \
        mawk libpcre2-8-0 libgmp10 libtinfo6 libssl3 libexpat1 zlib1g libffi8 libbz2-1.0 liblzma5 libuuid1 \
        python3-minimal python3.11-minimal libpython3.11-minimal libpython3.11-stdlib)
    for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$root"; done
    rm -rf "$root"/usr/share/{doc,man,locale,lintian,bash-completion} "$root"/usr/lib/x86_64-linux-gnu/gconv
    mkdir -p "$root"/{tmp,proc,sys,dev,etc,root}
    chmod 1777 "$root/tmp"
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
    python3 "$here/image.py" "$root" localhost/baygrid-tools:1 "$dir/images/tools.tar"
    rm -rf "$root"
    mkdir -p "$root"
    cp "$dir/bin/pause" "$root/pause"
    python3 "$here/image.py" "$root" localhost/baygrid-pause:1 "$dir/images/pause.tar" /pause
}

[ "$(id -u)" = 0 ] || { echo "kubernetes: the build needs root, for Debian's packages" >&2; exit 3; }
# What it runs with: a build may have come from another machine.
if ! "$here/kubernetes.sh" complete; then
    packages etcd-server containerd runc containernetworking-plugins iproute2 openssl curl
fi
[ ! -e "$dir/.built" ] || exit 0
mkdir -p "$dir/bin"
packages golang-1.19-go golang-github-modern-go-reflect2-dev gcc libc6-dev
private_apt
export PATH=/usr/lib/go-1.19/bin:$PATH GOPATH=$work/go GO111MODULE=off GOFLAGS= GOCACHE=$work/cache GOPROXY=off CGO_ENABLED=0
if [ ! -x "$dir/bin/pause" ]; then
    source_tree
    cd "$tree"
    openapi
    programs
fi
images
cd "$dir"
rm -rf "$work"
touch "$dir/.built"
