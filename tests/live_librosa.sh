#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares log-mel frames with those of the librosa that is installed (tests/librosa/compare.py).
#
# Environment: SOURCE_DIR, UNROLL_DATA, FRAMES (the program made of tests/librosa/frames.c),
# UNROLL_LIBROSA_PYTHON (an interpreter that can import librosa; python3). Exits 77 without one.
python=${UNROLL_LIBROSA_PYTHON:-python3}
data=$UNROLL_DATA/digits/spoken-digits.tar.gz
if ! "$python" -c 'import librosa' 2>/dev/null; then
    echo "$python cannot import librosa (UNROLL_LIBROSA_PYTHON names another)"
    exit 77
fi
if [ ! -r "$data" ]; then
    echo "$data is not there"
    exit 77
fi
PYTHONDONTWRITEBYTECODE=1 exec "$python" "$SOURCE_DIR/tests/librosa/compare.py" \
    --frames "$FRAMES" --data "$data"
