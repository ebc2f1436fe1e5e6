#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `unroll train --task forecast` reaches on public series beside simple forecasts.

    python3 bench/forecasts.py build DATA [SET...] [--seeds 1,2,3] [--plots FOLDER]

DATA is a folder with the series in the places that SETS names. Each is trained on with the options
that stand there, once a seed, and measured once on its last part, which training does not see:
`--split` has the rows to learn from, to validate on and to test on. A line of a table for each:
MASE of unroll (the median, and all of them), of the last value, of the season before and of the
linear autoregression; the share of the values that 80 % intervals hold; how many there are, and the
range in which 95 % of such shares would lie if the values were independent.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

# name: file, options chosen by what the part held out for validation says
SETS = {
    "ETTh1": ("series/ETTh1.csv.gz", "--target OT --horizon 24 --context 96 --hidden 32 --epochs 6 "
              "--split 8640,2880,2880"),
    "co2": ("series/co2.csv.gz", "--horizon 26 --context 104 --hidden 32 --epochs 20 "
            "--split 1600,342,342"),
    "Airline": ("series/Airline.csv", "--horizon 12 --hidden 32 --transform log --base seasonal "
                "--split 96,24,24"),
    "sunspots": ("series/sunspots.csv", "--horizon 1 --context 33 --period 11 --hidden 24 "
                 "--normalise series --base none --split 200,54,55"),
    "nile": ("series/nile.csv", "--horizon 4 --context 10 --hidden 8 --normalise series "
             "--base none --split 60,20,20"),
    "Lynx": ("series/Lynx.csv", "--target 2 --horizon 1 --context 20 --period 10 --hidden 16 "
             "--transform log --normalise series --split 70,22,22"),
}


def run(arguments, into=None):
    made = subprocess.run(arguments, check=False, stdout=subprocess.PIPE, input=into)
    if made.returncode:
        sys.exit(f"forecasts.py: status {made.returncode} of {' '.join(arguments)}")
    return made.stdout


def one_run(program, data, options, seed, model):
    start = time.monotonic()
    run([program, "train", data, "--task", "forecast", *options.split(), "--seed", seed,
         "-o", model, "-q", "--force", "--threads", "1"])
    seconds = time.monotonic() - start
    figures = json.loads(run([program, "eval", model + ".safetensors", data, "--part", "test",
                              "--json", "-q"]))
    return figures, seconds


def draw(program, data, options, model, picture):
    """The last whole horizon of the test, as if nothing of it were known."""
    words = options.split()
    horizon = words[words.index("--horizon") + 1]
    answer = run([program, "predict", model + ".safetensors", data, "--json", "--back", horizon])
    run([program, "plot", "-", "-o", picture, "--force", "-q"], into=answer)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("build")
    p.add_argument("data")
    p.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    p.add_argument("--seeds", default="1,2,3")
    p.add_argument("--plots", metavar="FOLDER", help="a picture of each set's last forecast")
    args = p.parse_args()
    program = os.path.join(args.build, "unroll")
    print("| series | options | MASE | all | last | season | linear | coverage | values | "
          "95 % range | seconds |\n|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.sets or SETS:
            path, options = SETS[name]
            data = os.path.join(args.data, path)
            runs = [one_run(program, data, options, seed, os.path.join(folder, name + seed))
                    for seed in args.seeds.split(",")]
            f = runs[0][0]
            around = 1.96 * math.sqrt(0.8 * 0.2 / f["n"])
            print(f"| {name} | `{options}` | "
                  f"{statistics.median(r[0]['mase'] for r in runs):.3f} | "
                  f"{', '.join(format(r[0]['mase'], '.3f') for r in runs)} | "
                  f"{f['mase_last']:.3f} | {f['mase_seasonal']:.3f} | {f['mase_linear']:.3f} | "
                  f"{', '.join(format(100 * r[0]['coverage'], '.1f') for r in runs)} % | "
                  f"{f['n']} | "
                  f"{100 * (0.8 - around):.1f}–{100 * (0.8 + around):.1f} % | "
                  f"{statistics.median(r[1] for r in runs):.0f} |", flush=True)
            if args.plots:
                os.makedirs(args.plots, exist_ok=True)
                draw(program, data, options, os.path.join(folder, name + args.seeds.split(",")[0]),
                     os.path.join(args.plots, f"forecast_{name}.svg"))


if __name__ == "__main__":
    main()
