#!/usr/bin/env bash
# What tests need that lay cables between network namespaces of their own.
#   scripts/namespaces.sh install      Debian's packages, when they are not there (as root)
set -euo pipefail
[ "${1:-}" = install ] || { sed -n '2,3s/^# \{0,1\}//p' "$0" >&2; exit 2; }
if [ "$(command -v ip tc iptables unshare nsenter | wc -l)" = 5 ]; then exit; fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o Acquire::Retries=3 update
apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends iproute2 iptables util-linux
