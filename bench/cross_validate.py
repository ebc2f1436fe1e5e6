#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How good a net is on examples that it has not seen, each of them once: `unroll train --fold K/N`
for all K, and what each model says of the part that its training held out.

    cross_validate.py UNROLL DATA... --folds N [--jobs J] [-- OPTIONS OF TRAIN]

    cross_validate.py build/unroll vowels.ts --folds 10 -- --task classify
    cross_validate.py build/unroll digits.list --folds 4 -- --task classify    # a speaker a fold

Folds have the same share of each label, or whole groups (`--group`, or the third column of a
list of sounds): as many folds as groups leave one out. What a fold holds out is measured once, by
NAME.last, the model of the last step. NAME itself is the best of many that were measured on the
very same examples, so its figure is too good; --patience and the plateau schedule look there, too,
and are refused. Settings that are tried until these figures please are chosen on them as well:
choose on other data, or say how many were tried.

Prints a line a fold; then the accuracy over all examples together, and mean and standard deviation
of the folds' other figures.
"""
import argparse
import concurrent.futures
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

CHOOSES = ("--patience", "--schedule", "--fold", "--val", "--best")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"cross_validate.py: {done.stderr.strip()}\nstatus {done.returncode} of "
                 + " ".join(command))
    return done.stdout


def one_fold(args, folder, k):
    """Figures of fold k, what it holds out, and seconds."""
    name = os.path.join(folder, f"fold{k}")
    start = time.monotonic()
    run([args.unroll, "train", *args.data, "-o", name, "-q", "--log", name + ".jsonl", "--threads",
         str(args.threads), "--fold", f"{k}/{args.folds}", "--eval-every", "1000000000",
         *args.options])
    took = time.monotonic() - start
    with open(name + ".jsonl", encoding="utf-8") as f:
        notes = [line["text"] for line in map(json.loads, f) if line["kind"] == "note"]
    figures = json.loads(run([args.unroll, "eval", name + ".last.safetensors", *args.data, "--part",
                              "val", "--unknown", "replace", "--json"]))
    figures = {name: x for name, x in figures.items() if name not in ("labels", "confusion")}
    said = [n.removeprefix("held out: ") for n in notes if n.startswith("held out: ")]
    return figures, said[0] if said else "", took


def show(figures):
    return "  ".join(f"{name} {figures[name]:.4f}" for name in figures if name != "n")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("unroll", help="the program")
    p.add_argument("data", nargs="+", metavar="DATA")
    p.add_argument("--folds", type=int, required=True, metavar="N")
    p.add_argument("--jobs", type=int, default=1, help="folds at a time")
    p.add_argument("--threads", type=int, default=1, help="of each; changes no figure")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = p.parse_args(sys.argv[1:at])
    args.options = sys.argv[at + 1:]
    for option in args.options:
        if option.split("=")[0] in CHOOSES:
            p.error(f"{option}: a cross-validation chooses nothing by what is held out")
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        folds = []
        for figures, held, took in pool.map(lambda k: one_fold(args, folder, k),
                                            range(1, args.folds + 1)):
            folds.append(figures)
            print(f"fold {len(folds)}/{args.folds}  n {figures['n']}  {show(figures)}  "
                  f"{took:.0f} s  {held}".rstrip(), flush=True)
    n = sum(f["n"] for f in folds)
    pooled = sum(f["accuracy"] * f["n"] for f in folds) / n
    print(f"all  n {n}  accuracy {pooled:.4f}")
    for name in (name for name in folds[0] if name != "n"):
        values = [f[name] for f in folds if f[name] is not None]
        if len(values) > 1:
            print(f"{name}  mean {statistics.mean(values):.4f}  deviation "
                  f"{statistics.stdev(values):.4f}")


if __name__ == "__main__":
    main()
