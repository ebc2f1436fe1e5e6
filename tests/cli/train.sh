#!/bin/sh
# SPDX-License-Identifier: MIT
# Training: names of files, kinds of data, spellings of options, the log, equal models.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
text some.txt

# ---- files ---------------------------------------------------------------
expect 0 "$UNROLL" train some.txt $TINY --steps 6
[ ! -s out ] && [ ! -s err ] || not_ok "-q is not quiet: $(cat out err)"
for file in some.safetensors some.last.safetensors some.state; do
    [ -s "$file" ] || not_ok "$file is missing"
done
cp some.safetensors first.safetensors
expect 0 "$UNROLL" train some.txt $TINY --steps 6 --force
same some.safetensors first.safetensors

mkdir folder
gzip -c some.txt >folder/some.txt.gz
if with_gzip; then
    rm -f some.safetensors some.last.safetensors some.state*
    expect 0 "$UNROLL" train folder/some.txt.gz $TINY --steps 6
    same some.safetensors first.safetensors
fi
"$UNROLL" train - $TINY --steps 6 -o piped.safetensors <some.txt || not_ok "standard input"
same piped.safetensors first.safetensors
expect 0 "$UNROLL" train some.txt $TINY --steps 6 -o named
same named.safetensors first.safetensors
expect 0 "$UNROLL" train $TINY --steps 6 -o dashes.safetensors -- some.txt
same dashes.safetensors first.safetensors

# ---- spellings -----------------------------------------------------------
for options in "--rnn-size 16 --num-layers 1 --batch-size 4 --seq-length 16" \
    "-rnn_size 16 -num_layers=1 -batch_size 4 --seq_length=16" \
    "--hidden_size=16 --layers=1 --batch=4 -seq-length 16"; do
    expect 0 "$UNROLL" train some.txt $options --learning-rate 5e-3 -max_epochs 25 \
        --threads 1 -q --steps 6 -o spelt.safetensors --force
    same spelt.safetensors first.safetensors
done
expect 0 "$UNROLL" train some.txt $TINY --threads 2 --steps 6 -o threads.safetensors
same threads.safetensors first.safetensors

# ---- ends ----------------------------------------------------------------
expect 0 "$UNROLL" train some.txt $TINY --steps 0 -o zero.safetensors
expect 0 "$UNROLL" sample zero.safetensors --length 20
expect 0 "$UNROLL" train some.txt $TINY --time 1s -o time.safetensors
expect 0 "$UNROLL" train some.txt $TINY --epochs 0.1 -o epochs.safetensors --val 0

# ---- networks ------------------------------------------------------------
n=0
for options in "--cell rnn --activation relu" "--cell gru --reset before" "--cell gru --layers 3" \
    "--hidden 12,8,6 --dropout 0.1" "--hidden 8 --tie" "--embed 5 --init orthogonal" \
    "--tokens byte --forget-bias 1" "--optimizer sgd --schedule constant --clip-value 0.5" \
    "--optimizer rmsprop --schedule step" "--optimizer adagrad --schedule plateau --warmup 2"; do
    n=$((n + 1))
    expect 0 "$UNROLL" train some.txt --batch 4 --seq-length 16 --threads 1 -q --steps 3 \
        $options -o "net$n.safetensors" ||
        note "    options: $options"
done
expect 0 "$UNROLL" train some.txt $TINY --init-from first.safetensors --steps 2 -o from.safetensors
head -c 20000 some.txt >part.txt
expect 0 "$UNROLL" train some.txt $TINY --val part.txt --steps 2 -o valfile.safetensors

# ---- what is told --------------------------------------------------------
expect 0 "$UNROLL" train some.txt --hidden 16 --layers 1 --batch 4 --seq-length 16 --steps 20 \
    --eval-every 10 --sample-every 10 --log run.log -o told.safetensors
[ ! -s out ] || not_ok "training prints on stdout"
has err '^network  cell lstm, hidden 16, layers 1, ' '^data  ' ' val [0-9]' '^--- step 10/20 ---$' \
    'told.safetensors' 'unroll sample told.safetensors'
grep -q "$(printf '\r')" err && not_ok "a carriage return where there is no terminal"
[ "$(grep -c '"kind": *"step"' run.log)" -eq 20 ] || not_ok "not 20 steps in the log"
[ "$(grep -c '"kind": *"valid"' run.log)" -ge 2 ] || not_ok "no validations in the log"
has run.log '"kind": *"start"' '"kind": *"sample"' '"kind": *"end"'
grep '"kind": *"valid"' run.log | head -n 1 >line
json line kind step epoch loss bpc lr grad_norm tokens_per_second memory val_loss
expect 0 "$UNROLL" train some.txt --hidden 4 --layers 1 --steps 1 -o 'a b.safetensors'
has err "^next  *.*unroll sample 'a b.safetensors'\$"
has err '^training --batch [0-9]* --lr [0-9.]* --steps 1$'
expect 0 "$UNROLL" train some.txt --hidden 4 --layers 1 --steps 2 --dry-run -o n
has out '^training --batch [0-9]* --lr [0-9.]* --steps 2$'
expect 0 "$UNROLL" train some.txt --hidden 4 --layers 1 --epochs 0.01 --steps 1000 --dry-run -o n
has out '^training --batch [0-9]* --lr [0-9.]* --epochs 0.01$'
expect 0 "$UNROLL" train some.txt --hidden 4 --layers 1 --steps 1 -o -x
has err '^next  *.*unroll sample \./-x.safetensors$'
expect 0 "$UNROLL" train some.txt $TINY --steps 6 -o json.safetensors --json
json out model step epoch loss bpc val_loss best_loss parameters seconds
[ ! -s err ] || not_ok "--json is not alone: $(cat err)"

# ---- characters that only the file to validate on has ----------------------
text seen.txt
{ cat seen.txt | head -n 60; printf 'ca\303\251 ~~\n'; } >other.txt
refuses 3 'other.txt: character "é" (U+00E9) at byte [0-9]* is not in the text to train on; --unk' \
    "$UNROLL" train seen.txt $TINY --steps 20 --val other.txt -o v
for policy in skip replace; do
    expect 0 "$UNROLL" train seen.txt --hidden 16 --layers 1 --batch 4 --threads 1 --steps 30 \
        --val other.txt --unknown $policy -o v.$policy
    has err '^3 characters of other.txt are unknown to the model: '
done
has err 'read as a space$'
expect 0 "$UNROLL" info v.skip.safetensors
has out '^  unknown  *skip$'
expect 0 "$UNROLL" train seen.txt --val other.txt --steps 40 --resume -q -o v.skip
refuses 2 'unknown was "skip" and is "replace" now' "$UNROLL" train seen.txt --val other.txt \
    --unknown replace --steps 50 --resume -q -o v.skip
refuses 2 '^unroll: --unknown belongs to characters or bytes' "$UNROLL" train seen.txt $TINY \
    --unknown skip -o none
refuses 2 'unknown belongs to characters or bytes' "$UNROLL" train seen.txt $TINY \
    --tokens word --val other.txt --unknown skip -o none
# The same when a model is measured: skipping leaves a text without them.
refuses 3 "other.txt: character .* is not in the model's vocabulary; --unknown" \
    "$UNROLL" eval v.skip.safetensors other.txt
# And when one looks into it, or trains on a text with the vocabulary of another.
refuses 3 'other.txt: character "é"' "$UNROLL" see v.skip.safetensors other.txt
expect 0 "$UNROLL" see v.skip.safetensors other.txt --unit 0 --unknown replace --color never
has err '^unroll: 3 characters of other.txt are unknown to the model: read as a space$'
refuses 3 "other.txt: character .* is not in the model's vocabulary; --unknown" \
    "$UNROLL" train other.txt $TINY --steps 3 --vocab-from v.skip.safetensors -o lent
expect 0 "$UNROLL" train other.txt ${TINY% -q} --steps 3 --vocab-from v.skip.safetensors -o lent \
    --unknown skip
has err '^3 characters of other.txt are unknown to the model: skipped$'
expect 0 "$UNROLL" eval v.skip.safetensors other.txt --unknown skip
has err '^unroll: 3 characters of other.txt are unknown to the model: skipped$'
cp out skipped
sed 's/^ca.*~~$/ca /' other.txt >without.txt
expect 0 "$UNROLL" eval v.skip.safetensors without.txt
same out skipped
[ ! -s err ] || not_ok "eval talks: $(cat err)"
expect 0 "$UNROLL" eval v.skip.safetensors other.txt --unknown replace -q
[ ! -s err ] || not_ok "eval -q talks: $(cat err)"
sed 's/^ca.*~~$/ca    /' other.txt >without.txt
cp out replaced
expect 0 "$UNROLL" eval v.skip.safetensors without.txt
same out replaced

finish
