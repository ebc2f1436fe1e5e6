#!/bin/sh
# SPDX-License-Identifier: MIT
# train --dry-run: what it says is what the run does, it writes nothing, and it refuses what
# the run would refuse, with the same status.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
text some.txt

# field FILE KEY: a number of the one object in it.
field() {
    sed -n "s/.*\"$2\": *\\([0-9.e+-]*\\).*/\\1/p" "$1"
}

# ---- what it says ----------------------------------------------------------
ls -A >before
expect 0 "$UNROLL" train some.txt --hidden 16 --layers 1 --batch 4 --seq-length 16 --dry-run
cp out said
ls -A | grep -v -x -e out -e err -e said -e after >after
same before after
[ ! -s err ] || not_ok "the plan is not alone: $(cat err)"
has said '^data     .* different chars: .* chars for training, .* held out$' \
    '^network  .* parameters$' '^steps    .* per epoch: 25.00 epochs$' '^memory   .* at most$' \
    '^  activations ' '^files    model .* and state ' '^time     .*s per step here: about '
grep -q weight_ih said && not_ok "parameters are listed without -v"
expect 0 "$UNROLL" train some.txt $TINY --dry-run -v
expect 0 "$UNROLL" train some.txt --hidden 16 --layers 1 --dry-run -v
has out '^  rnn.weight_ih_l0  *64,[0-9]* ' '^  decoder.bias  *[0-9]* '
expect 0 "$UNROLL" train some.txt $TINY --tokens word --dry-run
has out '^unknown  ' ' words for training'
expect 0 "$UNROLL" train some.txt $TINY --epochs 1e9 --time 90s --dry-run
has out 'about 1:30$'

# ---- beside the run --------------------------------------------------------
wide="--hidden 200 --batch 32 --seq-length 64 --threads 1"
expect 0 "$UNROLL" train some.txt $wide --steps 12 --dry-run --json
cp out plan
json plan vocabulary train_tokens val_tokens epoch_steps steps parameters tensors memory files \
    step_seconds seconds
expect 0 "$UNROLL" train some.txt $wide --steps 12 --json --log run.log -o wide.safetensors
json out memory memory_peak
for key in vocabulary train_tokens val_tokens parameters; do
    [ "$(field plan $key)" = "$(field out $key)" ] ||
        not_ok "$key: $(field plan $key) was planned, $(field out $key) it is"
done
grep '"kind": *"end"' run.log >end
json end memory memory_peak
most=$(field plan most)
peak=$(field end memory_peak)
[ "$peak" -le "$most" ] && [ $((peak * 115)) -ge $((most * 100)) ] ||
    not_ok "$most bytes were planned and $peak taken"
[ "$(grep '"kind": *"start"' run.log | grep -c "\"memory_planned\": *$most[,}]")" -eq 1 ] ||
    not_ok "the run's own plan is another: $(head -n 1 run.log)"
expect 0 "$UNROLL" train some.txt $wide --steps 12 --resume --dry-run -o wide.safetensors
has out '^done     all; the run is finished$'
expect 0 "$UNROLL" train some.txt $wide --steps 20 --resume --dry-run -o wide.safetensors
has out '^steps    20, ' '^done     12$'

# ---- the same in the end ---------------------------------------------------
expect 0 "$UNROLL" train some.txt $wide --steps 12 -q -o again.safetensors
same wide.safetensors again.safetensors

# ---- refusals --------------------------------------------------------------
mkdir shut
for options in "-o again.safetensors" "-o nowhere/m.safetensors" "-o shut/" "--batch 100000" \
    "--val missing.txt" "--init-from some.txt" "--tie --embed 7" "--schedule plateau --val 0" \
    "--reset before" "--hidden 23000 --layers 32"; do
    runs "$UNROLL" train some.txt --threads 1 $options
    cp err run.err
    code=$status
    [ "$code" -ne 0 ] || not_ok "trains: $options"
    refuses "$code" . "$UNROLL" train some.txt --threads 1 $options --dry-run
    grep -v '^unroll: ' run.err && not_ok "not a sentence alone: $options"
    same err run.err
done
refuses 4 'this run needs .* GiB of memory' "$UNROLL" train some.txt --hidden 23000 --layers 32
refuses 5 'log run.log exists' "$UNROLL" train some.txt --log run.log --dry-run

finish
