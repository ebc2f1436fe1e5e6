#!/bin/sh
# SPDX-License-Identifier: MIT
# tools/plot_log.py: figures of a log made by hand, whose curves are known, and of a real one.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
command -v python3 >/dev/null 2>&1 || { echo "skipped: no python3"; exit 77; }
plot="python3 $SOURCE_DIR/tools/plot_log.py"

# curves FILE: how many there are; the file must be well-formed, and each point finite and
# inside the figure.
curves() {
    python3 - "$1" <<'END'
import sys
import xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
_, _, width, height = map(float, root.get("viewBox").split())
lines = [e for e in root.iter() if e.tag.endswith("polyline")]
for line in lines:
    for point in line.get("points").split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= width and 0 <= y <= height, point
print(len(lines))
END
}

# draws N ARGUMENTS...: a figure of N curves, in out.
draws() {
    draws_n=$1
    shift
    expect 0 $plot "$@" || return 1
    draws_found=$(curves out) || { not_ok "no sound figure: $*"; return 1; }
    [ "$draws_found" = "$draws_n" ] || not_ok "$draws_found curves instead of $draws_n: $*"
}

# ---- a log made by hand ----------------------------------------------------
cat >made.jsonl <<'END'
{"kind":"start","step":0,"steps":4}
{"kind":"step","step":1,"loss":4.0,"val_loss":null}
{"kind":"step","step":2,"loss":2.0,"val_loss":null}
{"step":2,"gradient_by_distance":{"layer 0":[1e-1,1e-3,0,1e-5],"layer 1":[0.5,0.25,0.1,0.06]}}
{"kind":"valid","step":2,"loss":3.0,"val_loss":3.5}
{"kind":"step","step":3,"loss":null}
{"kind":"step","step":4,"loss":1.0,"val_loss":3.5}
{"step":4,"gradient_by_distance":{"layer 0":[1e-2,1e-4,1e-6,1e-8],"layer 1":[0.5,0.25,0.1,0.06]}}
{"kind":"valid","step":4,"loss":1.5,"val_loss":2.5}
{"kind":"note","step":4,"text":"<&>"}
{"kind":"st
END
draws 2 made.jsonl
has err 'made.jsonl:11: not JSON, left out'
has out '>training<' '>validation<' 'step (updates)' 'loss (nats a token)' '>2.5<'
# Of 3 points between 1 and 4 on the linear scale the second lies at a third of the height.
python3 - out <<'END' || not_ok "the points are not where they belong"
import re
import sys
points = [tuple(map(float, p.split(",")))
          for p in re.search(r'points="([^"]*)"', open(sys.argv[1]).read()).group(1).split()]
(x1, y1), (x2, y2), (x4, y4) = points
assert abs((y2 - y4) / (y1 - y4) - 1 / 3) < 1e-2 and abs((x2 - x1) / (x4 - x1) - 1 / 3) < 1e-2
END
draws 2 made.jsonl --log-x --log-y --unit bits --title 'a < b'
has out 'loss (bits a token)' '>a &lt; b<'
draws 4 made.jsonl made.jsonl --labels one two
has out '>one, training<' '>two, validation<'

draws 4 made.jsonl --gradients
has out '>layer 0, step 2<' '>layer 1, step 4<' 'distance k (steps back)' 'norm of the gradient'
draws 1 made.jsonl --gradients --steps last --layer 0
# Norms that fall by a hundred each step are a straight line on the logarithmic scale.
python3 - out <<'END' || not_ok "the norms are no straight line"
import re
import sys
y = [float(p.split(",")[1])
     for p in re.search(r'points="([^"]*)"', open(sys.argv[1]).read()).group(1).split()]
falls = [b - a for a, b in zip(y, y[1:])]
assert len(y) == 4 and min(falls) > 10 and max(falls) - min(falls) < 0.3, y
END
draws 2 made.jsonl made.jsonl --labels rnn lstm --gradients --steps 4 --layer 1
has out '>rnn, layer 1, step 4<' '>lstm, layer 1, step 4<'
expect 0 $plot made.jsonl -o made.svg
[ ! -s out ] || not_ok "-o prints"
curves made.svg >/dev/null || not_ok "-o: no sound figure"

# ---- what cannot be drawn --------------------------------------------------
expect 1 $plot missing.jsonl && has err 'plot_log: cannot read missing.jsonl'
expect 1 $plot made.jsonl --labels a b && has err '2 labels for 1 logs'
expect 1 $plot made.jsonl --gradients --steps 3 && has err 'no gradients of step 3'
expect 1 $plot made.jsonl -o missing/folder.svg && has err 'cannot write missing/folder.svg'
grep step made.jsonl | grep -v gradient >losses.jsonl
expect 1 $plot losses.jsonl --gradients && has err 'nothing to draw: no gradients'
: >empty.jsonl
expect 1 $plot empty.jsonl && has err 'nothing to draw: no losses in empty.jsonl'

# ---- a real run ------------------------------------------------------------
text some.txt
expect 0 "$UNROLL" train some.txt $TINY --steps 700 --eval-every 100 --log run.jsonl
draws 2 run.jsonl
[ ! -s err ] || not_ok "complaints about a real log: $(cat err)"
[ "$(grep -c '<circle' out)" -eq 7 ] || not_ok "not 7 validations"
[ "$(size out)" -lt 12000 ] || not_ok "700 steps make $(size out) bytes"
finish
