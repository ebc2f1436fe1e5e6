#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares BLEU and chrF2 with those of the installed sacreBLEU (tests/sacrebleu/compare.py).
#
# Environment: SOURCE_DIR, UNROLL_DATA, FIGURES (the program made of tests/sacrebleu/figures.c),
# UNROLL_SACREBLEU_PYTHON (an interpreter that can import sacrebleu; python3). Exits 77 without one.
python=${UNROLL_SACREBLEU_PYTHON:-python3}
data=$UNROLL_DATA/translate
if ! "$python" -c 'import sacrebleu' 2>/dev/null; then
    echo "$python cannot import sacrebleu (UNROLL_SACREBLEU_PYTHON names another)"
    exit 77
fi
if [ ! -r "$data/en-ja-dev.tsv.gz" ]; then
    echo "$data/en-ja-dev.tsv.gz is not there"
    exit 77
fi
PYTHONDONTWRITEBYTECODE=1 exec "$python" "$SOURCE_DIR/tests/sacrebleu/compare.py" \
    --figures "$FIGURES" --data "$data"
