#!/bin/sh
# SPDX-License-Identifier: MIT
# make bench beside peers that answer with what is no number, or end: a line says so, and the
# others are measured without them.
. "$(dirname "$0")/lib.inc"
command -v python3 >/dev/null 2>&1 || {
    note "python3 is not installed"
    exit 77
}
mkdir -p build/bench
row='train rnn 1 1 1 1'

# side NAME ANSWER: a program that answers every time with this; "end" ends it.
side() {
    cat >"build/bench/$1" <<SIDE
#!/bin/sh
if [ "\$1" = --list ]; then
    printf '$row\t1\t1\t0\t1\t1\t1\n'
    exit
fi
echo '$1 1.0'
while read -r question rest; do
    case \$question in
    values) [ '$2' = good ] && { printf 'h 1\n'; printf '\0\0\0\0'; } >"\${rest%% *}" ||
                echo garbage >"\${rest%% *}"
            echo ok ;;
    time | fma | read) [ '$2' = end ] && exit 3
            [ '$2' = good ] && echo 0.5 0.25 || echo '$2' ;;
    *) echo none ;;
    esac
done
SIDE
    chmod +x "build/bench/$1"
}

side unroll good
side limits good
side onednn-good good
n=0
for answer in 'Warning: no AVX' 'nan' 'inf' '-1' '0' '' '0.5 s' \
    'Traceback (most recent call last)'; do
    n=$((n + 1))
    side "onednn-bad$n" "$answer"
done
side onednn-ends end

for mode in '' --check; do
    # shellcheck disable=SC2086
    runs env UNROLL_TORCH_PYTHON=/nowhere python3 "$SOURCE_DIR/bench/run.py" build --threads 1 \
        --rounds 1 --seconds 0.01 --isa avx2 --rows "^$row\$" $mode
    grep -q Traceback out err && ! grep -q "answers 'Traceback" err && not_ok "$mode: $(cat err)"
    has out 'onednn-good'
    for i in $(seq $n); do
        [ "$(grep -c "onednn-bad$i" err)" -eq 1 ] || not_ok "$mode bad$i: $(grep "bad$i" err)"
    done
done
has err 'onednn-bad1 1.0: values .*cannot be read'
expect 0 env UNROLL_TORCH_PYTHON=/nowhere python3 "$SOURCE_DIR/bench/run.py" build --threads 1 \
    --rounds 1 --seconds 0.01 --isa avx2 --rows "^$row\$"
has err "onednn-bad1 1.0: time 0 $row: answers 'Warning: no AVX' where numbers are expected" \
    'onednn-ends 1.0: .*the program has ended with status 3'
has out 'results.csv written'

# Our own is what all are compared with.
for ours in unroll limits; do
    side $ours rubbish
    runs env UNROLL_TORCH_PYTHON=/nowhere python3 "$SOURCE_DIR/bench/run.py" build --threads 1 \
        --rounds 1 --seconds 0.01 --isa avx2 --rows "^$row\$"
    [ "$status" -eq 1 ] || not_ok "$ours: status $status"
    has err "^run.py: $ours 1.0: .*: answers 'rubbish' where numbers are expected"
    side $ours good
done

finish
