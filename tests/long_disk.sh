#!/bin/sh
# SPDX-License-Identifier: MIT
# What disks, kills and signals do to a training run, the whole campaign: 300 killed runs,
# 50 stopped by SIGTERM and 50 by SIGINT, every failure of a file operation, every cut of
# the power. The quick part of each is in `make test`.
set -u
programs=$(dirname "$UNROLL")/tests
for name in kill stop faults torn; do
    [ -x "$programs/test_$name" ] || { echo "skipped: test_$name was not built"; exit 77; }
done
UNROLL_LONG=1 UNROLL_KILLS=300 UNROLL_STOPS=50
export UNROLL_LONG UNROLL_KILLS UNROLL_STOPS
failed=0
for name in faults torn kill stop; do
    "$programs/test_$name" || { failed=$((failed + 1)); echo "failed: test_$name"; }
done
[ "$failed" -eq 0 ]
