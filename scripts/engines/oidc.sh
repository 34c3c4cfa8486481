#!/usr/bin/env bash
# A real OIDC provider (the npm package oidc-provider, which is certified) for tests.
#   scripts/engines/oidc.sh install                       it and what it needs, into .cache/engines/oidc-VERSION, once
#   scripts/engines/oidc.sh run PORT SECRET REDIRECT_URI  installs, serves http://127.0.0.1:PORT until it is ended; says
#                                                         "ready" when it does. Its one client is `baygrid`
#   scripts/engines/oidc.sh lock                          oidc-lock.json anew: newest releases, no addresses in it
# Variables: BAYGRID_ENGINES (for .cache/engines). Exit code 3: it cannot be installed, for want of npm or of the packages.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
engines=$(realpath -m "${BAYGRID_ENGINES:-$here/../../.cache/engines}")
lock=$here/oidc-lock.json

die() { printf 'oidc: %s\n' "$1" >&2; exit "${2:-1}"; }

version() { sed -n 's/.*"oidc-provider": "\([0-9.]*\)".*/\1/p' "$lock" | head -n 1; }

# npm in DIR, told nothing of this project and asked for nothing else.
npm_in() { (cd "$1" && npm "${@:2}" --no-audit --no-fund --ignore-scripts --omit-lockfile-registry-resolved --loglevel error >&2); }

install() {
    if [ -e "$modules/.complete" ]; then return; fi
    command -v npm >/dev/null && command -v node >/dev/null || die "needs npm and node; on Debian: apt-get install npm" 3
    mkdir -p "$modules"
    printf '{"name": "oidc", "private": true, "dependencies": {"oidc-provider": "%s"}}\n' "$(version)" >"$modules/package.json"
    cp "$lock" "$modules/package-lock.json"
    npm_in "$modules" ci || die "cannot be installed into $modules" 3
    touch "$modules/.complete"
}

case "${1:-}" in
    lock)
        folder=$(mktemp -d)
        trap 'rm -r "$folder"' EXIT
        printf '{"name": "oidc", "private": true}\n' >"$folder/package.json"
        npm_in "$folder" install --save-exact oidc-provider
        cp "$folder/package-lock.json" "$lock" ;;
    install) modules=$engines/oidc-$(version); install ;;
    run)
        [ $# = 4 ] || die "run takes PORT, SECRET and REDIRECT_URI" 2
        modules=$engines/oidc-$(version); install >&2
        exec node "$here/oidc.mjs" "$modules" "${@:2}" ;;
    *) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
