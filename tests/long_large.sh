#!/bin/sh
# SPDX-License-Identifier: MIT
# A text of 2 GB trains and validates, is measured and looked at, within 300 MB of resident
# memory: as bytes, characters and words, plain, compressed and through a pipe; so do words of
# which each is another. Then texts of six billion tokens, which need no disk.
set -u
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1024)}')
[ "$free" -ge 7000 ] || { echo "skipped: 7 GB of disk are needed, $free MB are free"; exit 77; }
folder=$(mktemp -d "$PWD/large.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cd "$folder" || exit 1
export TMPDIR="$folder"
failed=0

python3 - <<'END'
import random
draw = random.Random(1)
words = ["w%x" % draw.randrange(1 << 20) for _ in range(20000)]
words += ["caf\u00e9", "\u4e2d\u6587"] * 500
def block(n):
    line = []
    while n > 0:
        word = draw.choice(words)
        line.append(word + ("\n" if draw.random() < .1 else " "))
        n -= len(word) + 1
    return "".join(line).encode()
with open("text", "wb") as f:
    blocks = [block(1 << 20) for _ in range(16)]
    while f.tell() < 2_000_000_000:
        f.write(blocks[draw.randrange(16)])
with open("val", "wb") as f:
    f.write(blocks[3])
# Each word is another.
with open("hostile", "wb") as f:
    i = 0
    while f.tell() < 300_000_000:
        each = [b"%x" % (n * 2654435761 % (1 << 32)) for n in range(i, i + 100000)]
        f.write(b" ".join(each) + b" a a\n")
        i += 100000
END
gzip -1 -c text >text.gz

# within NAME COMMAND...: it succeeds, and its largest resident set is below 300 MB.
within() {
    what=$1
    shift
    python3 - "$what" "$@" <<'END' || failed=$((failed + 1))
import os
import sys
import time
what, command = sys.argv[1], sys.argv[2:]
began = time.time()
child = os.fork()
if child == 0:
    if os.path.exists("pipe"):
        os.dup2(os.open("pipe", os.O_RDONLY), 0)
    os.dup2(os.open("out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.execvp(command[0], command)
_, status, usage = os.wait4(child, 0)
most = usage.ru_maxrss * 1024 / 1e6
print("%-28s %4.0f MB resident, %4.0f s" % (what, most, time.time() - began), flush=True)
sys.exit(status != 0 or most > 300)
END
}

small="--layers 1 --hidden 64 --embed 16 --steps 1 --force -q --val val"
for tokens in byte char word; do
    # shellcheck disable=SC2086
    within "train $tokens" "$UNROLL" train text $small --tokens "$tokens" \
        -o "$tokens.safetensors"
done
# shellcheck disable=SC2086
within "train char, .gz" "$UNROLL" train text.gz $small -o gz.safetensors
cmp char.safetensors gz.safetensors || failed=$((failed + 1))
mkfifo pipe
cat text >pipe &
# shellcheck disable=SC2086
within "train char, a pipe" "$UNROLL" train - $small -o piped.safetensors
rm pipe
cmp char.safetensors piped.safetensors || failed=$((failed + 1))
# 65,536 words in any net's two tables: a small one, or its moments outweigh the text's words.
within "train words, all different" "$UNROLL" train hostile --layers 1 --hidden 16 --embed 8 \
    --steps 1 --force -q --val val --tokens word --min-count 1 -o hostile.safetensors
within "dry run, char" "$UNROLL" train text --layers 1 --hidden 64 --dry-run -o dry.safetensors
head -c 20000000 text >part
within "eval byte, 20 MB" "$UNROLL" eval byte.safetensors part --protocol window --json
within "see char" "$UNROLL" see char.safetensors text --limit 1000 --color never
rm -f text text.gz hostile part

tests=$(dirname "$UNROLL")/tests
if [ -x "$tests/test_large" ]; then
    UNROLL_LARGE=1 "$tests/test_large" || failed=$((failed + 1))
else
    echo "skipped: $tests/test_large was not built"
fi
[ "$failed" -eq 0 ]
