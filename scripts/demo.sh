#!/usr/bin/env bash
# A small region on this machine, from its first start to its first bill: scripts/demo/ in the project's environment.
#   DEMO_LANG=en|zh-Hans|zh-Hant|ja   DEMO_COUNT=3000 (images)   DEMO_KEEP=1 (leave it running until Ctrl-C)
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python -m scripts.demo "$@"
