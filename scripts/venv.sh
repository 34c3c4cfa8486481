#!/usr/bin/env bash
# The project's environment in .venv, from nothing but Python 3.11 or newer and pip.
#   scripts/venv.sh         what requirements.lock pins, checked by hash, then the project itself (editable)
#   scripts/venv.sh lock    requirements.lock anew, from pyproject.toml: newest releases, no addresses in it
#   scripts/venv.sh lock FILE PACKAGE...   FILE anew for these packages: the lock of an environment apart
#   scripts/venv.sh into DIR WHAT...       an environment apart in DIR, with what `uv pip install` is told
set -euo pipefail
cd "$(dirname "$0")/.."

die() { printf 'venv: %s\n' "$1" >&2; exit 1; }

python_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14; do
        if python_new_enough "$candidate"; then command -v "$candidate"; return; fi
    done
    die "no Python 3.11 or newer found; install it, or say where it is: make PYTHON=/path/to/python3"
}

# Into a fresh environment without its own pip: Debian's python3 needs python3-venv for that one, and we need only uv.
bootstrap() {
    if [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && [ -x .venv/bin/uv ]; then return; fi
    local python; python=$(find_python)
    "$python" -m pip --version >/dev/null 2>&1 ||
        die "$python has no pip; on Debian: apt-get install python3-pip, or name another: make PYTHON=/path/to/python3"
    "$python" -m venv --without-pip --clear .venv || die "$python cannot make a virtual environment"
    local install=("$python" -m pip --python .venv/bin/python --disable-pip-version-check --quiet install)
    if [ -f requirements.lock ]; then
        sed -n '/^uv==/,/[^\]$/p' requirements.lock >.venv/uv.txt   # its line and its hashes
        "${install[@]}" --require-hashes --requirement .venv/uv.txt
    else
        "${install[@]}" uv
    fi
}

# uv reads neither pip's settings nor, unless told, this machine's own certificates (a company's proxy has some).
follow_pip() {
    local index=${PIP_INDEX_URL:-}
    [ -n "$index" ] || index=$("$(find_python)" -m pip config get global.index-url 2>/dev/null || true)
    if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then export UV_DEFAULT_INDEX=$index; fi
    [ ! -s /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
}

export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
if command -v flock >/dev/null; then exec 9>.venv.lock; flock 9; fi
bootstrap
follow_pip
uv=(.venv/bin/uv --quiet)
if [ "${1:-}" = into ]; then
    [ -x "$2/bin/python" ] || "${uv[@]}" venv --python .venv/bin/python "$2"
    exec "${uv[@]}" pip install --python "$2/bin/python" "${@:3}"
fi
if [ "${1:-}" = lock ]; then
    compile=("${uv[@]}" pip compile --universal --python-version 3.11 --upgrade --generate-hashes --no-annotate --no-emit-index-url)
    if [ $# -gt 1 ]; then
        exec "${compile[@]}" --custom-compile-command "scripts/venv.sh lock" --output-file "$2" - < <(printf '%s\n' "${@:3}")
    fi
    exec "${compile[@]}" pyproject.toml --all-extras --group dev --custom-compile-command "make lock" --output-file requirements.lock
fi
"${uv[@]}" pip install --python .venv/bin/python --require-hashes --requirement requirements.lock
"${uv[@]}" pip install --python .venv/bin/python --no-deps --no-build-isolation --editable .
touch .venv/.stamp
