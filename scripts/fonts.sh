#!/usr/bin/env bash
# The fonts of papers in English, Chinese and Japanese (SIL Open Font License).
#   scripts/fonts.sh install      Debian's package, when it is not there (as root)
set -euo pipefail
[ "${1:-}" = install ] || { sed -n '2,3s/^# \{0,1\}//p' "$0" >&2; exit 2; }
if [ -n "$(find /usr/share/fonts /usr/local/share/fonts "${HOME:-/root}/.local/share/fonts" -iname 'NotoSansCJK*' -print -quit 2>/dev/null)" ]; then exit; fi
[ "$(id -u)" = 0 ] || { echo "fonts: not installed; run: sudo scripts/fonts.sh install" >&2; exit 3; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o Acquire::Retries=3 update
apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends fonts-noto-cjk
