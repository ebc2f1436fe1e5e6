#!/bin/sh
# SPDX-License-Identifier: MIT
# How far back gradients reach: the report is right in form, the same for any number of
# threads, and leaves no trace in what is trained.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
text some.txt

refuses 2 'report-gradients.*--log' "$UNROLL" train some.txt $TINY --report-gradients

refuses 2 '--report-gradients belongs to --task lm$' "$UNROLL" train some.txt $TINY --task fill \
    --report-gradients --log no.jsonl

# Dropout and a carried state are what a second look at a batch could disturb.
compared=0
for net in "--cell lstm --dropout 0.2" "--cell gru --embed 8" \
    "--cell rnn --learned-state --zoneout 0.1"; do
    options="--hidden 12,10 --batch 4 --seq-length 16 --threads 1 -q --steps 30 --eval-every 7 $net"
    expect 0 "$UNROLL" train some.txt $options --force -o without.safetensors
    expect 0 "$UNROLL" train some.txt $options --force -o with.safetensors --log with.jsonl \
        --report-gradients
    for ending in safetensors last.safetensors state; do
        same "without.$ending" "with.$ending"
        compared=$((compared + 1))
    done
    expect 0 "$UNROLL" train some.txt $options --force -o two.safetensors --log two.jsonl \
        --threads 2 --report-gradients
    grep gradient_by_distance with.jsonl >one
    grep gradient_by_distance two.jsonl >two
    same one two
    # At the start, after each validation (7, 14, 21, 28) and at the end.
    [ "$(wc -l <one)" -eq 6 ] || not_ok "$(wc -l <one) reports instead of 6: $net"
done
note "$compared files alike with and without the report"

# Stopped between two validations and resumed: the same reports, none twice.
expect 0 "$UNROLL" train some.txt $TINY --steps 14 --eval-every 7 -o part.safetensors \
    --log part.jsonl --report-gradients --schedule constant
expect 0 "$UNROLL" train some.txt $TINY --steps 28 --eval-every 7 -o part.safetensors \
    --log part.jsonl --report-gradients --schedule constant --resume
expect 0 "$UNROLL" train some.txt $TINY --steps 28 --eval-every 7 -o whole.safetensors \
    --log whole.jsonl --report-gradients --schedule constant
grep -o '"gradient_by_distance.*' part.jsonl >part
grep -o '"gradient_by_distance.*' whole.jsonl >whole
same part whole
# A window of one step has no step before it; one token a step is no special case else.
expect 0 "$UNROLL" train some.txt $TINY --seq-length 1 --steps 2 -o one.safetensors \
    --log one.jsonl --report-gradients
has one.jsonl '"layer 0": *\[\]'

expect 0 "$UNROLL" plot with.jsonl --gradients
has out '>layer 1, step 30<'

command -v python3 >/dev/null 2>&1 || finish
python3 - with.jsonl <<'END' || not_ok "the norms are not as they should be"
import json
import sys
entries = [json.loads(line) for line in open(sys.argv[1])]
found = [e for e in entries if "gradient_by_distance" in e]
assert [e["step"] for e in found] == [0, 7, 14, 21, 28, 30], found
for e in found:
    layers = e["gradient_by_distance"]
    assert list(layers) == ["layer 0", "layer 1"], layers
    # Windows are 16 long; h of a simple net of few units forgets, so the far end is smaller.
    for norms in layers.values():
        assert len(norms) == 15 and all(0 < x < 10 for x in norms), norms
        assert norms[14] < norms[0], norms
END
finish
