#!/bin/sh
# SPDX-License-Identifier: MIT
# Forecasts from the command line: training, figures beside simple forecasts, answers as CSV and as
# a picture, and what is refused.
# shellcheck disable=SC2086  # options are lists
. "$(dirname "$0")/lib.inc"

awk 'BEGIN {
    print "when,load,\"heat, outside\",label"
    for (t = 0; t < 480; t++) {
        h = t % 24; d = int(t / 24); x = (x * 16807 + 7) % 2147483647
        load = 20 + (h > 6 && h < 20 ? 8 : 0) + d / 10 + x % 100 / 100
        printf "2021-%02d-%02dT%02d:00,%s,%.2f,x\n", 2 + int(d / 28), d % 28 + 1, h,
            t % 50 == 49 ? "" : sprintf("%.2f", load), load / 2 + x % 7
    }
}' >load.csv
RUN="--task forecast --target load --horizon 6 --hidden 8 --threads 1 --steps 150 --batch 16"

# ---- training and figures --------------------------------------------------
expect 0 "$UNROLL" train load.csv $RUN --features 3 --split 300,90,90 -o m
has err 'forecasting load, 6 steps from 48; period 24, a row each 1 hour; 9 values are missing' \
    'the last part is left for a test' '247 windows'
expect 0 "$UNROLL" eval m.safetensors load.csv --part test
has out '^mase  *0\.' '^mae ' '^rmse ' '^smape ' '^coverage .* % of the values$' '^mase_last ' \
    '^mase_seasonal ' '^mae_linear ' 'values  *[0-9]'
expect 0 "$UNROLL" eval m.safetensors load.csv --part val --json
has out '"mase":0' '"coverage":0\.[78]' '"mae_seasonal":'
expect 0 "$UNROLL" eval m.safetensors load.csv
expect 0 "$UNROLL" info m.safetensors
has out '^task  *forecast: ' 'series.mean' 'split.*300,90,90' 'period.*24'
expect 0 "$UNROLL" train load.csv --task forecast --resume -o m
has err 'finished after step 150'

# ---- answers ---------------------------------------------------------------
expect 0 "$UNROLL" predict m.safetensors load.csv
[ "$(wc -l <out)" -eq 7 ] || not_ok "$(wc -l <out) lines instead of 7"
[ "$(head -n 1 out)" = time,point,lower,upper ] || not_ok "the first line is $(head -n 1 out)"
has out '^2021-02-21T00:00,[0-9.]*,[0-9.]*,[0-9.]*$' '^2021-02-21T05:00,'
awk -F, 'NR > 1 && !($3 < $2 && $2 < $4) { bad = 1 } END { exit bad }' out ||
    not_ok "a point outside its interval"
# The same of the file without what is left out.
expect 0 "$UNROLL" predict m.safetensors load.csv --back 24
cp out back
head -n 457 load.csv >short.csv
"$UNROLL" predict m.safetensors <short.csv >out || not_ok "predict reads no standard input"
same out back
expect 0 "$UNROLL" predict m.safetensors load.csv --back 6 --json
has out '"forecast":\[{"series":"load","time":"2021-02-18T' '"point":null' '"upper":[0-9]'
cp out p.json
expect 0 "$UNROLL" plot p.json -o p.svg --title 'a load' --series load
has p.svg 'a load' '<polygon points=' '>interval<' '>forecast<' '>value<' '>2021-02-'
"$UNROLL" predict m.safetensors load.csv --plot next.svg >out || not_ok "predict --plot"
has out '^time,point,lower,upper$'
has next.svg '<polygon points=' '>forecast<'
expect 5 "$UNROLL" predict m.safetensors load.csv --plot next.svg
has err '^unroll: next.svg exists; use --force'
expect 5 "$UNROLL" predict m.safetensors load.csv --plot load.csv --force
has err 'it is the same file as load.csv'
expect 0 "$UNROLL" predict m.safetensors load.csv --back 6 --plot next.svg --force --json
expect 2 "$UNROLL" plot p.json -o q.svg --series heat
has err '^unroll: --series heat: '
expect 2 "$UNROLL" plot p.json -o q.svg --shares
has err 'is a forecast$'
cat p.json p.json >two.json
expect 3 "$UNROLL" plot two.json -o q.svg
has err 'two.json:2 is a second forecast'
echo '{"forecast":[{"series":"a","time":1}]}' >bad.json
expect 3 "$UNROLL" plot bad.json -o q.svg
has err 'bad.json:1: row 1 of "forecast" has no series, time'
echo '{"forecast":[]}' >bad.json
expect 3 "$UNROLL" plot bad.json -o q.svg
[ ! -e q.svg ] || not_ok "a refused figure left a file"

# Two targets, one of them called by a name with a comma; fed back, a mean and a variance.
expect 0 "$UNROLL" train load.csv $RUN --target 2,3 --recursive --distribution gaussian \
    --interval 0.5 --normalise window -o two -q
expect 0 "$UNROLL" predict two.safetensors load.csv
has out '^time,series,point,lower,upper$' '^2021-02-21T05:00,load,' \
    '^2021-02-21T05:00,"heat, outside",'
expect 0 "$UNROLL" train load.csv $RUN --distribution point --transform log --calendar no \
    --time-column none -o point -q
expect 0 "$UNROLL" predict point.safetensors load.csv
has out '^481,[0-9.]*,,$'

# The same model, figures and answers by all kernels that there are.
for table in scalar avx2 avx512 neon; do
    UNROLL_ISA=$table "$UNROLL" info >/dev/null 2>&1 || continue
    UNROLL_ISA=$table "$UNROLL" train load.csv --task forecast --target load,3 --transform log \
        --horizon 4 --hidden 6 --steps 20 --recursive -o "by_$table" -q || not_ok "train by $table"
    UNROLL_ISA=$table "$UNROLL" eval "by_$table.safetensors" load.csv --json -q >"by_$table.eval"
    UNROLL_ISA=$table "$UNROLL" predict "by_$table.safetensors" load.csv >"by_$table.csv"
    for kind in safetensors eval csv; do
        [ -s "by_$table.$kind" ] || not_ok "$kind of $table is empty"
        same "by_$table.$kind" "by_scalar.$kind"
    done
done

# ---- what is refused -------------------------------------------------------
# refused STATUS PATTERN OPTIONS...
refused() {
    want=$1 pattern=$2
    shift 2
    expect "$want" "$UNROLL" train "$@" --task forecast --threads 1 -q -o bad
    has err "$pattern"
    [ ! -e bad.safetensors ] || not_ok "a refused run left a model: $*"
}
refused 3 'load.csv: there is no column "loud"' load.csv --target loud
refused 3 'load.csv:2: field 4, "x", is not a number' load.csv
refused 3 'named twice' load.csv --target load --features load
refused 2 '^unroll: --split 1: must be TRAIN' load.csv --target load --split 1
refused 2 'more than the 480 rows' load.csv --target load --split 400,100
refused 3 'no value within a whole horizon of 60' load.csv --target load --horizon 60 --split 400,40
refused 3 'rows to learn from are too few' load.csv --target load --context 5000
refused 2 'last part of their own data' load.csv --target load --val short.csv
refused 2 'from one file' load.csv short.csv --target load
refused 2 '^unroll: --distribution best: must be one of' load.csv --distribution best
refused 2 'interval' load.csv --target load --interval 1
sed '5d' load.csv >gap.csv
refused 3 'gap.csv:5: time 2021-02-01T04:00 follows 2021-02-01T02:00, where steps are 1 hour' \
    gap.csv --target load
sed '9s/.*/2021-02-01T03:00,1,1,x/' load.csv >order.csv
refused 3 'order.csv:9: time 2021-02-01T03:00 does not come after' order.csv --target load
awk -F, 'NR > 1 { $2 = "NA" } 1' OFS=, load.csv >none.csv
refused 3 'none.csv: column "load" has no value: all are missing' none.csv --target load
sed '3s/,[0-9.]*,/,-1,/' load.csv >minus.csv
refused 3 'column "load" has -1 at 2021-02-01T01:00, of which there is no logarithm' minus.csv \
    --target load --transform log
refused 3 'no row below the line of names' /dev/null --target load
expect 3 "$UNROLL" eval two.safetensors load.csv --part test
has err 'nothing held out for a test'
expect 3 "$UNROLL" eval m.safetensors short.csv --part test
has err 'not the data that the model was trained on'
head -n 40 load.csv >few.csv
expect 3 "$UNROLL" predict m.safetensors few.csv
has err 'few.csv: 39 rows with values are too few: forecasts are made from 48'
expect 3 "$UNROLL" predict m.safetensors load.csv --back 480
has err 'of its 480 rows 480 are left out'
expect 3 "$UNROLL" predict m.safetensors load.csv --features 1
finish
