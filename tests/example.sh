#!/bin/sh
# SPDX-License-Identifier: MIT
# example.sh PROGRAM: runs an example to its end in an empty folder, which it leaves empty.
set -u
folder=$(mktemp -d "${TMPDIR:-/tmp}/unroll-example.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cd "$folder" || exit 1
status=0
"$1" || status=$?
if [ -n "$(ls -A)" ]; then
    echo "left behind: $(ls -A)"
    exit 1
fi
exit "$status"
