#!/bin/sh
# SPDX-License-Identifier: MIT
# Cross-validation: folds that a run holds out by number, and the script that goes through all of
# them.
# shellcheck disable=SC2086  # options are lists
. "$(dirname "$0")/lib.inc"

awk 'BEGIN {
    split("ann bob cyd", who, " ")
    for (i = 0; i < 90; i++) {
        print (i % 2 ? "yes" : "no") "," (i % 2 ? "a net" : "no") " " i % 7 "," who[i % 3 + 1]
    }
}' >texts.csv
FORM="--task classify --column 1 --text-column 2 --hidden 4 --embed 4 --threads 1"

# ---- folds -----------------------------------------------------------------
expect 0 "$UNROLL" train texts.csv $FORM --group 3 --fold 2/3 --steps 5 -o f
has err '^data     60 examples for training, 30 held out' 'held out: \(ann\|bob\|cyd\)$'
expect 0 "$UNROLL" eval f.safetensors texts.csv --part val --json
has out '"n":30'
expect 0 "$UNROLL" train texts.csv $FORM --fold 3/4 --steps 5 -o g -q
expect 0 "$UNROLL" info g.safetensors
has out 'fold.*3/4'
expect 2 "$UNROLL" train texts.csv $FORM --fold 5/4 -o bad
has err '^unroll: --fold 5/4: must be K/N'
expect 2 "$UNROLL" train texts.csv $FORM --fold 1/4 --val texts.csv -o bad
has err '^unroll: --fold 1/4: .* the file of val'
expect 3 "$UNROLL" train texts.csv $FORM --group 3 --fold 1/4 -o bad
has err '3 groups cannot be cut into 4 parts'
[ ! -e bad.safetensors ] || not_ok "a refused run left a model"

if command -v python3 >/dev/null 2>&1; then
    SCRIPT="$SOURCE_DIR/bench/cross_validate.py"
    expect 0 python3 "$SCRIPT" "$UNROLL" texts.csv --folds 3 -- $FORM --group 3 --steps 60 --lr 0.02
    has out '^fold 1/3  n 30  accuracy ' 'ann$' 'bob$' 'cyd$' '^all  n 90  accuracy 1.0000$' \
        '^f1  mean 1.0000  deviation 0.0000$'
    cp out first
    expect 0 python3 "$SCRIPT" "$UNROLL" texts.csv --folds 3 --jobs 2 -- $FORM --group 3 \
        --steps 60 --lr 0.02
    sed 's/  [0-9]* s  /  /' first >want
    sed 's/  [0-9]* s  /  /' out >got
    same got want
    expect 2 python3 "$SCRIPT" "$UNROLL" texts.csv --folds 3 -- $FORM --patience 3
    has err 'chooses nothing by what is held out'
    expect 1 python3 "$SCRIPT" "$UNROLL" texts.csv --folds 3 -- $FORM --hidden none
    has err 'status 2 of '
fi
finish
