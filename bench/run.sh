#!/bin/sh
# SPDX-License-Identifier: MIT
# `make bench`: this machine's speed, and beside PyTorch where one is installed.
set -eu
build=${1:-build}
"$build/unroll" bench
if command -v python3 >/dev/null 2>&1; then
    echo
    python=python3
    # A distribution's PyTorch belongs to the distribution's Python.
    if ! python3 -c 'import torch' 2>/dev/null; then
        /usr/bin/python3 -c 'import torch' 2>/dev/null && python=/usr/bin/python3
    fi
    "$python" "$(dirname "$0")/peers.py" "$build/unroll" --csv "$build/bench-results.csv"
fi
