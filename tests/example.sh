#!/bin/sh
# SPDX-License-Identifier: MIT
# example.sh PROGRAM: runs an example to its end in an empty folder, which it leaves empty. What the
# one of docs/FIRST_NET.md prints last stands there.
set -u
first_net=$(cd "$(dirname "$0")/.." && pwd)/docs/FIRST_NET.md
folder=$(mktemp -d "${TMPDIR:-/tmp}/unroll-example.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cd "$folder" || exit 1
status=0
said=$("$1") || status=$?
printf '%s\n' "$said"
if [ -n "$(ls -A)" ]; then
    echo "left behind: $(ls -A)"
    exit 1
fi
case $1 in *classify)
    last=$(printf '%s\n' "$said" | tail -n 1)
    grep -qxF -- "$last" "$first_net" && exit "$status"
    echo "docs/FIRST_NET.md does not have: $last"
    exit 1 ;;
esac
exit "$status"
