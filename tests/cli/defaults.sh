#!/bin/sh
# SPDX-License-Identifier: MIT
# Defaults that the documents state are those of --help.
command -v python3 >/dev/null 2>&1 || { echo "skipped: no python3"; exit 77; }
. "$(dirname "$0")/lib.inc"
checks() {
    runs python3 "$SOURCE_DIR/tools/check_defaults.py" "$UNROLL" "$@"
}

# ---- the check itself: each form, right and wrong ------------------------
cat >right.md <<'END'
With `--layers` (2) of `--hidden`
(128), or `weight_decay` (adamw: 0.01, else 0); the `cosine` (default).

**adamw** (default) or `--protocol stream` (default)

    ‖g‖ > c    clip_norm, --clip-norm (1.0)

| option | default | meaning |
|---|---|---|
| `seq_length`, `layers`, `steps` | 64, 2, none | not read (7) |
END
checks right.md
[ "$status" -eq 0 ] && has out '^10 defaults in 1 files, 0 faults' || not_ok "right: $(cat out)"

# Each line is wrong, whatever stands around it.
cat >wrong.md <<'END'
With `--layers` (3) units.
- With `hidden` (64)
- and `weight_decay` (0.01)
- The `constant` (default) of schedules
- **sgd** (default)
- `--protocol window` (default)
- `--val` (none)
- --clip-norm (off)
- By default `--layers` may be 2.
- ten layers unless given
END
printf '%s\n' '' '| option | default |' '|---|---|' '| `seq_length` | 63 |' \
    '| `epochs`, `patience` | none, none |' '| `nothing` | 1 |' >>wrong.md
checks wrong.md
[ "$status" -eq 1 ] || not_ok "status $status of what is wrong"
for line in 1 2 3 4 5 6 7 8 9 10 14 15 16; do
    [ "$(grep -c "wrong.md:$line: " out)" -eq 1 ] || not_ok "line $line passes: $(cat out)"
done
: >empty.md
checks empty.md
[ "$status" -eq 1 ] || not_ok "nothing stated is taken for right"

# ---- the documents -------------------------------------------------------
checks
[ "$status" -eq 0 ] || not_ok "$(cat out err)"
tail -n 1 out

finish
