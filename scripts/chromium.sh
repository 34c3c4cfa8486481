#!/usr/bin/env bash
# The browser in which the tests look at the portal and the documentation.
#   scripts/chromium.sh install      Debian's package, when it is not there (as root)
set -euo pipefail
[ "${1:-}" = install ] || { sed -n '2,3s/^# \{0,1\}//p' "$0" >&2; exit 2; }
if command -v chromium >/dev/null; then exit; fi
[ "$(id -u)" = 0 ] || { echo "chromium: not installed; run: sudo scripts/chromium.sh install" >&2; exit 3; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o Acquire::Retries=3 update
apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends chromium
