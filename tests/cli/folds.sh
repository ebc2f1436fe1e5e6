#!/bin/sh
# SPDX-License-Identifier: MIT
# Cross-validation: folds that a run holds out by number, and the script that goes through all of
# them; and long sequences, learnt in pieces.
# shellcheck disable=SC2086  # options are lists
. "$(dirname "$0")/lib.inc"

awk 'BEGIN {
    split("ann bob cyd", who, " ")
    for (i = 0; i < 90; i++) {
        print (i % 2 ? "yes" : "no") "," (i % 2 ? "a net" : "no") " " i % 7 "," who[i % 3 + 1]
        for (k = 0; k < 1 + i * 11 % 70; k++)
            print k % 5 / 4 "," i % 3 "," (k % 5 > 2 ? "up" : "down") >"frames.csv"
        print "" >"frames.csv"
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
has err '^unroll: --fold 1/4: val says what is held out, too: give one of the two'
expect 2 "$UNROLL" train texts.csv $FORM --fold 1/4 --val 0.1 -o bad
has err '^unroll: --fold 1/4: val says what is held out, too'
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

# ---- pieces ----------------------------------------------------------------
TAG="--task tag --hidden 6 --threads 1 -q"
expect 2 "$UNROLL" train frames.csv $TAG --seq-length 9 -o bad
has err '^unroll: --seq-length 9: .* piece, as it reads from both ends: set bidirectional to no$'
expect 2 "$UNROLL" train frames.csv $TAG --seq-length 9 --bidirectional no --crf -o bad
has err 'leave out crf or feedback$'
TAG="$TAG --bidirectional no --seq-length 9 --schedule constant --eval-every 50"
expect 0 "$UNROLL" train frames.csv $TAG --steps 100 -o whole
expect 0 "$UNROLL" train frames.csv $TAG --steps 43 -o part
expect 0 "$UNROLL" train frames.csv --task tag --resume --steps 100 -o part -q --eval-every 50
same part.safetensors whole.safetensors
same part.last.safetensors whole.last.safetensors
expect 0 "$UNROLL" eval whole.safetensors frames.csv --part val --json
json out accuracy loss n
finish
