#!/bin/sh
# SPDX-License-Identifier: MIT
# unroll plot: figures of files made by hand, whose curves, cells and shades are known, and of what
# the other subcommands write; and what is refused.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
plot="$UNROLL plot"
command -v python3 >/dev/null 2>&1 || { echo "skipped: no python3"; exit 77; }

# svg FILE...: "curves circles heats" of each. It must be well-formed, and each point finite and
# inside the figure.
svg() {
    python3 - "$@" <<'END'
import sys
import xml.etree.ElementTree as tree

def look(path):
    root = tree.parse(path).getroot()
    _, _, width, height = map(float, root.get("viewBox").split())
    found = {"polyline": [], "circle": [], "rect": [], "text": []}
    for e in root.iter():
        found.setdefault(e.tag.split("}")[1], []).append(e)
    for line in found["polyline"]:
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width and 0 <= y <= height, (path, point)
    for e in found["rect"] + found["circle"] + found["text"]:
        for most, keys in ((width, ("x", "cx", "width")), (height, ("y", "cy", "height"))):
            for key in keys:
                if e.get(key) and "%" not in e.get(key):
                    assert 0 <= float(e.get(key)) <= most, (path, e.tag, e.attrib)
    heats = [e for e in found["rect"] if e.get("class") == "heat"]
    assert all(0 <= float(e.get("fill-opacity")) <= 1 for e in heats), path
    print(len(found["polyline"]), len(found["circle"]), len(heats))

for path in sys.argv[1:]:
    look(path)
END
}

# draws 'CURVES CIRCLES HEATS' ARGUMENTS...: a figure of so many, in out; the same bytes twice.
draws() {
    draws_want=$1
    shift
    expect 0 $plot "$@" || return 1
    cp out drawn
    draws_found=$(svg out) || { not_ok "no sound figure: $*"; return 1; }
    [ "$draws_found" = "$draws_want" ] || not_ok "$draws_found, not $draws_want: $*"
    runs $plot "$@"
    same out drawn
}

# ---- a log made by hand ----------------------------------------------------
cat >made.jsonl <<'END'
{"kind":"start","step":0,"steps":4}
{"kind":"step","step":1,"loss":9.0,"val_loss":null}
{"kind":"step","step":2,"loss":2.0,"lr":0.01,"val_loss":null}
{"step":2,"gradient_by_distance":{"layer 0":[1e-1,1e-3,0,1e-5],"layer 1":[0.5,0.25,0.1,0.06]}}
{"kind":"valid","step":2,"loss":3.0,"val_loss":3.5,"val_f1":0.25,"val_accuracy":0.5}
{"kind":"step","step":3,"loss":null}

{"kind":"step","step":1,"loss":4.0,"val_loss":null}
{"kind":"step","step":4,"loss":1.0,"lr":0.005,"val_loss":3.5}
{"step":4,"gradient_by_distance":{"layer 0":[1e-2,1e-4,1e-6,1e-8],"layer 1":[0.5,0.25,0.1,0.1]}}
{"kind":"valid","step":4,"loss":1.5,"val_loss":2.5,"val_f1":0.75,"val_accuracy":0.5}
{"kind":"note","step":4,"text":"<&>"}
{"kind":"st
END
draws '2 3 0' made.jsonl
has err '^unroll: made.jsonl:13: not JSON, left out$'
has out '>training<' '>validation<' 'step (updates)' 'loss (nats)' '>2.5<'
# Of step 1 the later line counts. Of 3 points between 1 and 4 on the linear scale the second lies
# at a third of the height.
python3 - out <<'END' || not_ok "the points are not where they belong"
import re
import sys
points = [tuple(map(float, p.split(",")))
          for p in re.search(r'points="([^"]*)"', open(sys.argv[1]).read()).group(1).split()]
(x1, y1), (x2, y2), (x4, y4) = points
assert abs((y2 - y4) / (y1 - y4) - 1 / 3) < 1e-2 and abs((x2 - x1) / (x4 - x1) - 1 / 3) < 1e-2
END
draws '2 3 0' made.jsonl --log-x --log-y --unit bits --title 'a < b'
has out 'loss (bits)' '>a &lt; b<'
draws '4 6 0' made.jsonl made.jsonl --labels one,two
has out '>one, training<' '>two, validation<'
draws '1 3 0' made.jsonl --metric f1
has out '>f1<' '>validation<' '>0.25<\|>0.3<'
draws '1 0 0' made.jsonl --metric lr
draws '2 6 0' made.jsonl made.jsonl --metric accuracy --labels 'a&b,'
has out '>a&amp;b<'
grep -v valid made.jsonl | grep -v 'st$' >steps.jsonl
grep -v 'st$' made.jsonl >whole.jsonl
draws '1 3 0' whole.jsonl steps.jsonl --metric f1
has err '^unroll: steps.jsonl is not drawn: there is nothing of this in it$'
cat made.jsonl | $plot - -q >piped 2>err
runs $plot made.jsonl
same out piped
[ ! -s err ] || has err 'not JSON'

draws '4 0 0' made.jsonl --gradients
has out '>layer 0, step 2<' '>layer 1, step 4<' 'distance k (steps back)' 'norm of the gradient'
draws '4 0 0' made.jsonl --gradients --steps 4,last,first,2
draws '1 0 0' made.jsonl --gradients --steps last --layer 0
# Norms that fall by a hundred each step are a straight line on the logarithmic scale.
python3 - out <<'END' || not_ok "the norms are no straight line"
import re
import sys
y = [float(p.split(",")[1])
     for p in re.search(r'points="([^"]*)"', open(sys.argv[1]).read()).group(1).split()]
falls = [b - a for a, b in zip(y, y[1:])]
assert len(y) == 4 and min(falls) > 10 and max(falls) - min(falls) < 0.3, y
END
draws '2 0 0' made.jsonl made.jsonl --labels rnn,lstm --gradients --steps 4 --layer 1
has out '>rnn, layer 1, step 4<' '>lstm, layer 1, step 4<'

# ---- a confusion matrix made by hand ---------------------------------------
cat >table.json <<'END'
{"accuracy":0.8,"labels":["ham","<spam>","日本 \u202e"],"confusion":[[6,2,0],[0,9,1],[0,0,0]]}
END
draws '0 0 4' table.json
has out '>&lt;spam&gt;<' '>15 of 18 right, 83.33 %' '>truth<' '>answer<' \
    '<title>ham taken for &lt;spam&gt;: 2, 25.0 % of the row</title>' \
    'fill-opacity="0.750"' 'fill-opacity="0.250"' 'fill-opacity="0.900"' 'fill-opacity="0.100"' \
    '日本 �'
draws '0 0 4' table.json --shares --title 'who & whom'
has out '>75<' '>25<' '>who &amp; whom<'
python3 -c 'import json
n = 256
print(json.dumps({"labels": ["label %d" % i for i in range(n)],
                  "confusion": [[(i == k) * 1000 + i for k in range(n)] for i in range(n)]}))' \
    >large.json
draws '0 0 65281' large.json

# ---- answers made by hand --------------------------------------------------
cat >why.json <<'END'
{"labels":[{"best":[{"text":"pos","p":0.75},{"text":"neg","p":0.25}]}],"tokens":@}
{"line":"neg","tokens":[{"text":"a","weight":0.5},{"text":" ","weight":0.5}]}
{"tokens":[{"text":"naught","weight":0}]}
END
sed 's/@/[{"text":"a","weight":0.1},{"text":"<b>","weight":0.4},{"text":"","weight":0.2},&]/
    s/@/{"text":"日本","weight":0.3}/' why.json >more && mv more why.json
draws '0 0 7' why.json --title t
# A title ends within the picture, with room for wide letters.
long=$(awk 'BEGIN { for (i = 0; i < 300; i++) printf "title " }')
for made in made.jsonl table.json why.json; do
    expect 0 $plot $made --title "$long"
    width=$(sed -n '1s/.*viewBox="0 0 \([0-9.]*\) .*/\1/p' out)
    sed -n 's/.*font-weight="bold"[^>]*>\(title .*…\)<.*/\1/p' out >title
    awk -v width="$width" '{ n = length($0) } END { exit !(n > 40 && n * 9 <= width) }' title ||
        not_ok "$made: a title of $(wc -m <title) letters in $width pixels"
done
has out '>pos  75.0 %<' '>neg<' '>&lt;b&gt;<' 'weight 0.4<' 'fill-opacity="0.250"' \
    'fill-opacity="1.000"' 'fill-opacity="0.000"'
for i in 1 2 3 4 5 6 7; do cat why.json why.json >twice && mv twice why.json; done
expect 0 $plot why.json
has err '^unroll: the first 100 of 384 answers are drawn$'
[ "$(svg out)" = '0 0 235' ] || not_ok "not 100 answers: $(svg out)"
python3 -c 'import json
print(json.dumps({"line": "long", "tokens": [{"text": "x" * (i % 200), "weight": i / 1e6}
                                             for i in range(3000)]}))' >long.json
draws '0 0 3000' long.json

# ---- output ----------------------------------------------------------------
expect 0 $plot made.jsonl -o made.svg -q
[ ! -s out ] && [ ! -s err ] || not_ok "-o -q prints"
svg made.svg >/dev/null || not_ok "-o: no sound figure"
cp made.svg before.svg
refuses 5 '^unroll: made.svg exists; use --force to replace it$' $plot table.json -o made.svg
same made.svg before.svg
expect 0 $plot table.json -o made.svg --force
[ "$(svg made.svg)" = '0 0 4' ] || not_ok "--force does not replace"
expect 0 $plot table.json -o -
same out made.svg
expect 0 $plot table.json -o made.svg --force --json
json out output drawn
has out '"output":"made.svg"' '"drawn":"a confusion matrix"'
refuses 2 '--json needs --output' $plot table.json --json
cp made.jsonl kept.jsonl
refuses 5 'cannot write made.jsonl: it is the same file as made.jsonl, which is read' \
    $plot made.jsonl -o made.jsonl --force
ln -s made.jsonl link.jsonl
refuses 5 'it is the same file as link.jsonl, which is read' \
    $plot table.json link.jsonl -o made.jsonl --force
ln made.jsonl hard.jsonl
refuses 5 'it is the same file as made.jsonl, which is read' \
    $plot made.jsonl -o ./hard.jsonl --force
refuses 5 'it is the same file as standard input, which is read' \
    sh -c '"$0" plot - -o made.jsonl --force <made.jsonl' "$UNROLL"
same made.jsonl kept.jsonl
status=0
$plot made.jsonl >>made.jsonl 2>err || status=$?
[ "$status" -eq 5 ] || not_ok ">> to what is read: status $status"
same made.jsonl kept.jsonl
refuses 5 'missing/folder.svg' $plot made.jsonl -o missing/folder.svg
[ -z "$(ls ./*.tmp-* 2>/dev/null)" ] || not_ok "something is left: $(ls)"

# ---- what cannot be drawn --------------------------------------------------
refuses 3 'missing.jsonl' $plot missing.jsonl
grep -v 'st$' made.jsonl >losses.jsonl
refuses 2 '--labels a,b: 2 labels for 1 file$' $plot made.jsonl --labels a,b
refuses 2 '--steps 3: losses.jsonl has no gradients of that step, but of 2 from 2 to 4' \
    $plot losses.jsonl --gradients --steps 3
refuses 2 '--steps x: ' $plot losses.jsonl --gradients --steps x
refuses 2 '--gradients cannot be combined with --metric' $plot made.jsonl --gradients --metric f1
refuses 2 '--unit: must be\|--unit stone: must be' $plot made.jsonl --unit stone
refuses 2 'plot needs FILE' $plot
refuses 2 '--shares is for confusion matrices, but losses.jsonl is a training log' \
    $plot losses.jsonl --shares
refuses 2 '--steps belongs to --gradients, not to losses' $plot losses.jsonl --steps 2
refuses 2 '--layer belongs to --gradients, not to --metric' $plot losses.jsonl --metric lr --layer 1
refuses 2 '--unit belongs to losses, not to --metric' $plot losses.jsonl --metric lr --unit bits
refuses 2 '--unit belongs to losses, not to --gradients' $plot losses.jsonl --gradients --unit nats
refuses 2 '--unit is for training logs, but table.json is a confusion matrix' \
    $plot table.json --unit bits
refuses 2 '--layer is for training logs, but long.json is an answer with weights' \
    $plot long.json --layer 1
grep step losses.jsonl | grep -v gradient >other.jsonl
refuses 3 'nothing to draw: there are no gradients in other.jsonl$' $plot other.jsonl --gradients
refuses 3 'nothing to draw: there is no bleu in losses.jsonl; its validations have loss, f1, acc' \
    $plot losses.jsonl --metric bleu
: >empty.jsonl
refuses 3 'nothing to draw: empty.jsonl is empty$' $plot empty.jsonl
echo '{"kind":"start","step":0}' >start.jsonl
refuses 3 'nothing to draw: there are no losses in start.jsonl$' $plot start.jsonl
refuses 3 'table.json:1 is a confusion matrix, but what came before is a training log' \
    $plot losses.jsonl table.json
refuses 3 'table.json:1 is a second confusion matrix' $plot table.json table.json
echo '{"loss":1.2,"n":4}' >lm.json
refuses 3 'lm.json:1 is no line of a training log' $plot lm.json
echo '{"line":"O B","tokens":[{"best":[{"text":"O","p":1.0}]}]}' >tag.json
refuses 3 'tag.json:1: the answer has no tokens with weights: use unroll predict --explain' \
    $plot tag.json
echo a >texts.txt
refuses 3 'texts.txt: no line of it can be read: json: ' $plot texts.txt
awk 'BEGIN { printf "["; for (i = 0; i < 70000; i++) printf "[],"; print "1]" }' >huge.json
refuses 3 'huge.json: no line of it can be read: .* lists and objects; at most' $plot huge.json

# ---- odd JSON: a picture or one sentence, never a crash -------------------
python3 - <<'END'
import json
import random
random.seed(3)
sound = [
    '{"kind":"step","step":1,"loss":4.0,"lr":0.1}',
    '{"kind":"valid","step":2,"val_loss":3.5,"val_f1":0.25}',
    '{"step":4,"gradient_by_distance":{"layer 0":[0.1,0.01,0.0],"layer 1":[0.5]}}',
    '{"labels":["a","b"],"confusion":[[3,1],[0,2]]}',
    '{"line":"pos","labels":[{"best":[{"text":"pos","p":0.7}]}],'
    '"tokens":[{"text":"a","weight":1}]}',
]
odd = ['null', 'true', '-1', '0', '1e308', '-1e308', '1e999', '5e-324', '9223372036854775807',
       '99999999999999999999', 'NaN', 'Infinity', '""', '"\\u0000"', '"\\ud800"',
       '"\\u0001\\ufffe"',
       '[]', '{}', '[[]]', '[{}]', '[null]', '[' * 31 + ']' * 31, '[' * 200 + ']' * 200, '1.5',
       '{"best":[{"text":"x","p":1e300}]}', '[1,2,3]', '[["a"]]', '"' + 'w' * 5000 + '"']
n = 0

def write(text):
    global n
    open('odd%03d' % n, 'w', encoding='utf-8', errors='surrogatepass').write(text + '\n')
    n += 1

def spots(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from spots(value[key], path + (key,))
    elif isinstance(value, list):
        for i, x in enumerate(value):
            yield from spots(x, path + (i,))

MARK = '@here@'

def replaced(document, path):
    value = json.loads(document)
    if not path:
        return MARK
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = MARK
    return json.dumps(value).replace('"%s"' % MARK, MARK)

for document in sound:
    for path in spots(json.loads(document)):
        for value in random.sample(odd, 3):
            write(replaced(document, path).replace(MARK, value))
        if path and isinstance(path[-1], str):      # without the member
            value = json.loads(document)
            at = value
            for key in path[:-1]:
                at = at[key]
            del at[path[-1]]
            write(json.dumps(value))
    for _ in range(12):                             # any bytes
        text = list(document)
        for _ in range(random.randint(1, 3)):
            text[random.randrange(len(text))] = random.choice('{}[]",:0e-\\ \x00a')
        write(''.join(text))
        write(document + '\n' + ''.join(text))
write('[' * 100000)
write('{"a":' * 50000)
write('{"kind":"step","step":1,"loss":1e308}\n{"kind":"step","step":2,"loss":-1e308}')
write('{"kind":"step","step":1e15,"loss":1}\n{"kind":"step","step":1000000000000001,"loss":1}')
write('{"kind":"step","step":-5,"loss":-1}\n{"kind":"step","step":5,"loss":-1.0000000000000002}')
write('{"kind":"step","step":1,"loss":1e-99}\n{"kind":"step","step":2,"loss":1e99}')
write('\ufeff{"kind":"step","step":1,"loss":1}')
END
n=0
drawn=0
for file in odd*; do
    for more in '' '--log-x --log-y' '--gradients' '--metric f1'; do
        runs $plot "$file" $more
        n=$((n + 1))
        case $status in
            0)  drawn=$((drawn + 1))
                mv out "picture-$file-$n" ;;
            2|3) [ "$(grep -c '^unroll: ' err)" -eq "$(wc -l <err)" ] && [ ! -s out ] ||
                not_ok "$more: $(head -c 200 "$file"): $(cat err)" ;;
            *)  not_ok "status $status of $(head -c 200 "$file") $more: $(cat err)" ;;
        esac
    done
done
note "$n odd files and options, $drawn pictures"
[ "$drawn" -gt 100 ] || not_ok "only $drawn of $n odd files are drawn"
svg picture-* >/dev/null || not_ok "not all of these are sound figures"

# ---- real runs -------------------------------------------------------------
text some.txt
expect 0 "$UNROLL" train some.txt $TINY --steps 700 --eval-every 100 --log run.jsonl
draws '2 8 0' run.jsonl
[ ! -s err ] || not_ok "complaints about a real log: $(cat err)"
[ "$(size out)" -lt 12000 ] || not_ok "700 steps make $(size out) bytes"
draws '1 8 0' run.jsonl --metric accuracy

awk 'BEGIN { for (i = 0; i < 200; i++) print (i % 3 ? "yes\tthe net reads" : "no\tone letter") }' \
    >texts.tsv
expect 0 "$UNROLL" train texts.tsv --task classify --pool attention --hidden 4 --embed 4 \
    --epochs 4 --lr 0.02 --threads 1 -q -o c.safetensors --log c.jsonl
draws '1 5 0' c.jsonl --metric f1
expect 0 "$UNROLL" eval c.safetensors texts.tsv --json
cp out eval.json
draws '0 0 2' eval.json
has out '>200 of 200 right, 100.00 %'
printf 'the net\none letter reads\n' >lines.txt
expect 0 "$UNROLL" predict c.safetensors lines.txt --explain --json
cp out why.json
draws '0 0 5' why.json
has out '>net<' '>letter<' '>yes  [0-9.]* %<'
finish
